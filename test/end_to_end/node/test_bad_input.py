"""What the node cannot use: it stays alive, counts, explains, and publishes nothing wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hoisdf_ros.errors import CheckpointError
from hoisdf_ros.ros.sensor_messages import depth_message, header_at

Rig = Any  # the classes of these names in rig.py
Shot = Any


def spoil(**changes: Any) -> Callable[[Shot], None]:  # noqa: ANN401
    """Sets attributes given as message__attribute."""

    def apply(shot: Shot) -> None:
        for name, value in changes.items():
            message, attribute = name.split("__")
            setattr(getattr(shot, message), attribute, value)

    return apply


def no_info(shot: Shot) -> None:
    shot.info = None


def other_frame(shot: Shot) -> None:
    assert shot.info is not None
    shot.info.header = header_at(shot.stamp, "elsewhere")


def hour_old(shot: Shot) -> None:
    shot.__dict__.update(type(shot)(shot.stamp - 3600 * 10**9).__dict__)


def hour_ahead(shot: Shot) -> None:
    shot.__dict__.update(type(shot)(shot.stamp + 3600 * 10**9).__dict__)


def tenth_ahead(shot: Shot) -> None:
    shot.__dict__.update(type(shot)(shot.stamp + 10**8).__dict__)


BAD = {
    "unknown encoding": (spoil(image__encoding="nv12"), "image", "'nv12'"),
    "short step": (spoil(image__step=64), "image", "step 64"),
    "wrong size": (spoil(image__height=49), "image", "64x49"),
    "truncated": (spoil(image__data=b"abc"), "image", "3 bytes"),
    "zero intrinsics": (spoil(info__k=np.zeros(9)), "camera_info", "calibrate"),
    "NaN intrinsics": (spoil(info__k=np.full(9, np.nan)), "camera_info", "nan"),
    "distortion": (spoil(info__d=[0.1, 0.0, 0.0, 0.0, 0.0]), "camera_info", "distortion"),
    "another size": (spoil(info__width=100), "camera_info", "100x48"),
    "another camera": (other_frame, "frame of camera_info", "'elsewhere'"),
    "no calibration": (no_info, "no camera_info", "is the driver running?"),
    "skew": (spoil(info__k=np.array([60, 1, 31, 0, 60, 23, 0, 0, 1.0])), "camera_info", "skew"),
    "too old": (hour_old, "too old", "do the clocks"),
    "too new": (hour_ahead, "in the future", "do the clocks"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_counted_explained_and_not_answered(rig: Rig, name: str) -> None:
    apply, reason, message = BAD[name]
    shot = rig.shot()
    apply(shot)
    rig.send(shot)
    rig.until(lambda: rig.drops()[reason] == 1)
    assert b"\x02" in rig.said("input", message)
    assert rig.stamps() == rig.stamps("objects") == []
    assert len(rig.answer().hands) == 1


def test_clocks_may_differ_a_little(rig: Rig) -> None:
    shot = rig.shot()
    tenth_ahead(shot)
    assert len(rig.answer(shot).hands) == 1


def small_depth(shot: Shot) -> None:
    assert shot.depth is not None
    shot.depth = depth_message(shot.depth.header, np.ones((24, 32), np.float32))


def other_depth(shot: Shot) -> None:
    assert shot.depth is not None
    shot.depth.header = header_at(shot.stamp, "depth_optical")


@pytest.mark.parametrize(
    ("apply", "reason", "message"),
    [
        (small_depth, "depth not registered", "enable align_depth"),
        (other_depth, "depth not registered", "enable align_depth"),
        (spoil(depth__encoding="8UC1"), "depth", "'8UC1'"),
        (spoil(depth__data=b""), "depth", "0 bytes"),
    ],
)
def test_depth_that_does_not_fit_is_counted_and_no_hand_is_made_up(
    rig: Rig, apply: Callable[[Shot], None], reason: str, message: str
) -> None:
    shot = rig.shot()
    apply(shot)
    assert rig.answer(shot).hands == []
    rig.until(lambda: rig.drops()[reason] == 1)
    rig.until(lambda: rig.said("sync", message))
    assert len(rig.answer().hands) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CheckpointError("not these weights"), "refused by the estimator"),
        (RuntimeError("out of memory"), "internal error"),
    ],
)
def test_a_core_that_fails_costs_one_image(rig: Rig, error: Exception, reason: str) -> None:
    rig.estimator.error = error
    rig.send()
    rig.until(lambda: rig.drops()[reason] == 1)
    assert rig.said("input", str(error))
    rig.estimator.error = None
    assert len(rig.answer().hands) == 1
