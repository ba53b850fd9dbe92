"""``hoisdf predict``: one picture in, an overlay and a JSON out."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.cli.weights import add_weights_options, weights_of
from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import JOINT_NAMES, UNTRAINED_WARNING
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, EstimatorInfo, Frame
from hoisdf_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from hoisdf_ros.estimator import Estimator


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("predict", help="hand and held object in one picture")
    parser.add_argument("image", type=Path, help="picture, undistorted")
    parser.add_argument("--camera", required=True, metavar="FX,FY,CX,CY", help="pixels")
    parser.add_argument("--hand-box", metavar="X0,Y0,X1,Y1", help="pixels; leave out: found")
    parser.add_argument("--object-box", metavar="X0,Y0,X1,Y1", help="pixels; leave out: found")
    parser.add_argument("--object-id", default="", help="which mesh the object is")
    parser.add_argument(
        "--side", choices=("right", "left"), help="usually right in a box that is given, else found"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--root", metavar="X,Y,Z", help="wrist of the hand in --hand-box, camera frame, metres"
    )
    place.add_argument(
        "--depth",
        type=Path,
        help="16-bit PNG registered to the picture, mm; without it and --root by the hand's size",
    )
    add_weights_options(parser)
    parser.add_argument("--hand-model-dir", default="", help="folder with MANO_RIGHT.pkl or .npz")
    parser.add_argument("--object-dir", default="", help="folder of meshes")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the two files")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write ``<name>_overlay.png`` and ``<name>_estimate.json``; 1 when nothing was found."""
    from hoisdf_ros.estimator import Estimator

    frame = _frame(options)
    estimator = Estimator(
        EstimatorConfig(
            weights=weights_of(options),
            preset=options.preset,
            hand_model_dir=options.hand_model_dir,
            object_dir=options.object_dir,
            object_id=options.object_id,
            device=options.device,
            hand_detector="external" if options.hand_box else "builtin",
            side=options.side or "auto",
            depth_mode="none" if options.depth is None else "aligned",
            smoothing=False,
        )
    )
    if options.object_id:
        estimator.object_mesh(options.object_id)  # refuses one that the library lacks
    estimate = _estimate(estimator, frame, options)
    info = estimator.describe()
    document = document_of(estimate, info, frame.camera)
    paths = _write(options, document, _overlay(estimator, frame, estimate))
    for note in estimate.notes:
        print(f"note: {note}")
    if not info.trained:
        print(UNTRAINED_WARNING)
    if not estimate.hands and not options.hand_box:
        print("note: no hand found; name it by --hand-box if there is one")
    print(f"{len(estimate.hands)} hand, {len(estimate.objects)} object")
    print(*paths, sep="\n")
    return 0 if estimate.hands else 1


def numbers(text: str, count: int, option: str) -> list[float]:
    """``count`` finite numbers separated by commas.

    Raises:
        ConfigError: They are not.
    """
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise ConfigError(
            f"{option} '{text}': expected {count} finite numbers separated by commas, without "
            "spaces"
        )
    return values


def document_of(estimate: Estimate, info: EstimatorInfo, camera: Camera) -> dict[str, Any]:
    """The estimate as plain JSON: metres, radians, camera optical frame; null is unknown."""
    document = {
        "frame": "camera optical frame: x right, y down, z forward; metres, radians",
        "joint_names": JOINT_NAMES,
        "camera": camera,
        "model": info,
        "hands": estimate.hands,
        "objects": estimate.objects,
        "times": estimate.times,
        "notes": estimate.notes,
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def _frame(options: argparse.Namespace) -> Frame:
    import cv2

    from hoisdf_ros.preprocessing.boxes import check_in_image

    picture = _picture(options.image, cv2.IMREAD_COLOR, "a picture (PNG, JPEG)")
    height, width = picture.shape[:2]
    fx, fy, cx, cy = numbers(options.camera, 4, "--camera")
    camera = Camera(fx, fy, cx, cy, width, height)
    image = np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)
    detections = []
    if options.hand_box:
        hand = _detection(f"{options.side or 'right'}_hand", options.hand_box, "--hand-box")
        check_in_image(hand.box, camera)
        detections.append(hand)
    elif options.root is not None:
        raise ConfigError(f"--root '{options.root}': of which hand? Give its --hand-box, too")
    if options.object_box:
        label = options.object_id or "object"
        detections.append(_detection(label, options.object_box, "--object-box"))
    return Frame(image, camera, _depth(options.depth), tuple(detections))


