"""Diagnostics: levels, and messages that say what to do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.serialization import deserialize_message, serialize_message

from hoisdf_ros.datatypes import (
    Box,
    Camera,
    Detection,
    Estimate,
    EstimatorInfo,
    Frame,
    StageTimes,
)
from hoisdf_ros.ros.diagnostics import Surroundings, Topic, statuses
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.frames import Problem
from hoisdf_ros.ros.health import SUPERSEDED, Processed, Snapshot

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
ROLES = ("image", "camera_info", "depth", "detections")
AROUND = Surroundings("/hoisdf/node", True, {r: Topic(f"/camera/{r}", 1) for r in ROLES}, 15.0)
TRAINED = replace(ConstantEstimator().describe(), trained=True)
HANDS = ConstantEstimator()(
    Frame(
        np.zeros((4, 4, 3), np.uint8),
        Camera(9.0, 9.0, 2.0, 2.0, 4, 4),
        np.ones((4, 4), np.float32),
        (Detection("left_hand", Box(1, 1, 2, 2)),),
    )
)
PROCESSED = Processed(HANDS, (640, 480), "optical", True, True, "", 0.5, 20.0, 2.0)
FINE = Snapshot(
    now=0.0,
    description=TRAINED,
    received=90,
    image_age_s=0.01,
    image_rate=30.0,
    processed=60,
    with_depth=60,
    with_detections=60,
    drops={SUPERSEDED: 30},
    recent=(PROCESSED,) * 60,
    rate=20.0,
    processed_age_s=0.01,
)


def found(snapshot: Snapshot, around: Surroundings = AROUND) -> dict[str, DiagnosticStatus]:
    """The statuses by their short name, once through the wire format."""
    sent = [deserialize_message(serialize_message(s), type(s)) for s in statuses(snapshot, around)]
    return {status.name.removeprefix("/hoisdf/node: "): status for status in sent}


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {value.key: value.value for value in status.values}


def topics(role: str, **changes: Any) -> Surroundings:  # noqa: ANN401
    return replace(AROUND, topics={**AROUND.topics, role: replace(AROUND.topics[role], **changes)})


def without(last: Processed) -> Snapshot:
    return replace(FINE, recent=(*FINE.recent, last))


def test_all_is_well() -> None:
    everything = found(FINE)
    assert list(everything) == ["model", "input", "sync", "inference", "tracking"]
    assert {status.level for status in everything.values()} == {OK}
    assert {status.hardware_id for status in everything.values()} == {"/hoisdf/node"}


def test_the_numbers_are_there() -> None:
    everything = found(FINE)
    numbers = values(everything["input"])
    assert (numbers["received"], numbers["processed"]) == ("90", "60")
    assert numbers["dropped: superseded by a newer image"] == "30"
    assert (numbers["size"], numbers["frame"]) == ("640x480", "optical")
    assert values(everything["sync"])["median difference to depth (ms)"] == "0.50"
    assert values(everything["inference"])["latency p95 (ms)"] == "20.0"
    assert values(everything["model"])["preset"] == "dry run"


def test_untrained_weights_are_said_aloud() -> None:
    untrained: EstimatorInfo = replace(TRAINED, trained=False)
    status = found(replace(FINE, description=untrained))["model"]
    assert status.level == WARN
    assert "untrained weights: poses are meaningless" in status.message


def test_without_a_model_only_that_is_said() -> None:
    snapshot = Snapshot(now=0.0, model_problem="cannot configure: no file 'x.pth'")
    everything = found(snapshot, replace(AROUND, active=False, topics={}))
    assert list(everything) == ["model"]
    assert everything["model"].level == WARN
    assert everything["model"].message == snapshot.model_problem


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"publishers": 0}, "nobody publishes '/camera/image': is the driver running?"),
        ({"qos_conflict": True}, "set image_qos to what the publisher offers"),
        ({}, "though it has a publisher: is it streaming?"),
    ],
)
def test_silence_is_explained(changes: dict[str, Any], expected: str) -> None:
    status = found(replace(FINE, image_age_s=1.5), topics("image", **changes))["input"]
    assert status.level == ERROR
    assert expected in status.message


def test_what_was_wrong_before_the_silence_is_still_said() -> None:
    snapshot = replace(FINE, image_age_s=1.5, problem=Problem("image", "encoding 'x'"))
    assert found(snapshot)["input"].message.endswith("Before that: encoding 'x'")


def test_a_problem_is_a_warning_while_images_get_through_and_else_an_error() -> None:
    problem = Problem("image", "encoding 'x': expected rgb8")
    drops = {SUPERSEDED: 1, "image": 7}
    some = found(replace(FINE, problem=problem, drops=drops))["input"]
    none = found(replace(FINE, problem=problem, drops=drops, processed_age_s=9.0))["input"]
    assert (some.level, none.level) == (WARN, ERROR)
    assert some.message == none.message == problem.message
    assert values(some)["dropped: image"] == "7"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"publishers": 0}, "nobody publishes '/camera/depth'"),
        ({"qos_conflict": True}, "set depth_qos"),
        ({}, "'/camera/depth' is 33 ms from the image, sync_slop_ms is 15: raise it"),
    ],
)
def test_missing_depth_is_explained(changes: dict[str, Any], expected: str) -> None:
    alone = replace(PROCESSED, had_depth=False, depth_offset_ms=33.0)
    status = found(without(alone), topics("depth", **changes))["sync"]
    assert status.level == WARN
    assert "no hand can be placed" in status.message
    assert expected in status.message


@pytest.mark.parametrize("offset_ms", [float("inf"), 3000.0])
def test_depth_that_does_not_come_is_not_blamed_on_the_slop(offset_ms: float) -> None:
    alone = replace(PROCESSED, had_depth=False, depth_offset_ms=offset_ms)
    message = found(without(alone))["sync"].message
    assert "nothing comes from '/camera/depth'" in message
    assert "sync_slop_ms" not in message


def test_depth_that_was_left_out_is_not_blamed_on_the_slop() -> None:
    alone = replace(PROCESSED, had_depth=False, depth_problem="depth is not registered")
    status = found(without(alone))["sync"]
    assert status.level == WARN
    assert status.message == "no hand can be placed: depth is not registered"


def test_images_without_a_hand_do_not_shorten_the_times_of_those_with_one() -> None:
    busy = replace(
        PROCESSED, estimate=replace(HANDS, times=StageTimes(1.0, 50.0, postprocess_ms=2.0))
    )
    idle = replace(PROCESSED, estimate=Estimate(), latency_ms=3.0, own_ms=1.0)
    status = found(replace(FINE, recent=(busy, *[idle] * 9)))["inference"]
    numbers = values(status)
    assert numbers["network p50 (ms)"] == "50.0"
    assert (numbers["latency p50 (ms)"], numbers["node's own p50 (ms)"]) == ("20.0", "2.0")
    assert numbers["latency without a hand p50 (ms)"] == "3.0"
    assert "latency p50 20.0 ms" in status.message
    nothing = found(replace(FINE, recent=(idle,)))["inference"]
    assert "latency without a hand p50 3.0 ms" in nothing.message
    assert "network p50 (ms)" not in values(nothing)


def test_depth_that_is_not_wanted_is_not_missed() -> None:
    wanted = {role: topic for role, topic in AROUND.topics.items() if role != "depth"}
    snapshot = without(replace(PROCESSED, had_depth=False))
    assert found(snapshot, replace(AROUND, topics=wanted))["sync"].level == OK


def test_missing_detections_are_explained() -> None:
    snapshot = without(replace(PROCESSED, had_detections=False))
    status = found(snapshot, topics("detections", publishers=0))["tracking"]
    assert status.level == WARN
    assert "'/camera/detections', which nobody publishes" in status.message


def test_detections_are_not_missed_by_a_node_that_finds_hands_itself() -> None:
    own = replace(FINE, description=replace(TRAINED, detector="builtin"))
    snapshot = replace(own, recent=(replace(PROCESSED, had_detections=False),))
    status = found(snapshot, topics("detections", publishers=0))["tracking"]
    assert (status.level, status.message) == (OK, "1 hands, 1 objects")


def test_the_core_s_own_notes_come_first() -> None:
    noted = replace(PROCESSED, estimate=Estimate(notes=("no depth in the box",)))
    status = found(without(noted))["tracking"]
    assert (status.level, status.message) == (WARN, "no depth in the box")


def test_before_the_first_image_there_is_nothing_to_complain_of_but_silence() -> None:
    everything = found(Snapshot(now=0.0, description=TRAINED))
    levels = {name: status.level for name, status in everything.items()}
    assert levels == {"model": OK, "input": ERROR, "sync": OK, "inference": OK, "tracking": OK}
