"""What crosses the borders between rooms: small frozen dataclasses of NumPy arrays.

Tensors stay inside `network`, `hand_model` and `runtime`; messages stay inside `ros`.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import NameSource, RootSource, Side
from hoisdf_ros.errors import CameraError, ImageError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion.

    Args:
        fx, fy: Focal lengths, pixels.
        cx, cy: Principal point, pixels, integer values at pixel centres.
        width, height: Image size, pixels.
        frame_id: Name of the optical frame; empty outside ROS.

    Raises:
        CameraError: An intrinsic is not finite, a focal length or the size is not positive.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    frame_id: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot project a point."""
        intrinsics = (self.fx, self.fy, self.cx, self.cy)
        if not np.isfinite(intrinsics).all() or min(self.fx, self.fy) <= 0:
            raise CameraError(
                f"camera intrinsics fx, fy, cx, cy = {intrinsics}: expected finite values and "
                "positive focal lengths; calibrate the camera or fix its camera_info"
            )
        if min(self.width, self.height) <= 0:
            raise CameraError(
                f"camera size {self.width}x{self.height}: expected a positive width and height"
            )

    @property
    def matrix(self) -> Array:
        """(3, 3) intrinsics K, pixels."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in pixels, x0 <= x1 and y0 <= y1."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        """Refuse boxes that enclose nothing."""
        corners = (self.x0, self.y0, self.x1, self.y1)
        if not np.isfinite(corners).all() or self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ImageError(
                f"box x0, y0, x1, y1 = {corners}: expected finite pixels with x0 < x1 and y0 < y1"
            )

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, pixels."""
        return self.x1 - self.x0, self.y1 - self.y0

    def array(self) -> Array:
        """(4,) x0, y0, x1, y1."""
        return np.array([self.x0, self.y0, self.x1, self.y1])


@dataclass(frozen=True)
class Detection:
    """A labelled box from outside.

    Args:
        label: ``left_hand``, ``right_hand`` or an object id such as ``006_mustard_bottle``.
        box: Where it is, pixels of the input image.
        score: Confidence in [0, 1].
    """

    label: str
    box: Box
    score: float = 1.0


