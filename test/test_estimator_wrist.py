"""Where the wrist is: moved onto the depth or the landmarks, and not believed when they differ."""

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
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, Estimate, Frame, Mesh, Root
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import Region, region_of_landmarks
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.looking.look import joints_of
from hoisdf_ros.looking.wrist import at
from hoisdf_ros.network.io import HandParameters, NetworkInput, NetworkOutput
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.crop import make_crop
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
    other = Estimator(EstimatorConfig(weights=""))
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
    (hand,) = estimate.hands
    assert np.linalg.eigvalsh(hand.root.covariance)[0] > 0.06**2  # and says that it is a guess


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


class _Blind:
    """A detector that sees no hand anywhere."""

    def windows(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        return (Box(-0.5, -0.5, image.shape[1] - 0.5, image.shape[0] - 0.5),)

    def find(self, *_: object) -> tuple[DetectedHand, ...]:
        return ()

    def follow(self, _: NDArray[np.uint8], regions: Sequence[Region]) -> tuple[None, ...]:
        return (None,) * len(regions)


def test_a_followed_hand_that_the_landmarks_miss_is_less_sure(
    placed: tuple[Estimator, Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator, frame = placed
    monkeypatch.setattr(estimator.sighter, "detector", _Blind())
    given = estimator(frame).hands[0].root.covariance
    missed = estimator(replace(frame, detections=(), stamp=1 / 30)).hands[0].root.covariance
    _told(estimator)
    more = np.linalg.eigvalsh(missed)[0] - np.linalg.eigvalsh(given)[0]
    assert more == pytest.approx(0.06**2, rel=0.1)


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
    off = estimate.hands[0].root.position - WRIST
    assert np.linalg.norm(off) < 0.04  # palm, joints and outline do not say quite the same
    assert np.linalg.norm(off - WRIST * (off @ WRIST) / (WRIST @ WRIST)) < 0.006  # across the ray
    assert not estimate.notes
    assert estimate.hands[0].root.source is RootSource.DETECTION
    assert estimate.hands[0].side is Side.RIGHT
    variances = np.linalg.eigvalsh(estimate.hands[0].root.covariance)
    assert 0.02**2 < variances[-1] - variances[0] < 0.07**2  # along the ray, unlike across it
    _told(estimator)
    again = estimator(replace(frame, stamp=1 / 30))
    assert again.hands[0].id == estimate.hands[0].id
    assert len(_told(estimator)) == 1  # a hand that is followed is where it was expected


def test_without_depth_a_followed_wrist_does_not_jump_with_the_size(
    seeing: tuple[Estimator, Frame],
) -> None:
    estimator, frame = seeing
    detector = estimator.sighter.detector
    assert isinstance(detector, _Landmarks)
    first = estimator(frame).hands[0].root.position[2]
    seen = detector.hand
    middle = seen.landmarks.mean(axis=0)
    detector.hand = replace(seen, landmarks=middle + 0.75 * (seen.landmarks - middle))
    second = estimator(replace(frame, stamp=1 / 30)).hands[0].root.position[2]
    _told(estimator)
    assert first < second < first / 0.85


@pytest.mark.parametrize(
    ("scale", "note", "hands"),
    [(0.7, "wrist not refined: palm, joints and outline put it at", 1), (0.3, "it is none", 0)],
)
def test_landmarks_that_contradict_the_outline_are_not_believed(
    seeing: tuple[Estimator, Frame], scale: float, note: str, hands: int
) -> None:
    estimator, frame = seeing
    detector = estimator.sighter.detector
    assert isinstance(detector, _Landmarks)
    seen = detector.hand
    middle = seen.landmarks.mean(axis=0)
    small = replace(seen, landmarks=middle + scale * (seen.landmarks - middle))
    detector.hand = small
    estimate = estimator(frame)
    _told(estimator)
    assert any(note in said for said in estimate.notes)
    assert len(estimate.hands) == hands
    for hand in estimate.hands:
        along = hand.root.position / np.linalg.norm(hand.root.position)
        assert np.sqrt(along @ hand.root.covariance @ along) > 0.1


def test_a_hand_that_the_border_cuts_is_less_sure(placed: tuple[Estimator, Frame]) -> None:
    """The same look, once with half of the joints beyond the border."""
    estimator, frame = placed
    root, region = rough(), HandRegion(Side.RIGHT, 1.0, frame.detections[0], None)
    done = estimator.looker(Look(frame, region, root))
    _told(estimator)
    left = int(np.median(project(joints_of(done), CAMERA)[:, 0]))
    narrow = Frame(np.ascontiguousarray(frame.image[:, :left]), replace(CAMERA, width=left))
    whole, cut = (
        at(estimator.looker, replace(done, look=replace(done.look, frame=seen)), root, [])
        for seen in (frame, narrow)
    )
    share = float((project(joints_of(whole), CAMERA)[:, 0] > left - 1).mean())
    assert 0.2 < share < 0.8
    more = cut.look.root.covariance - whole.look.root.covariance
    np.testing.assert_allclose(more, (0.06 * share) ** 2 * np.eye(3), atol=1e-9)


def rough() -> Root:
    return Root(WRIST, np.eye(3) * 0.01**2, RootSource.DEPTH)


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
