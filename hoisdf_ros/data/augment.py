"""A labelled picture as the network sees it in training: turned, jittered, recoloured.

The crop is `preprocessing.crop`'s, as in serving; the picture is resampled once. Everything in
metres turns with the picture about the optical axis, which intrinsics describe exactly: turning
pixels about any pixel is turning the scene, and moving the principal point.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Array, Box, Camera
from hoisdf_ros.errors import DataError
from hoisdf_ros.preprocessing.boxes import mirrored
from hoisdf_ros.preprocessing.crop import Crop, make_crop, mirrored_camera
from hoisdf_ros.preprocessing.roots import object_center

_CLIP = 2.0  # normal draws beyond so many standard deviations are clipped
_SMALLEST_BLUR_PX = 0.05
_LUMA = np.array([0.299, 0.587, 0.114])
_YIQ = np.array([_LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])


@dataclass(frozen=True)
class AugmentConfig:
    """How much each property of a picture varies (network.md section 11).

    Args:
        rotation_deg: In-plane rotation, standard deviation of a clipped normal.
        rotation_share: Share of samples that are turned so.
        any_rotation: Turn every sample by any angle instead, as for HO-3D.
        zoom: Largest change of the crop's scale.
        shift: Largest shift of the crop, as a share of its side.
        blur_px: Largest standard deviation of the blur.
        brightness, contrast, saturation: Largest change of each factor.
        hue: Largest change, as a share of the colour circle.
        root_along_m, root_across_m: Error of the wrist that is given, along the ray and across.
        box: Largest shift and change of size of a box, as a share of its size.
    """

    rotation_deg: float = 30.0
    rotation_share: float = 0.6
    any_rotation: bool = False
    zoom: float = 0.2
    shift: float = 0.1
    blur_px: float = 0.5
    brightness: float = 0.5
    contrast: float = 0.5
    saturation: float = 0.5
    hue: float = 0.15
    root_along_m: float = 0.02
    root_across_m: float = 0.01
    box: float = 0.1


@dataclass(frozen=True)
class Colour:
    """How a picture is recoloured: factors, and a hue shift as a share of the circle."""

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0


Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Variation:
    """One draw; the default leaves a sample as serving would see it.

    Args:
        angle: In-plane rotation, radians, from x to y.
        zoom: Factor of the crop's content.
        shift: x and y as a share of the crop's side.
        blur_px: Standard deviation, pixels of the crop.
        colour: Recolouring.
        root: (along the ray, across, across) metres.
        hand_box, object_box: Shift in x and y, factor of width and height minus one, as shares.
    """

    angle: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    blur_px: float = 0.0
    colour: Colour = Colour()
    root: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hand_box: Four = (0.0, 0.0, 0.0, 0.0)
    object_box: Four = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class View:
    """What the network is given of a sample, and how to bring its labels along.

    Args:
        image: (S, S, 3) uint8 RGB.
        crop: Where it comes from; also for masks.
        turn: (3, 3) view-from-camera, for points; a mirror and a turn about the optical axis.
        hand_root: (3,) wrist as it is given, metres, view frame.
        object_center: (3,) centre as it is given, likewise.
    """

    image: NDArray[np.uint8]
    crop: Crop
    turn: Array
    hand_root: Array
    object_center: Array

    def rotation(self, rotation: Array) -> Array:
        """(3, 3) camera-from-mesh rotation as one of the view, of the mesh mirrored if it is."""
        flip = MIRROR if self.crop.mirrored else np.eye(3)
        turned: Array = self.turn @ rotation @ flip
        return turned


def draw(config: AugmentConfig, rng: np.random.Generator) -> Variation:
    """Draw a variation; it takes the same numbers of ``rng`` whatever comes out."""
    turned = rng.random() < config.rotation_share
    normal, any_angle = np.clip(rng.standard_normal(), -_CLIP, _CLIP), rng.uniform(-np.pi, np.pi)
    angle = any_angle if config.any_rotation else turned * np.radians(config.rotation_deg) * normal
    even = rng.uniform(-1, 1, 15).tolist()
    along, *across = np.clip(rng.standard_normal(3), -_CLIP, _CLIP).tolist()
    colour = Colour(
        1 + config.brightness * even[0],
        1 + config.contrast * even[1],
        1 + config.saturation * even[2],
        config.hue * even[3],
    )
    hand_box, object_box = ([config.box * value for value in even[k : k + 4]] for k in (4, 8))
    return Variation(
        angle=float(angle),
        zoom=1 + config.zoom * even[12],
        shift=(config.shift * even[13], config.shift * even[14]),
        blur_px=config.blur_px * rng.random(),
        colour=colour,
        root=(
            config.root_along_m * along,
            config.root_across_m * across[0],
            config.root_across_m * across[1],
        ),
        hand_box=_four(hand_box),
        object_box=_four(object_box),
    )


def make_view(
    sample: Sample,
    config: NetworkConfig,
    variation: Variation = Variation(),
    object_corners: Array | None = None,
) -> View:
    """The network's view of a sample, varied.

    Args:
        sample: With the wrist and the hand's box at least.
        config: Of the network: size, margins, depth of the object's centre.
        variation: What to vary; the default gives what serving gives.
        object_corners: (8, 3) corners of the object mesh's own box, metres, camera frame of the
            sample; None, when the mesh is unknown, takes the turned box of the picture.

    Raises:
        DataError: The sample's wrist or hand box is unknown.
        ImageError: The boxes lie outside the image.
    """
    if sample.hand_root is None or sample.hand_box is None:
        raise DataError(
            f"sample '{sample.key}' has no wrist or no hand box, without which the network cannot "
            "look at it; train on samples that are usable"
        )
    mirror = sample.side is Side.LEFT
    flip = MIRROR if mirror else np.eye(3)
    camera = mirrored_camera(sample.camera) if mirror else sample.camera
    boxes = [sample.hand_box, sample.object_box or sample.hand_box]
    boxes = [mirrored(box, camera.width) for box in boxes] if mirror else boxes
    rolled, seen = _roll(variation.angle, boxes, camera)
    turn = _about_axis(variation.angle) @ flip
    if variation.angle != 0:
        points = (sample.joints, object_corners if sample.object_box else sample.joints)
        boxes = [
            _box(None if known is None else known @ turn.T, seen) or _rolled_box(box, rolled)
            for known, box in zip(points, boxes, strict=True)
        ]
    hand, held = map(_jittered, boxes, (variation.hand_box, variation.object_box))
    crop = make_crop(hand, held, seen, config, mirror=False)
    crop = _moved(crop, variation.zoom, variation.shift)
    crop = replace(crop, affine=(_square(crop.affine) @ rolled)[:2], mirrored=mirror)
    root = _off(turn @ sample.hand_root, variation.root)
    center = _center(held, config.object_depth or float(root[2]), seen, mirror=mirror)
    image = _recoloured(_blurred(crop.apply(sample.image), variation.blur_px), variation.colour)
    return View(image, crop, turn, root, center)


def _four(values: list[float]) -> Four:
    a, b, c, d = values
    return a, b, c, d


def _about_axis(angle: float) -> Array:
    """(3, 3) rotation about the optical axis."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _roll(angle: float, boxes: list[Box], camera: Camera) -> tuple[Array, Camera]:
    """Turn the picture about the middle of the boxes.

    Returns:
        (3, 3) map of pixels, and the camera that sees the turned scene there.
    """
    size = np.array([camera.width, camera.height])
    pivot = np.clip(np.mean([box.center for box in boxes], axis=0), 0, size)
    focal, principal = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    linear = focal[:, None] * _about_axis(angle)[:2, :2] / focal
    rolled = np.eye(3)
    rolled[:2, :2], rolled[:2, 2] = linear, pivot - linear @ pivot
    cx, cy = (linear @ (principal - pivot) + pivot).tolist() if angle else principal.tolist()
    return rolled, replace(camera, cx=cx, cy=cy)


