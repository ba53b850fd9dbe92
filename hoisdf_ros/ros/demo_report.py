"""What a demo run amounts to: frames, latency, errors against the truth, as data and as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hoisdf_ros.datatypes import Array, Estimate, HandEstimate, Mesh, ObjectEstimate
from hoisdf_ros.evaluation.hand import joint_error, root_relative_joint_error, wrist_error
from hoisdf_ros.evaluation.objects import add_s, object_origin_error
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.ros.health import percentiles

UNTRAINED = "untrained weights: poses are meaningless"

NOTHING_GIVEN = "nothing was given: hands, sides and wrists are the node's own finding"

_MOST_POINTS = 500  # of an object's mesh, for ADD-S


@dataclass
class Errors:
    """Errors of all frames, millimetres, and what was missed or made up."""

    wrist: list[float] = field(default_factory=list)
    joints: list[float] = field(default_factory=list)
    joints_from_wrist: list[float] = field(default_factory=list)
    object_origin: list[float] = field(default_factory=list)
    object_add_s: list[float] = field(default_factory=list)
    hands_missed: int = 0
    hands_made_up: int = 0
    objects_missed: int = 0
    objects_made_up: int = 0

    def add(self, found: Estimate, truth: Estimate, meshes: Mapping[str, Mesh]) -> None:
        """Compare one frame: hands of the same side, the nearest first; objects by name."""
        pairs = _paired_hands(found.hands, truth.hands)
        for ours, true in pairs:
            self.wrist.append(1e3 * wrist_error(ours.joints, true.joints))
            self.joints.append(1e3 * joint_error(ours.joints, true.joints))
            relative = root_relative_joint_error(ours.joints, true.joints)
            self.joints_from_wrist.append(1e3 * relative)
        self.hands_missed += len(truth.hands) - len(pairs)
        self.hands_made_up += len(found.hands) - len(pairs)
        true_objects = {held.object_id: held for held in truth.objects}
        named = [held for held in found.objects if held.object_id in true_objects]
        for held in named:
            self._add_object(held, true_objects[held.object_id], meshes[held.object_id])
        self.objects_missed += len(true_objects.keys() - {held.object_id for held in named})
        self.objects_made_up += len(found.objects) - len(named)

    def _add_object(self, ours: ObjectEstimate, true: ObjectEstimate, mesh: Mesh) -> None:
        origin = object_origin_error(ours.translation, true.translation)
        self.object_origin.append(1e3 * origin)
        points = mesh.vertices[:: max(1, len(mesh.vertices) // _MOST_POINTS)]
        placed = transform(points, ours.rotation, ours.translation)
        expected = transform(mesh.vertices, true.rotation, true.translation)
        self.object_add_s.append(1e3 * add_s(placed, expected))


@dataclass(frozen=True)
class Run:
    """What was counted in a run.

    Args:
        seconds: How long it was observed.
        published: Frames the camera published.
        received: Images that reached the node.
        processed: Images that were estimated and published.
        with_boxes: Of these, how many came with boxes of hands or objects from outside.
        dropped: Images and parts of them that were not, by reason.
        latency_ms: From an image's stamp to the arrival of its result.
        latency_with_hand_ms: The same, of the images in which a hand was found.
        own_ms: The node's own time per image with a hand, 50th and 95th percentile.
        errors: Against the truth.
        model: What ran, in the words of the node's diagnostics.
        trained: False while poses are meaningless.
    """

    seconds: float
    published: int
    received: int
    processed: int
    with_boxes: int
    dropped: Mapping[str, int]
    latency_ms: list[float]
    latency_with_hand_ms: list[float]
    own_ms: tuple[float, float]
    errors: Errors
    model: Mapping[str, str]
    trained: bool


def report(run: Run) -> dict[str, Any]:
    """The run as plain data, for ``report.json``; numbers that are unknown are null."""
    errors = run.errors
    series = {
        "wrist": errors.wrist,
        "joints (MJE)": errors.joints,
        "joints from the wrist": errors.joints_from_wrist,
        "object origin (OCE)": errors.object_origin,
        "object (ADD-S)": errors.object_add_s,
    }
    return {
        "note": "" if run.trained else UNTRAINED,
        "given": "boxes" if run.with_boxes else NOTHING_GIVEN,
        "trained": run.trained,
        "model": {k: run.trained if k == "trained" else value for k, value in run.model.items()},
        "seconds": round(run.seconds, 2),
        "frames": {
            "published": run.published,
            "seen": run.received,
            "processed": run.processed,
            "with a hand": len(run.latency_with_hand_ms),
            "with boxes given": run.with_boxes,
            "dropped": dict(run.dropped),
        },
        "rate_hz": _number(run.processed / run.seconds) if run.seconds > 0 else None,
        "latency_ms": _p50_p95(percentiles(run.latency_ms)),
        "latency_with_hand_ms": _p50_p95(percentiles(run.latency_with_hand_ms)),
        "node_own_ms": _p50_p95(run.own_ms),
        "errors_mm": {name: _summary(values) for name, values in series.items()},
        "hands": {"missed": errors.hands_missed, "made up": errors.hands_made_up},
        "objects": {"missed": errors.objects_missed, "made up": errors.objects_made_up},
    }


def table(found: Mapping[str, Any]) -> str:
    """A report as text for people."""
    frames = found["frames"]
    rows = [
        ("frames published", frames["published"]),
        ("frames seen by the node", frames["seen"]),
        ("frames processed", frames["processed"]),
        ("frames with a hand", frames["with a hand"]),
        ("frames with boxes given", frames["with boxes given"]),
        *((f"  dropped: {reason}", count) for reason, count in frames["dropped"].items()),
        ("rate", f"{found['rate_hz']} Hz"),
    ]
    times = ("latency_ms", "latency"), ("latency_with_hand_ms", "latency with a hand")
    for key, name in (*times, ("node_own_ms", "node's own time with a hand")):
        rows.append((f"{name} p50 / p95", f"{found[key]['p50']} / {found[key]['p95']} ms"))
    for name, summary in found["errors_mm"].items():
        text = f"{summary['mean']} mm over {summary['count']}" if summary["count"] else "none"
        rows.append((f"error: {name}", text))
    for what in ("hands", "objects"):
        missed, made_up = found[what]["missed"], found[what]["made up"]
        rows.append((f"{what} missed / made up", f"{missed} / {made_up}"))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    if not frames["with boxes given"]:
        lines.append(f"errors are in the camera frame, and {NOTHING_GIVEN}")
    return "\n".join([*lines, found["note"]] if found["note"] else lines)


def _paired_hands(
    found: Iterable[HandEstimate], truth: Iterable[HandEstimate]
) -> list[tuple[HandEstimate, HandEstimate]]:
    """Each true hand with the nearest found one of its side that is still free."""
    pairs, free = [], list(found)
    for true in truth:
        same = [hand for hand in free if hand.side is true.side]
        nearest = min(same, key=lambda h: _distance(h.joints, true.joints), default=None)
        if nearest is not None:
            free = [hand for hand in free if hand is not nearest]
            pairs.append((nearest, true))
    return pairs


def _distance(ours: Array, true: Array) -> float:
    return wrist_error(ours, true)


def _p50_p95(values: tuple[float, float]) -> dict[str, float | None]:
    return {"p50": _number(values[0]), "p95": _number(values[1])}


def _summary(values: list[float]) -> dict[str, float | int | None]:
    mean = float(np.mean(values)) if values else float("nan")
    return {"count": len(values), "mean": _number(mean), **_p50_p95(percentiles(values))}


def _number(value: float) -> float | None:
    """Two decimals; NaN, which JSON lacks, as None."""
    return round(value, 2) if np.isfinite(value) else None
