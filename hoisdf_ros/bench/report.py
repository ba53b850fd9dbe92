"""A measurement as a page to read, and as files."""

import json
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.bench.latency import PAPER_MS, STAGES
from hoisdf_ros.bench.measure import Document
from hoisdf_ros.bench.plot import plot

_TIMES = (
    ("network_ms", "network"),
    ("dense_eager_ms", "network, exact: eager, dense, fp32"),
    ("core_ms", "image to estimate, boxes given"),
    ("detector_ms", "finding hands in the whole image and its tiles"),
    ("node_overhead_ms", "the node's own time around the core"),
)


def markdown(document: Document) -> str:
    """The page."""
    parts = (_head, _times, _stages, _scaling, _searches)
    lines = [line for part in parts for line in part(document)]
    return "\n".join([*lines, *_missing(document)]) + "\n"


def write(document: Document, folder: Path) -> tuple[Path, ...]:
    """Write ``bench.json``, ``bench.md`` and ``bench.png`` into a folder, which is made.

    Raises:
        OSError: They cannot be written.
    """
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    contents = {
        "bench.json": text.encode(),
        "bench.md": markdown(document).encode(),
        "bench.png": plot(document),
    }
    for name, content in contents.items():
        write_atomically(folder / name, methodcaller("write", content))
    return tuple(folder / name for name in contents)


def _head(document: Document) -> Iterator[str]:
    yield f"## {document['preset']}, {document['backend']}, {document['precision']}"
    yield ""
    kind = "" if document["trained"] else " (random numbers: times count, answers do not)"
    yield (
        f"Weights {document['weights']}{kind}, sampler {document['sampler']}, lattice "
        f"{document['lattice']}^3; {document['machine']}, {document['cores']} cores. "
        f"{document['pictures']} rendered pictures, {document['runs']} rounds. Load average "
        f"{document['load_average']:g} before; the exact network took {document['noise']:.0%} "
        "more or less time than itself: no smaller difference means anything."
    )
    yield ""


def _times(document: Document) -> Iterator[str]:
    yield "| what | median ms | p99 ms | fastest ms |"
    yield "| --- | ---: | ---: | ---: |"
    for key, title in _TIMES:
        if document.get(key):
            yield _row(title, document[key])
    for key, title in (("given", "boxes from outside"), ("detector", "the node finds hands")):
        found = (document.get("node") or {}).get(key)
        if found:
            yield _row(f"stamp to publish, {title}", found["latency_ms"])
    yield ""
    points = document["points_evaluated"]
    yield (
        f"{document['speedup']:.2f} times the speed of the exact network, from "
        f"{points['hand'] + points['object']} points ({points['dense']} exact). 99 % of the "
        f"pictures differ from it by less than {document['fast_vs_dense_joint_mm_p99']:g} mm in "
        f"every joint, {document['fast_vs_dense_object_mm_p99']:g} mm and "
        f"{document['fast_vs_dense_object_deg_p99']:g} degrees in the object. Memory: "
        f"{_megabytes(document['memory_mb'])}."
    )
    yield ""


def _stages(document: Document) -> Iterator[str]:
    rates = document["rates"]
    yield (
        f"Stages of the eager network; this device's products reach {rates['gflop_per_s']:g} "
        f"GFLOP/s, its copies {rates['gbyte_per_s']:g} GB/s."
    )
    yield ""
    yield "| stage | median ms | p99 ms | GFLOP | MB | share of the limit | paper, TITAN RTX ms |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    rows = {row["stage"]: row for row in document["roofline"]}
    for stage, paper in zip(STAGES, PAPER_MS, strict=True):
        time, row = document["stages_ms"][stage], rows[stage]
        yield (
            f"| {stage} | {time['median']:.1f} | {time['p99']:.1f} | {row['gflop']:.2f} | "
            f"{row['mbyte']:.0f} | {100 * row['share_of_limit']:.0f} % ({row['bound_by']}) | "
            f"{paper:.1f} |"
        )
    yield ""


def _scaling(document: Document) -> Iterator[str]:
    if "hands" in document:
        yield "| hands | in one batch, median ms | one after the other, median ms |"
        yield "| ---: | ---: | ---: |"
        for row in document["hands"]:
            batched, singly = row["batched_ms"]["median"], row["singly_ms"]["median"]
            yield f"| {row['hands']} | {batched:.1f} | {singly:.1f} |"
        yield ""
    if "lattices" in document:
        yield "| lattice | points evaluated | network, eager, median ms |"
        yield "| ---: | ---: | ---: |"
        for row in document["lattices"]:
            time = row["network_ms"]["median"]
            yield f"| {row['lattice']}^3 | {row['points_evaluated']} | {time:.1f} |"
        yield ""


def _searches(document: Document) -> Iterator[str]:
    if "searches" not in document:
        return
    yield (
        "Coarse-to-fine search against dense: how far the answers move for 99 % of the pictures."
    )
    yield ""
    yield "| lattice | points evaluated | joint, mm | object, mm | object, degrees | found |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in document["searches"]:
        moved = (row[f"{name}_p99"] for name in ("joint_mm", "object_mm", "object_deg"))
        yield (
            f"| {row['lattice']}^3 | {row['points_evaluated']} | "
            + " | ".join(f"{value:.2f}" for value in moved)
            + f" | {row['found']:.1%} |"
        )
    yield ""


def _missing(document: Document) -> Iterator[str]:
    for name, reason in document["missing"].items():
        yield f"Not measured: {name}, {reason}"


def _row(title: str, numbers: dict[str, float]) -> str:
    values = (numbers[name] for name in ("median", "p99", "min"))
    return f"| {title} | " + " | ".join(f"{value:.2f}" for value in values) + " |"


def _megabytes(memory: dict[str, Any]) -> str:
    named = [f"{value:.0f} MB {name}" for name, value in memory.items() if value is not None]
    return ", ".join(named) or "not told by this system"
