"""Hard scenes: what is wrong with them is wrong, and the truth stays true."""

from collections.abc import Iterator

import numpy as np
import pytest

from hoisdf_ros.data.hard_scenes import (
    HARD_SCENES,
    HardSequences,
    blurred,
    flying,
    holes,
    needed,
    scene_named,
    shifted,
    unregistered,
)
from hoisdf_ros.data.sequence_truth import TrueFrame
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.data.synthetic_sequences import SyntheticSequences
from hoisdf_ros.datatypes import Array, Camera, Frame
from hoisdf_ros.errors import DataError

CAMERA = Camera(150.0, 150.0, 79.5, 59.5, 160, 120)
NEAR, FAR = 0.5, 1.0
NAMES = tuple(HARD_SCENES)


def chance() -> tuple[np.random.Generator, np.random.Generator]:
    return np.random.default_rng(1), np.random.default_rng(2)


def depth_of(frame: Frame) -> Array:
    assert frame.depth is not None
    assert frame.depth.dtype == np.float32
    return frame.depth.astype(float)


@pytest.fixture
def frame() -> Frame:
    """A near square before a far wall, both in stripes; one spot without depth on each."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, ::2] = 200
    depth = np.full((120, 160), FAR, np.float32)
    depth[40:80, 60:100] = NEAR
    depth[60, 80] = depth[10, 10] = np.nan
    return Frame(image, CAMERA, depth, stamp=3.0)


def test_holes_take_depth_away_and_nothing_else(frame: Frame) -> None:
    made = holes(frame, *chance())
    before, after = depth_of(frame), depth_of(made)
    assert np.isnan(after).mean() == pytest.approx(0.4, abs=0.02)
    known = np.isfinite(after)
    assert (after[known] == before[known]).all()
    assert made.image is frame.image
    # blotches, not salt and pepper: few neighbours differ
    assert (np.isnan(after[:, 1:]) != np.isnan(after[:, :-1])).mean() < 0.1


def test_pixels_fly_at_edges_alone(frame: Frame) -> None:
    after = depth_of(flying(frame, *chance()))
    np.testing.assert_array_equal(after[50:58, 70:78], NEAR)
    np.testing.assert_array_equal(after[90:, :], FAR)
    assert np.isnan(after[[60, 10], [80, 10]]).all()
    band = after[36:44, 70:90]
    assert ((band >= NEAR) & (band <= FAR)).all()
    between = (band > NEAR + 0.05) & (band < FAR - 0.05)
    assert between.mean() > 0.5


def test_depth_lies_beside_the_picture(frame: Frame) -> None:
    before, after = depth_of(frame), depth_of(shifted(frame, *chance()))
    moved = [
        sign
        for sign in (-24, 24)
        if np.array_equal(
            np.roll(before, sign, axis=1)[:, 24:-24], after[:, 24:-24], equal_nan=True
        )
    ]
    assert len(moved) == 1
    assert np.isfinite(after[:, :24]).all()


def test_the_depth_of_another_camera_is_smaller(frame: Frame) -> None:
    before, after = depth_of(frame), depth_of(unregistered(frame, *chance()))
    share = (after == NEAR).sum() / (before == NEAR).sum()
    assert share == pytest.approx(0.75**2, abs=0.05)


def test_blur_goes_one_way_and_keeps_the_light(frame: Frame) -> None:
    image = np.zeros_like(frame.image)
    image[60, 80] = 255
    spot = blurred(Frame(image, CAMERA, frame.depth), *chance())
    rows, columns = np.nonzero(spot.image[..., 0])
    points = np.stack([rows, columns], axis=1) - [60, 80]
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    assert spread[0] > 10 * spread[1]
    assert np.ptp(points, axis=0).max() >= 15
    even = blurred(frame, *chance()).image[30:-30, 30:-30].astype(float)
    assert even.mean() == pytest.approx(100, abs=3)
    assert spot.depth is frame.depth


def test_a_frame_without_depth_has_none_to_lose(frame: Frame) -> None:
    with pytest.raises(DataError, match="without depth"):
        holes(Frame(frame.image, CAMERA), *chance())


@pytest.fixture(scope="module")
def hard(synthetic: SyntheticData) -> Iterator[HardSequences]:
    made = SyntheticSequences("train", needed(2), 7, seconds=1.0, grasps=CHUNK)
    made.__dict__["bank"], made.__dict__["meshes"] = synthetic.bank, synthetic.meshes
    sequences = HardSequences(made, NAMES, 2)
    yield sequences
    sequences.close()


@pytest.fixture(scope="module")
def drawn(hard: HardSequences) -> dict[str, list[TrueFrame]]:
    """Two frames of the first sequence of every scene, half a second apart."""
    frames = {}
    for place, name in enumerate(NAMES):
        assert hard.group(2 * place) == name
        every = 900 if name == "nobody" else 15
        frames[name] = list(hard.frames(2 * place, every))
    return frames


def test_every_scene_is_a_sequence_of_its_own(drawn: dict[str, list[TrueFrame]]) -> None:
    assert all(len(frames) == 2 for frames in drawn.values())
    assert len({frames[0].sequence for frames in drawn.values()}) == len(NAMES)
    for frames in drawn.values():
        assert frames[0].sequence == frames[1].sequence


def test_what_is_spoilt_on_its_way_keeps_its_truth(drawn: dict[str, list[TrueFrame]]) -> None:
    spoilt = [name for name, scene in HARD_SCENES.items() if scene.spoil is not None]
    one = drawn[spoilt[0]]
    for name in spoilt:
        for frame, other in zip(drawn[name], one, strict=True):
            (hand,), (same,) = frame.hands, other.hands
            np.testing.assert_array_equal(hand.joints, same.joints)
            assert hand.visible == same.visible
    pictures = [drawn[name][0].frame.image for name in ("holes", "blur")]
    assert (pictures[0] != pictures[1]).any()


def test_blotches_stay_and_flying_pixels_do_not(drawn: dict[str, list[TrueFrame]]) -> None:
    first, second = (np.isnan(depth_of(frame.frame)) for frame in drawn["holes"])
    assert (first == second).mean() > 0.9
    first, second = (depth_of(frame.frame) for frame in drawn["flying"])
    assert not np.array_equal(first, second, equal_nan=True)


def test_half_of_the_hand_is_beyond_the_border(drawn: dict[str, list[TrueFrame]]) -> None:
    (whole,), (cut,) = drawn["holes"][1].hands, drawn["cut"][1].hands
    assert 0.1 * whole.visible < cut.visible < 0.9 * whole.visible
    camera, box = drawn["cut"][1].frame.camera, cut.box
    assert box.x0 < 0 or box.y0 < 0 or box.x1 > camera.width or box.y1 > camera.height


def test_there_are_two_people(drawn: dict[str, list[TrueFrame]]) -> None:
    for frame in drawn["people"]:
        one, other = frame.hands
        assert np.linalg.norm(one.joints[0] - other.joints[0]) > 0.1
        assert min(one.visible, other.visible) > 0.2
        assert one.held is not None
        assert other.held is None


def test_nobody_comes_for_a_minute(hard: HardSequences, drawn: dict[str, list[TrueFrame]]) -> None:
    assert [frame.hands for frame in drawn["nobody"]] == [(), ()]
    assert drawn["nobody"][1].frame.stamp == pytest.approx(30.0)
    assert hard.group(-1) == NAMES[-1]


def test_a_bare_hand_holds_nothing(drawn: dict[str, list[TrueFrame]]) -> None:
    assert [hand.held for frame in drawn["bare"] for hand in frame.hands] == [None, None]


def test_what_is_drawn_depends_on_nothing_drawn_before(
    hard: HardSequences, drawn: dict[str, list[TrueFrame]]
) -> None:
    place = 2 * NAMES.index("flying")
    (again,) = hard.frames(place, 30)
    np.testing.assert_array_equal(again.frame.depth, drawn["flying"][0].frame.depth)
    (another,) = hard.frames(place + 1, 30)
    assert another.sequence != again.sequence


def test_what_cannot_be_asked_for_is_refused(hard: HardSequences) -> None:
    assert len(hard) == 2 * len(NAMES)
    with pytest.raises(IndexError):
        hard.group(len(hard))
    with pytest.raises(DataError, match="scene 'fog': expected one of holes, flying"):
        scene_named("fog")
    base = SyntheticSequences("train", 7, 7, grasps=CHUNK)
    for names, count in ((NAMES, 2), (NAMES, 0), ((), 1)):
        with pytest.raises(DataError, match="expected one or more of at least one scene"):
            HardSequences(base, names, count)