def _box(points: Array | None, camera: Camera) -> Box | None:
    return None if points is None else box_around(points, camera)


def _rolled_box(box: Box, rolled: Array) -> Box:
    """Around the turned ellipse inside a box: nearer to what is in it than its turned corners."""
    half = np.linalg.norm(rolled[:2, :2] * np.array(box.size) / 2, axis=1)
    center = rolled[:2, :2] @ np.array(box.center) + rolled[:2, 2]
    return Box(*(center - half).tolist(), *(center + half).tolist())


def _jittered(box: Box, change: Four) -> Box:
    (cx, cy), (width, height) = box.center, box.size
    right, down, wider, higher = change
    if not any(change):
        return box
    cx, cy = cx + right * width, cy + down * height
    half_width, half_height = (1 + wider) * width / 2, (1 + higher) * height / 2
    return Box(cx - half_width, cy - half_height, cx + half_width, cy + half_height)


def _square(affine: Array) -> Array:
    return np.vstack([affine, [0.0, 0.0, 1.0]])


def _moved(crop: Crop, zoom: float, shift: tuple[float, float]) -> Crop:
    """The crop's content scaled about its middle and shifted."""
    offset = (1 - zoom) * crop.size / 2 + crop.size * np.array(shift)
    moved = np.eye(3)
    moved[[0, 1], [0, 1]], moved[:2, 2] = zoom, offset

    def box(old: Box) -> Box:
        corners = zoom * old.array() + np.tile(offset, 2)
        return Box(*corners.tolist())

    return replace(
        crop,
        affine=(moved @ _square(crop.affine))[:2],
        intrinsics=moved @ crop.intrinsics,
        hand_box=box(crop.hand_box),
        object_box=box(crop.object_box),
    )


def _off(root: Array, offset: tuple[float, float, float]) -> Array:
    """The wrist, off by metres along its ray and across."""
    ray = root / np.linalg.norm(root)
    right = np.cross([0.0, 1.0, 0.0], ray)
    right /= np.linalg.norm(right)
    moved: Array = root + np.stack([ray, right, np.cross(ray, right)], axis=1) @ np.array(offset)
    return moved


def _center(box: Box, depth: float, camera: Camera, *, mirror: bool) -> Array:
    """The object's centre as in serving, where a mirrored box's is taken before mirroring."""
    if not mirror:
        return object_center(box, depth, camera)
    center = object_center(mirrored(box, camera.width), depth, mirrored_camera(camera))
    flipped: Array = MIRROR @ center
    return flipped


def _blurred(image: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    if sigma < _SMALLEST_BLUR_PX:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)


def _recoloured(image: NDArray[np.uint8], colour: Colour) -> NDArray[np.uint8]:
    """One linear map of RGB, clipped once at the end."""
    if colour == Colour():
        return image
    angle = 2 * np.pi * colour.hue
    chroma = colour.saturation * _about_axis(angle)[:2, :2]
    mixed = np.eye(3)
    mixed[1:, 1:] = chroma
    linear = colour.brightness * np.linalg.inv(_YIQ) @ mixed @ _YIQ
    mean = float((image.reshape(-1, 3).mean(axis=0) @ linear.T) @ _LUMA)
    affine = np.hstack([colour.contrast * linear, np.full((3, 1), (1 - colour.contrast) * mean)])
    recoloured = cv2.transform(image.astype(np.float32), affine)
    return np.asarray(np.clip(np.rint(recoloured), 0, 255), dtype=np.uint8)