def _depth(path: Path | None) -> NDArray[np.float32] | None:
    import cv2

    if path is None:
        return None
    expected = "a 16-bit single-channel PNG in millimetres"
    stored = _picture(path, cv2.IMREAD_UNCHANGED, expected)
    if stored.dtype != np.uint16 or stored.ndim != 2:
        raise ImageError(f"{path} is {stored.dtype} {stored.shape}: expected {expected}")
    return np.where(stored > 0, stored / np.float32(1000), np.nan).astype(np.float32)


def _picture(path: Path, flags: int, expected: str) -> NDArray[Any]:
    """Decode a picture; OpenCV's own reader writes to the terminal when there is none."""
    import cv2

    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ImageError(
            f"{path}: {error.strerror}; expected {expected}, check the path"
        ) from error
    picture = cv2.imdecode(content, flags) if len(content) else None
    if picture is None:
        raise ImageError(f"{path} is no picture: expected {expected}; it may be damaged")
    return np.asarray(picture)


def _detection(label: str, text: str, option: str) -> Detection:
    return Detection(label, Box(*numbers(text, 4, option)))


def _estimate(estimator: "Estimator", frame: Frame, options: argparse.Namespace) -> Estimate:
    from hoisdf_ros.preprocessing.boxes import find_hands
    from hoisdf_ros.preprocessing.roots import root_given

    if not options.hand_box:
        return _searched(estimator, frame)
    if options.root is None:
        return estimator(frame)
    root = root_given(np.array(numbers(options.root, 3, "--root")), estimator.config)
    (region,) = find_hands(frame.detections, estimator.config)
    hand, held, times = estimator.estimate(frame, region, root)
    return Estimate((hand,), (held,) if held else (), times)


def _searched(estimator: "Estimator", frame: Frame) -> Estimate:
    """The first hands seen while the detector looks at one part of the picture after the other."""
    from hoisdf_ros.tracking.search import IDLE_TILES

    detector = estimator.sighter.detector
    parts = 1 if detector is None else len(detector.windows(frame.image))
    estimate = estimator(frame)
    for number in range(1, 1 + parts // IDLE_TILES):
        if estimate.hands:
            break
        estimate = estimator(dataclasses.replace(frame, stamp=number / 30))
    return estimate


def _write(
    options: argparse.Namespace, document: dict[str, Any], picture: NDArray[np.uint8]
) -> tuple[Path, Path]:
    """Write both files, each whole or not at all."""
    from hoisdf_ros.atomic import write_atomically
    from hoisdf_ros.data.atomic import write_picture

    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    json_path = options.out / f"{options.image.stem}_estimate.json"
    picture_path = options.out / f"{options.image.stem}_overlay.png"
    try:
        write_atomically(json_path, lambda file: file.write(text.encode()))
        write_picture(picture_path, picture)
    except OSError as error:
        raise ConfigError(
            f"--out {options.out}: '{json_path.name}' and '{picture_path.name}' cannot be "
            f"written there ({error.strerror}); expected a folder that you may write to, with "
            "room in it: choose another"
        ) from error
    return json_path, picture_path


def _overlay(estimator: "Estimator", frame: Frame, estimate: Estimate) -> NDArray[np.uint8]:
    from hoisdf_ros.postprocessing.overlay import caption, draw

    known = [held.object_id for held in estimate.objects if held.object_id in estimator.objects.ids]
    meshes = {object_id: estimator.object_mesh(object_id) for object_id in known}
    faces = {hand.side: estimator.faces(hand.side) for hand in estimate.hands}
    picture = draw(frame.image, estimate, frame.camera, faces, meshes)
    if estimator.describe().trained:
        return picture
    return caption(picture, UNTRAINED_WARNING, warning=True)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Dataclasses, enums and arrays as JSON has them; NaN becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.name.lower() if hasattr(value, "name") and hasattr(value, "value") else value
