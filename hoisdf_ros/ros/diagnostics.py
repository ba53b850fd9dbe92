"""Diagnostics: what runs, what comes in, what is wrong and what to do about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import StageTimes
from hoisdf_ros.ros.health import RECENT_S, SUPERSEDED, Processed, Snapshot, percentiles

DROPPED = "dropped: "
WITH_DETECTIONS = "images with detections"
"""Keys of the drop counts in the ``input`` status begin with this."""

_SILENT_S = 1.0

Verdict = tuple[bytes, str]
"""Level and message."""


@dataclass(frozen=True)
class Topic:
    """An input, as the graph shows it.

    Args:
        name: Full name, after remapping.
        publishers: How many there are.
        qos_conflict: Whether one of them cannot be heard because of its quality of service.
    """

    name: str
    publishers: int
    qos_conflict: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What the statuses need to know besides the node's memory.

    Args:
        node: Full name of the node.
        active: Whether it is subscribed.
        topics: The inputs by role: image, camera_info, detections, and depth if wanted.
        slop_ms: Largest difference of stamps that pairs.
    """

    node: str
    active: bool
    topics: Mapping[str, Topic]
    slop_ms: float


def statuses(snapshot: Snapshot, around: Surroundings) -> list[DiagnosticStatus]:
    """The status of the model and, while the node is active, of all that flows through it."""
    parts = {"model": _model(snapshot, around)}
    if around.active:
        parts["input"] = _input(snapshot, around)
        parts["sync"] = _sync(snapshot, around)
        parts["inference"] = _inference(snapshot)
        parts["tracking"] = _tracking(snapshot, around)
    return [
        DiagnosticStatus(
            level=verdict[0],
            name=f"{around.node}: {name}",
            message=verdict[1],
            hardware_id=around.node,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        for name, (verdict, values) in parts.items()
    ]


def _model(snapshot: Snapshot, around: Surroundings) -> tuple[Verdict, dict[str, object]]:
    info = snapshot.description
    if info is None:
        return (DiagnosticStatus.WARN, snapshot.model_problem), {}
    values: dict[str, object] = {
        **asdict(info),
        "objects": ", ".join(info.objects),
        "notes": "; ".join(info.notes),
    }
    running = f"{info.preset} on {info.device} ({info.backend}, {info.precision})"
    if not info.trained:
        text = f"untrained weights: poses are meaningless; set 'weights' ({running})"
        return (DiagnosticStatus.WARN, text), values
    if not around.active:
        return (DiagnosticStatus.OK, f"{running}, ready to be activated"), values
    return (DiagnosticStatus.OK, running), values


def _input(snapshot: Snapshot, around: Surroundings) -> tuple[Verdict, dict[str, object]]:
    values: dict[str, object] = {
        "received": snapshot.received,
        "processed": snapshot.processed,
        "rate (1/s)": f"{snapshot.image_rate:.1f}",
        SUPERSEDED_KEY: snapshot.drops.get(SUPERSEDED, 0),
    }
    drops = {reason: n for reason, n in snapshot.drops.items() if reason != SUPERSEDED}
    values |= {DROPPED + reason: count for reason, count in sorted(drops.items())}
    if snapshot.recent:
        latest = snapshot.recent[-1]
        values["size"] = f"{latest.size[0]}x{latest.size[1]}"
        values["frame"] = latest.frame_id
    for topic in around.topics.values():
        values[f"publishers of {topic.name}"] = topic.publishers
    if snapshot.image_age_s > _SILENT_S:
        text = _why_silent(around.topics["image"], "image")
        if snapshot.problem is not None:
            text += f" Before that: {snapshot.problem.message}"
        return (DiagnosticStatus.ERROR, text), values
    if snapshot.problem is not None:
        stuck = snapshot.processed_age_s > RECENT_S
        level = DiagnosticStatus.ERROR if stuck else DiagnosticStatus.WARN
        return (level, snapshot.problem.message), values
    return (DiagnosticStatus.OK, f"{snapshot.image_rate:.1f} images/s"), values


SUPERSEDED_KEY = DROPPED + SUPERSEDED


def _why_silent(topic: Topic, role: str) -> str:
    """Why nothing comes from a topic, as far as the graph tells, and what to do."""
    if topic.qos_conflict:
        return (
            f"publisher and node disagree on the quality of service of '{topic.name}': "
            f"set {role}_qos to what the publisher offers"
        )
    if topic.publishers == 0:
        return (
            f"nobody publishes '{topic.name}': is the driver running? "
            f"If its topic has another name, remap {role}:=<topic>"
        )
    return f"nothing comes from '{topic.name}', though it has a publisher: is it streaming?"


def _sync(snapshot: Snapshot, around: Surroundings) -> tuple[Verdict, dict[str, object]]:
    offsets = [p.depth_offset_ms for p in snapshot.recent if p.had_depth]
    values: dict[str, object] = {
        "images with depth": snapshot.with_depth,
        "images without depth": snapshot.processed - snapshot.with_depth,
        WITH_DETECTIONS: snapshot.with_detections,
        "median difference to depth (ms)": f"{np.median(offsets):.2f}" if offsets else "none",
    }
    depth = around.topics.get("depth")
    latest = snapshot.recent[-1] if snapshot.recent else None
    if depth is not None and latest is not None and not latest.had_depth:
        text = _why_without_depth(latest, depth, around.slop_ms)
        return (DiagnosticStatus.WARN, f"no hand can be placed: {text}"), values
    return (DiagnosticStatus.OK, "paired" if snapshot.recent else "no image yet"), values


def _why_without_depth(image: Processed, depth: Topic, slop_ms: float) -> str:
    """Why an image went without depth, and what to do."""
    if image.depth_problem:
        return image.depth_problem
    if depth.qos_conflict or not depth.publishers or image.depth_offset_ms > _SILENT_S * 1e3:
        return _why_silent(depth, "depth")
    return (
        f"the nearest depth on '{depth.name}' is {image.depth_offset_ms:.0f} ms from the image, "
        f"sync_slop_ms is {slop_ms:g}: raise it or synchronise the driver (enable_sync)"
    )


def _inference(snapshot: Snapshot) -> tuple[Verdict, dict[str, object]]:
    """Times of images with a hand and without one apart: without, the network does not run."""
    values: dict[str, object] = {"rate (1/s)": f"{snapshot.rate:.1f}"}
    with_hand = [p for p in snapshot.recent if p.estimate.hands]
    series = {"latency": [p.latency_ms for p in with_hand]}
    series |= {
        stage.name.removesuffix("_ms"): [getattr(p.estimate.times, stage.name) for p in with_hand]
        for stage in fields(StageTimes)
    }
    series["node's own"] = [p.own_ms for p in with_hand]
    idle = [p.latency_ms for p in snapshot.recent if not p.estimate.hands]
    series["latency without a hand"] = idle
    for name, numbers in series.items():
        if numbers:
            p50, p95 = percentiles(numbers)
            values[f"{name} p50 (ms)"], values[f"{name} p95 (ms)"] = f"{p50:.1f}", f"{p95:.1f}"
    if not snapshot.recent:
        return (DiagnosticStatus.OK, "no image yet"), values
    name = "latency" if with_hand else "latency without a hand"
    text = f"{snapshot.rate:.1f} images/s, {name} p50 {values[f'{name} p50 (ms)']} ms"
    return (DiagnosticStatus.OK, text), values


def _tracking(snapshot: Snapshot, around: Surroundings) -> tuple[Verdict, dict[str, object]]:
    if not snapshot.recent:
        return (DiagnosticStatus.OK, "no image yet"), {}
    latest, info = snapshot.recent[-1], snapshot.description
    hands, objects = latest.estimate.hands, latest.estimate.objects
    values: dict[str, object] = {
        "hands": len(hands),
        "objects": len(objects),
        "root sources": ", ".join(RootSource(hand.root.source).name for hand in hands),
        "notes": "; ".join(latest.estimate.notes),
    }
    if latest.estimate.notes:
        return (DiagnosticStatus.WARN, "; ".join(latest.estimate.notes)), values
    if not latest.had_detections and info is not None and info.detector != "builtin":
        topic = around.topics["detections"]
        text = f"no detections with the image: boxes of hands come from '{topic.name}'"
        if not topic.publishers:
            text += ", which nobody publishes"
        return (DiagnosticStatus.WARN, text), values
    return (DiagnosticStatus.OK, f"{len(hands)} hands, {len(objects)} objects"), values