@dataclass(frozen=True)
class Frame:
    """One camera frame, as the estimator sees it.

    Args:
        image: (H, W, 3) uint8 RGB.
        camera: Intrinsics of ``image``.
        depth: (H, W) float32 metres registered to ``image``, NaN where unknown; or None.
        detections: Boxes from outside, pixels of ``image``.
        stamp: Acquisition time, seconds.

    Raises:
        ImageError: Image or depth disagree with each other or with the camera.
    """

    image: NDArray[np.uint8]
    camera: Camera
    depth: NDArray[np.float32] | None = None
    detections: tuple[Detection, ...] = ()
    stamp: float = 0.0

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong to one camera."""
        expected = (self.camera.height, self.camera.width)
        if self.image.shape != (*expected, 3) or self.image.dtype != np.uint8:
            raise ImageError(
                f"image is {self.image.dtype} {self.image.shape}, expected uint8 {(*expected, 3)} "
                "as the camera says; use the camera_info of this image"
            )
        if self.depth is not None and self.depth.shape != expected:
            raise ImageError(
                f"depth is {self.depth.shape}, the image {expected}: depth is not registered to "
                "the image; enable align_depth in the camera driver"
            )


@dataclass(frozen=True)
class Root:
    """A wrist position in the camera frame.

    Args:
        position: (3,) metres.
        covariance: (3, 3) square metres, mostly along the ray; NaN when unknown.
        source: Where it came from.
    """

    position: Array
    covariance: Array
    source: RootSource


@dataclass(frozen=True)
class ManoParameters:
    """Hand model parameters of one hand (its own side), on a flat mean.

    Args:
        orient: (3,) rotation vector of the wrist in the camera frame, radians.
        pose: (45,) rotation vectors of the 15 finger joints in MANO's order, radians.
        betas: (10,) shape.
        translation: (3,) wrist in the camera frame, metres.
    """

    orient: Array
    pose: Array
    betas: Array
    translation: Array


@dataclass(frozen=True)
class HandEstimate:
    """One hand in the camera frame.

    Args:
        id: Stays the same while the hand is followed.
        side: The person's side.
        side_score, score: Confidence of the side and of the hand, in [0, 1].
        joints: (21, 3) metres, NaN where not valid.
        joint_stddev: (21,) metres, spread of the point votes; NaN where unknown.
        joints_uv: (21, 2) pixels of the input image.
        vertices: (778, 3) metres.
        wrist_rotation: (3, 3) camera-from-wrist; x towards the middle knuckle, z out of the back
            of the hand.
        mano: Hand model parameters.
        root: Wrist position, covariance and source the estimate was built on.
        roi: The hand's box in the input image, pixels.
    """

    id: int
    side: Side
    side_score: float
    score: float
    joints: Array
    joint_stddev: Array
    joints_uv: Array
    vertices: Array
    wrist_rotation: Array
    mano: ManoParameters
    root: Root
    roi: Box


@dataclass(frozen=True)
class Naming:
    """Which object is held, and how sure that is.

    Args:
        source: Who says so.
        score: Probability of the name, in [0, 1]; of the detection where that says it, 1 where a
            setting does.
        runner_up_id: The next best known object; empty when nobody asked.
        runner_up_score: Its probability, in [0, 1].
        held_score: Probability that anything is held, in [0, 1]; NaN when nobody asked.
    """

    source: NameSource = NameSource.DETECTED
    score: float = 1.0
    runner_up_id: str = ""
    runner_up_score: float = 0.0
    held_score: float = float("nan")


@dataclass(frozen=True)
class ObjectEstimate:
    """One held object in the camera frame.

    Args:
        id: Stays the same while the object is followed.
        object_id: Name in the object library, such as ``006_mustard_bottle``, or ``unknown``.
        hand_id: Id of the hand that holds it.
        score: Confidence in [0, 1].
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) origin of the mesh frame, metres.
        covariance: (6, 6) of translation (m) and rotation (rad): of the fit to the depth, else
            from the spread of the point votes; None when unknown.
        size: (3,) extent of the mesh in its own frame, metres.
        min_hand_distance: Smallest distance between hand and object surface, metres; negative
            means penetration; NaN when unknown.
        joint_contact: (21,) bool, joints whose skin touches the object.
        roi: The object's box in the input image, pixels.
        naming: How it got its name.
        surface: Of an unknown object, as the network's field has it, in the mesh frame, whose
            rotation then means nothing; else None.
    """

    id: int
    object_id: str
    hand_id: int
    score: float
    rotation: Array
    translation: Array
    covariance: Array | None
    size: Array
    min_hand_distance: float
    joint_contact: NDArray[np.bool_]
    roi: Box
    naming: Naming = field(default_factory=Naming)
    surface: "Mesh | None" = None


@dataclass(frozen=True)
class StageTimes:
    """Wall time of the steps of one estimate, milliseconds; of two passes the sum."""

    preprocess_ms: float = 0.0
    network_ms: float = 0.0
    refine_ms: float = 0.0
    postprocess_ms: float = 0.0
    detect_ms: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """All hands and held objects of one frame; empty when there is nothing to see."""

    hands: tuple[HandEstimate, ...] = ()
    objects: tuple[ObjectEstimate, ...] = ()
    times: StageTimes = field(default_factory=StageTimes)
    notes: tuple[str, ...] = ()
    """Why a detected hand is not among the results, or its wrist is no better than at first."""


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in its own frame.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) int vertex indices, counter-clockwise seen from outside.
        uv: (V, 2) texture coordinates, v upwards, or None.
        texture: (H, W, 3) uint8 RGB, first row at v = 1, or None.
        path: The file it was read from, or None.
    """

    vertices: Array
    faces: NDArray[np.int32]
    uv: Array | None = None
    texture: NDArray[np.uint8] | None = None
    path: Path | None = None

    @property
    def size(self) -> Array:
        """(3,) extent along the axes of its frame, metres."""
        extent: Array = np.ptp(self.vertices, axis=0)
        return extent


@dataclass(frozen=True)
class EstimatorInfo:
    """What runs: for the log's first line, diagnostics and reports.

    Args:
        weights: File name, or ``untrained``.
        weights_hash: Short hash of all weights.
        preset, backend, precision, device: What is in effect, not what was asked for.
        hand_model: File name of the hand model.
        objects: Known object ids.
        trained: False while the weights are random and poses mean nothing.
        detector: What finds hands: ``builtin``, or why nothing does.
        notes: Which compiled network runs, and why no faster backend does.
    """

    weights: str
    weights_hash: str
    preset: str
    backend: str
    precision: str
    device: str
    hand_model: str
    objects: tuple[str, ...]
    trained: bool
    detector: str
    notes: tuple[str, ...] = ()
