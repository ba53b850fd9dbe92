"""The page and the files of a measurement."""

import copy
import json
from pathlib import Path

import pytest

from hoisdf_ros.bench.latency import STAGES
from hoisdf_ros.bench.measure import Document
from hoisdf_ros.bench.report import markdown, write

TIME = {"median": 2.0, "p99": 3.0, "min": 1.5}


@pytest.fixture
def document() -> Document:
    return copy.deepcopy(
        {
            "preset": "demo",
            "backend": "eager",
            "precision": "fp32",
            "weights": "untrained",
            "trained": False,
            "sampler": "dense",
            "lattice": 20,
            "machine": "a machine",
            "cores": 2,
            "pictures": 8,
            "runs": 10,
            "network_ms": TIME,
            "dense_eager_ms": TIME | {"median": 8.0},
            "speedup": 4.0,
            "noise": 0.04,
            "load_average": 1.5,
            "core_ms": TIME,
            "detector_ms": None,
            "node_overhead_ms": TIME | {"median": 0.5},
            "node": {"given": {"latency_ms": TIME | {"median": 12.25}}},
            "points_evaluated": {"hand": 300, "object": 200, "dense": 2000},
            "fast_vs_dense_joint_mm_p99": 0.25,
            "fast_vs_dense_object_mm_p99": 0.5,
            "fast_vs_dense_object_deg_p99": 0.125,
            "memory_mb": {"resident": 700.0, "working": None},
            "rates": {"gflop_per_s": 60.0, "gbyte_per_s": 8.0},
            "stages_ms": dict.fromkeys(STAGES, TIME),
            "roofline": [
                {
                    "stage": stage,
                    "gflop": 0.5,
                    "mbyte": 40.0,
                    "least_ms": 1.0,
                    "share_of_limit": 0.5,
                    "bound_by": "memory",
                }
                for stage in STAGES
            ],
            "missing": {"detector_ms": "no weights"},
        }
    )


def test_the_page_says_what_was_measured_and_what_not(document: Document) -> None:
    page = markdown(document)
    assert "random numbers" in page
    assert "Load average 1.5 before; the exact network took 4% more or less" in page
    assert "4.00 times the speed of the exact network, from 500 points (2000 exact)" in page
    assert "less than 0.25 mm in every joint, 0.5 mm and 0.125 degrees" in page
    assert "| stamp to publish, boxes from outside | 12.25 |" in page
    assert "| query points | 2.0 | 3.0 | 0.50 | 40 | 50 % (memory) | 11.5 |" in page
    assert "Not measured: detector_ms, no weights" in page
    assert "hands |" not in page


def test_trained_weights_need_no_excuse(document: Document) -> None:
    assert "random numbers" not in markdown(document | {"trained": True})


def test_hands_lattices_and_searches_have_their_tables(document: Document) -> None:
    document["hands"] = [{"hands": 4, "batched_ms": TIME, "singly_ms": TIME | {"median": 7.5}}]
    document["lattices"] = [{"lattice": 96, "points_evaluated": 1234, "network_ms": TIME}]
    document["searches"] = [
        {
            "lattice": 20,
            "points_evaluated": 4160,
            "joint_mm_p99": 0.25,
            "object_mm_p99": 0.5,
            "object_deg_p99": 0.125,
            "found": 0.9975,
        }
    ]
    page = markdown(document)
    assert "| 4 | 2.0 | 7.5 |" in page
    assert "| 96^3 | 1234 | 2.0 |" in page
    assert "| 20^3 | 4160 | 0.25 | 0.50 | 0.12 | 99.8% |" in page


def test_three_files_are_written(document: Document, tmp_path: Path) -> None:
    paths = write(document, tmp_path / "new")
    assert [path.name for path in paths] == ["bench.json", "bench.md", "bench.png"]
    assert json.loads(paths[0].read_text()) == document
    assert paths[1].read_text() == markdown(document)
    assert paths[2].read_bytes().startswith(b"\x89PNG")
