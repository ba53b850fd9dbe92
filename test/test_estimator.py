"""The pipeline in one piece, with untrained weights: frames in, estimates or silence out."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.data.render import Background, Item, Renderer
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, Estimate, Frame, Mesh
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import Region, region_of_landmarks
from hoisdf_ros.errors import ConfigError, HandModelError, HoisdfError, MeshError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.network.io import HandParameters, NetworkInput, NetworkOutput, joined
from hoisdf_ros.postprocessing.overlay import draw, side_view
from hoisdf_ros.preprocessing.boxes import HandRegion, mirrored
from hoisdf_ros.preprocessing.crop import make_crop
from hoisdf_ros.preprocessing.roots import root_given

CAMERA = Camera(615, 615, 320.0, 240.0, 640, 480)
HAND = Detection("right_hand", Box(250, 180, 380, 320), 0.9)
HELD = Detection("006_mustard_bottle", Box(300, 150, 400, 330), 0.8)


@pytest.fixture(scope="module")
def loaded() -> Estimator:
    return Estimator(EstimatorConfig())


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
        depth = rng.uniform(0.58, 0.62, (480, 640)).astype(np.float32)
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
    other = Estimator(EstimatorConfig())
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


class _Fixed:
    """Stands for a network that always sees the same posed hand, and its mask.

    Args:
        output: What it says of anything.
    """

    name, precision, device = "eager", "fp32", "cpu"
    notes: tuple[str, ...] = ()

    def __init__(self, output: NetworkOutput) -> None:
        self.output = output
        self.roots: list[Array] = []

    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        """The same; the wrist it was given is kept."""
        self.roots.append(inputs.hand_root[0].numpy().astype(float))
        return self.output


WRIST = np.array([0.03, 0.02, 0.6])


@pytest.fixture(scope="module")
def placed_once(loaded: Estimator) -> tuple[Estimator, Frame]:
    """An estimator whose network sees a flat hand as it is, and the frame with that hand."""
    estimator = loaded
    flat = torch.eye(3).expand(1, 16, 3, 3)
    with torch.no_grad():
        hand = estimator.hand_model(flat, torch.zeros(1, 10))
    mesh = Mesh(hand.vertices[0].double().numpy(), estimator.faces(Side.RIGHT).astype(np.int32))
    wall = Background(np.zeros((480, 640, 3), np.uint8), np.full((480, 640), 1.3, np.float32))
    try:
        with closing(Renderer(CAMERA)) as renderer:
            drawn = renderer.render([Item(mesh, 1, np.eye(3), WRIST)], wall)
    except HoisdfError as error:
        pytest.skip(f"nothing to draw with: {error}")
    rows, columns = np.nonzero(drawn.ids)
    around = Box(columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
    frame = Frame(drawn.image, CAMERA, drawn.depth, (Detection("right_hand", around),))
    crop = make_crop(around, around, CAMERA, estimator.network.config, mirror=False)
    mask = torch.from_numpy(crop.apply(drawn.ids)[::2, ::2]).float()[None, None]
    root = root_given(WRIST, estimator.config)
    region = HandRegion(Side.RIGHT, 1.0, frame.detections[0], None)
    said = estimator.network.backend(estimator.inputs(Look(frame, region, root)))
    said = said._replace(
        features=said.features._replace(hand_mask=mask, object_mask=torch.zeros_like(mask)),
        hand=HandParameters(flat, torch.zeros(1, 10)),
    )
    other = Estimator(EstimatorConfig())
    other.network = replace(other.network, backend=_Fixed(said), weights="fixed.pth")
    return other, frame


@pytest.fixture
def placed(placed_once: tuple[Estimator, Frame]) -> tuple[Estimator, Frame]:
    """It remembers no hand of another test."""
    placed_once[0].reset()
    return placed_once


def _told(estimator: Estimator) -> list[Array]:
    backend = estimator.network.backend
    assert isinstance(backend, _Fixed)
    roots, backend.roots = backend.roots, []
    return roots


def _wrist_error(estimate: Estimate) -> float:
    (hand,) = estimate.hands
    np.testing.assert_allclose(hand.joints[0], hand.root.position)
    np.testing.assert_allclose(hand.mano.translation, hand.root.position)
    return float(np.linalg.norm(hand.root.position - WRIST))


def test_the_wrist_is_moved_onto_the_depth_and_looked_at_again(
    placed: tuple[Estimator, Frame],
) -> None:
    estimator, frame = placed
    estimate = estimator(frame)
    assert _wrist_error(estimate) < 0.003
    first, second = _told(estimator)
    assert np.linalg.norm(first - WRIST) > 0.03  # the box's middle
    np.testing.assert_allclose(second, WRIST, atol=0.003)
    assert not estimate.notes
    assert estimate.times.refine_ms > 0


@pytest.mark.parametrize(
    ("change", "passes", "refined"),
    [({"second_pass_mm": 200.0}, 1, True), ({"refine_root": False}, 1, False)],
)
def test_refinement_can_be_limited(
    placed: tuple[Estimator, Frame], change: dict[str, Any], passes: int, refined: bool
) -> None:
    estimator, frame = placed
    estimator.update(replace(estimator.config, **change))
    try:
        estimate = estimator(frame)
    finally:
        estimator.update(EstimatorConfig())
    assert len(_told(estimator)) == passes
    assert (_wrist_error(estimate) < 0.003) == refined
    assert not estimate.notes


def test_a_given_wrist_is_never_moved(placed: tuple[Estimator, Frame]) -> None:
    estimator, frame = placed
    root = root_given(WRIST + 0.02, estimator.config)
    region = HandRegion(Side.RIGHT, 1.0, frame.detections[0], None)
    hand, _, _ = estimator.estimate(frame, region, root)
    assert len(_told(estimator)) == 1
    assert hand.root is root
    np.testing.assert_allclose(hand.joints[0], root.position)


def test_a_wrist_that_depth_does_not_confirm_stays_and_is_noted(
    placed: tuple[Estimator, Frame],
) -> None:
    estimator, frame = placed
    noise = np.random.default_rng(0).uniform(0.5, 0.9, (480, 640)).astype(np.float32)
    estimate = estimator(replace(frame, depth=noise))
    (note,) = estimate.notes
    assert note.startswith("right_hand: wrist not refined")
    assert len(_told(estimator)) == 1
    assert _wrist_error(estimate) > 0.03


def test_random_masks_move_no_wrist(estimator: Estimator) -> None:
    estimate = estimator(_frame(HAND))
    assert estimate.times.refine_ms == 0
    assert not estimate.notes


class _Landmarks:
    """A detector that sees one hand's joints where they are.

    Args:
        joints: (21, 3) metres, camera frame.
        scale: Times as large as it is that the hand is thought to be.
    """

    def __init__(self, joints: Array, scale: float) -> None:
        pixels = project(joints, CAMERA)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        world = scale * (joints - joints[0])
        self.hand = DetectedHand(
            Box(*low, *high), pixels, world, 0.9, 0.9, region_of_landmarks(pixels)
        )

    def windows(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        return (Box(-0.5, -0.5, image.shape[1] - 0.5, image.shape[0] - 0.5),)

    def find(self, _: NDArray[np.uint8], windows: Sequence[Box]) -> tuple[DetectedHand, ...]:
        return (self.hand,) if windows else ()

    def follow(
        self, _: NDArray[np.uint8], regions: Sequence[Region]
    ) -> tuple[DetectedHand | None, ...]:
        return (self.hand,) * len(regions)


@pytest.fixture
def seeing(placed: tuple[Estimator, Frame]) -> Iterator[tuple[Estimator, Frame]]:
    """Nothing is given but picture and camera; the network and the landmarks see the hand."""
    estimator, frame = placed
    with torch.no_grad():
        flat = torch.eye(3).expand(1, 16, 3, 3)
        hand = estimator.hand_model(flat, torch.zeros(1, 10)).joints[0].double().numpy()
    before = estimator.sighter.detector
    estimator.sighter.detector = _Landmarks(hand + WRIST, scale=1.12)
    estimator.update(EstimatorConfig(depth_mode="none"))
    yield estimator, replace(frame, depth=None, detections=())
    estimator.sighter.detector = before
    estimator.update(EstimatorConfig())


def test_without_depth_the_wrist_is_where_the_joints_are_seen(
    seeing: tuple[Estimator, Frame],
) -> None:
    estimator, frame = seeing
    estimate = estimator(frame)
    assert _wrist_error(estimate) < 0.002
    assert estimate.hands[0].root.source is RootSource.DETECTION
    assert estimate.hands[0].side is Side.RIGHT
    first, second = _told(estimator)
    assert first[2] - WRIST[2] > 0.05  # by the landmarks' own idea of its size
    np.testing.assert_allclose(second, WRIST, atol=0.002)
    again = estimator(replace(frame, stamp=1 / 30))
    assert again.hands[0].id == estimate.hands[0].id
    assert len(_told(estimator)) == 1  # a hand that is followed is where it was expected


def test_a_wrist_that_contradicts_the_landmarks_is_not_believed(
    seeing: tuple[Estimator, Frame],
) -> None:
    estimator, frame = seeing
    detector = estimator.sighter.detector
    assert isinstance(detector, _Landmarks)
    estimator.sighter.detector = _Landmarks(detector.hand.world / 1.12 + WRIST, scale=3.0)
    estimate = estimator(frame)
    assert any("from where the landmarks alone put it" in note for note in estimate.notes)
    _told(estimator)


def test_where_the_network_sees_no_hand_there_is_none(
    placed: tuple[Estimator, Frame],
) -> None:
    estimator, frame = placed
    backend = estimator.network.backend
    assert isinstance(backend, _Fixed)
    said, features = backend.output, backend.output.features
    nothing = torch.zeros_like(features.hand_mask)
    backend.output = said._replace(features=features._replace(hand_mask=nothing))
    try:
        estimate = estimator(frame)
    finally:
        backend.output = said
    _told(estimator)
    assert not estimate.hands
    assert any("left out: the network sees hand in 0% of the box" in n for n in estimate.notes)
    assert not estimator.tracker.tracks


def test_a_hand_seen_twice_is_one_hand(placed: tuple[Estimator, Frame]) -> None:
    estimator, frame = placed
    estimate = estimator(replace(frame, detections=frame.detections * 2))
    _told(estimator)
    assert len(estimate.hands) == 1
    assert any("the same hand as number" in note for note in estimate.notes)
