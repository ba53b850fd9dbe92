"""The pipeline in one piece, with untrained weights: frames in, estimates or silence out."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Box, Camera, Detection, Frame
from hoisdf_ros.errors import ConfigError, HandModelError, MeshError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.network.io import joined
from hoisdf_ros.postprocessing.overlay import draw, side_view
from hoisdf_ros.preprocessing.boxes import HandRegion, mirrored
from hoisdf_ros.preprocessing.roots import root_given

CAMERA = Camera(615, 615, 320.0, 240.0, 640, 480)
HAND = Detection("right_hand", Box(250, 180, 380, 320), 0.9)
HELD = Detection("006_mustard_bottle", Box(300, 150, 400, 330), 0.8)


@pytest.fixture(scope="module")
def loaded() -> Estimator:
    return Estimator(EstimatorConfig(weights=""))


@pytest.fixture
def estimator(loaded: Estimator) -> Estimator:
    """It remembers no hand of another test."""
    loaded.reset()
    return loaded


def _frame(*detections: Detection, stamp: float = 0.0) -> Frame:
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    depth = np.full((480, 640), 0.6, np.float32)
    return Frame(image, CAMERA, depth, detections, stamp)


def test_a_hand_and_its_object_come_out_in_the_camera_frame(estimator: Estimator) -> None:
    estimate = estimator(_frame(HAND, HELD))
    (hand,), (held,) = estimate.hands, estimate.objects
    assert hand.side is Side.RIGHT
    assert hand.root.source is RootSource.DEPTH
    np.testing.assert_allclose(hand.joints[0], hand.root.position)
    assert np.isfinite(hand.vertices).all()
    assert held.object_id == "006_mustard_bottle"
    assert held.hand_id == hand.id
    assert held.covariance is not None
    assert (np.linalg.eigvalsh(held.covariance) > 0).all()
    assert estimate.times.network_ms > 0


def test_nothing_detected_gives_nothing(estimator: Estimator) -> None:
    estimate = estimator(_frame())
    assert not estimate.hands
    assert not estimate.objects


def test_a_hand_alone_holds_nothing(estimator: Estimator) -> None:
    estimate = estimator(_frame(HAND))
    assert len(estimate.hands) == 1
    assert not estimate.objects


def test_without_depth_the_hand_is_left_out_and_the_note_says_why(estimator: Estimator) -> None:
    estimate = estimator(replace(_frame(HAND, HELD), depth=None))
    assert not estimate.hands
    assert not estimate.objects
    assert len(estimate.notes) == 1
    assert "no depth" in estimate.notes[0]


def test_depth_that_lies_beside_the_image_places_no_hand(estimator: Estimator) -> None:
    frame = _frame(HAND, HELD)
    image, depth = np.full_like(frame.image, 90), np.full((480, 640), 0.9, np.float32)
    image[200:300, 260:370], depth[200:300, 290:400] = (220, 180, 150), 0.6
    estimate = estimator(replace(frame, image=image, depth=depth))
    assert not estimate.hands
    assert not estimate.objects
    assert "beside" in estimate.notes[0]
    beneath = np.roll(depth, -30, axis=1)
    estimator.reset()
    assert estimator(replace(frame, image=image, depth=beneath)).hands


def test_the_mirrored_frame_gives_the_mirrored_estimate(estimator: Estimator) -> None:
    frame = _frame(HAND, HELD)
    mirror = np.array([-1.0, 1.0, 1.0])
    other = Frame(
        np.ascontiguousarray(frame.image[:, ::-1]),
        replace(CAMERA, cx=639 - CAMERA.cx),
        frame.depth,
        (
            Detection("left_hand", mirrored(HAND.box, 640), 0.9),
            Detection(HELD.label, mirrored(HELD.box, 640), 0.8),
        ),
    )
    right, left = estimator(frame), estimator(other)
    np.testing.assert_allclose(left.hands[0].joints, right.hands[0].joints * mirror, atol=1e-6)
    np.testing.assert_allclose(left.hands[0].vertices, right.hands[0].vertices * mirror, atol=1e-6)
    translation = right.objects[0].translation * mirror
    np.testing.assert_allclose(left.objects[0].translation, translation, atol=1e-5)


def _mirrored(frame: Frame) -> Frame:
    """The frame in a mirror, its hands renamed."""
    other = {"right_hand": "left_hand", "left_hand": "right_hand"}
    width = frame.camera.width
    assert frame.depth is not None
    return Frame(
        np.ascontiguousarray(frame.image[:, ::-1]),
        replace(frame.camera, cx=width - 1 - frame.camera.cx),
        np.ascontiguousarray(frame.depth[:, ::-1]),
        tuple(
            Detection(other.get(d.label, d.label), mirrored(d.box, width), d.score)
            for d in frame.detections
        ),
        frame.stamp,
    )


def test_a_mirrored_video_gives_the_mirrored_estimates(estimator: Estimator) -> None:
    """With what is remembered from frame to frame: predictions, held boxes, smoothing."""
    rng = np.random.default_rng(1)
    frames = []
    for number in range(4):
        depth = rng.uniform(0.59, 0.61, (480, 640)).astype(np.float32)
        x, y = 250 + 9 * number, 180 - 4 * number
        box = Detection("right_hand", Box(x, y, x + 131.5, y + 140.0), 0.9)
        frames.append(replace(_frame(box, stamp=number / 30), depth=depth))
    right = [estimator(frame) for frame in frames]
    estimator.reset()
    left = [estimator(_mirrored(frame)) for frame in frames]
    flip = np.array([-1.0, 1.0, 1.0])
    for one, other in zip(right, left, strict=True):
        assert other.hands[0].side is Side.LEFT
        np.testing.assert_allclose(other.hands[0].vertices, one.hands[0].vertices * flip, atol=1e-3)
        np.testing.assert_allclose(
            other.hands[0].root.position, one.hands[0].root.position * flip, atol=1e-9
        )
        assert other.hands[0].roi == mirrored(one.hands[0].roi, 640)


def test_hands_in_one_batch_are_as_each_alone(estimator: Estimator) -> None:
    """The two fields of a batch share their number of points evaluated, not their result."""
    known = estimator.config
    looks = [
        Look(_frame(), HandRegion(side, 1.0, HAND, held), root_given(np.array(wrist), known))
        for side, held, wrist in (
            (Side.RIGHT, HELD, (0.01, 0.02, 0.6)),
            (Side.LEFT, None, (-0.05, 0.0, 0.45)),
            (Side.LEFT, HELD, (0.03, 0.01, 0.9)),
        )
    ]
    output = estimator.network.backend(joined([estimator.inputs(look) for look in looks]))
    for look, raw in zip(looks, estimator.read(output, looks), strict=True):
        hand, held = estimator.place(raw, look)
        alone, held_alone, _ = estimator.estimate(look.frame, look.region, look.root)
        np.testing.assert_allclose(hand.vertices, alone.vertices, atol=1e-5)
        assert (held is None) == (held_alone is None) == (look.region.held is None)
        if held is not None and held_alone is not None:
            np.testing.assert_allclose(held.translation, held_alone.translation, atol=1e-5)
            np.testing.assert_allclose(held.rotation, held_alone.rotation, atol=1e-4)


def test_ids_stay_from_frame_to_frame_and_are_new_after_a_gap(estimator: Estimator) -> None:
    ids = [estimator(_frame(HAND, stamp=t)).hands[0].id for t in (10.0, 10.1, 10.2, 11.0)]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_the_same_weights_on_every_start(estimator: Estimator) -> None:
    other = Estimator(EstimatorConfig(weights=""))
    assert other.describe().weights_hash == estimator.describe().weights_hash
    assert not other.describe().trained


def test_settings_that_may_change_take_effect(estimator: Estimator) -> None:
    before = estimator.config
    estimator.update(replace(before, side="left", object_id="003_cracker_box"))
    try:
        estimate = estimator(_frame(HAND, HELD))
    finally:
        estimator.update(before)
    assert estimate.hands[0].side is Side.LEFT
    assert estimate.objects[0].object_id == "003_cracker_box"


def test_overlays_draw_on_a_copy(estimator: Estimator) -> None:
    frame = _frame(HAND, HELD)
    estimate = estimator(frame)
    faces = {Side.RIGHT: estimator.faces(Side.RIGHT)}
    meshes = {HELD.label: estimator.object_mesh(HELD.label)}
    before = frame.image.copy()
    drawn = draw(frame.image, estimate, CAMERA, faces, meshes)
    np.testing.assert_array_equal(frame.image, before)
    assert (drawn != before).any()
    beside = side_view((320, 240), estimate, faces, meshes)
    assert beside.shape == (240, 320, 3)
    assert len(np.unique(beside.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(
    ("config", "error", "part"),
    [
        (EstimatorConfig(preset="huge"), ConfigError, "huge"),
        (EstimatorConfig(hand_model_dir="/no/such/folder"), HandModelError, "/no/such/folder"),
        (EstimatorConfig(object_dir="/no/such/folder"), MeshError, "/no/such/folder"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    config: EstimatorConfig, error: type[Exception], part: str
) -> None:
    with pytest.raises(error, match=part):
        Estimator(config)


def test_an_unknown_object_is_refused_with_the_known_ones(estimator: Estimator) -> None:
    with pytest.raises(MeshError, match="035_power_drill"):
        estimator.object_mesh("no_such_thing")


def test_random_masks_move_no_wrist(estimator: Estimator) -> None:
    estimate = estimator(_frame(HAND))
    assert estimate.times.refine_ms == 0
    assert not estimate.notes
