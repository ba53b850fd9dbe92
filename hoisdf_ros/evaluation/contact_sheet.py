"""The best, the median and the worst predictions beside the truth, as one picture.

Which samples to show follows from their errors alone; only then are their pictures read again
and drawn, one at a time, so that a data set of any size fits.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hoisdf_ros.data.atomic import write_picture
from hoisdf_ros.datatypes import Array, Box, Camera, Mesh
from hoisdf_ros.errors import EvaluationError, reason
from hoisdf_ros.evaluation.results import Hand, SampleErrors
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.postprocessing.overlay import (
    HAND_COLOR,
    draw_joints,
    draw_outline,
    draw_surface,
)

Image = NDArray[np.uint8]

PANEL = 240
"""Side of a drawn crop, pixels."""

_MARGIN = 1.25  # of the crop around hand and object
_GAP, _BETWEEN, _CAPTION, _HEADING, _TITLE = 14, 3, 40, 30, 40  # pixels
_GROUND, _BEYOND = 255, 225  # grey of the sheet, and of a crop where no image is
_DPI, _POINTS_PER_INCH = 100, 72
_INK, _FAINT = "#222222", "#666666"


@dataclass(frozen=True)
class Selection:
    """Numbers of samples to show, none of them twice.

    Args:
        best: Smallest error first.
        median: Around the middle, in the order of their errors.
        worst: Largest error first.
    """

    best: tuple[int, ...]
    median: tuple[int, ...]
    worst: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn over a picture; camera frame, metres.

    Args:
        hand: Joints and vertices; None when there is none, or it is not known.
        held: The object where it is, as `objects.Pose` puts its mesh; None likewise.
    """

    hand: Hand | None
    held: Mesh | None


@dataclass(frozen=True, eq=False)
class Shown:
    """One sample to show.

    Args:
        image: (H, W, 3) uint8 RGB.
        camera: Of the image.
        faces: (1538, 3) triangles of the hand mesh of its side.
        predicted, truth: What is drawn over it.
    """

    image: Image
    camera: Camera
    faces: NDArray[np.integer]
    predicted: Scene
    truth: Scene


def select(samples: Sequence[SampleErrors], count: int) -> Selection:
    """Choose the samples to show by their MJE, or by ADD-S where no sample has a hand.

    Args:
        samples: All samples; those without that error are left out.
        count: How many of each kind, if there are three times as many samples.

    Raises:
        EvaluationError: There is nothing to choose from, or fewer than one is asked for.
    """
    errors = {n: s.hand.mje for n, s in enumerate(samples) if s.hand is not None}
    if not errors:
        errors = {n: s.held.adds for n, s in enumerate(samples) if s.held is not None}
    if not errors or count < 1:
        raise EvaluationError(
            f"contact sheet of {count} of each kind from {len(errors)} measured samples: expected "
            "at least one of both"
        )
    order = [n for n, _ in sorted(errors.items(), key=_nan_last)]
    total = len(order)
    each = min(count, max(1, total // 3))
    middle = (total - each) // 2 if total > 2 else total
    return Selection(
        best=tuple(order[:each]),
        median=tuple(order[middle : middle + each]),
        worst=tuple(order[max(each, total - each) :][::-1]),
    )


def contact_sheet(
    samples: Sequence[SampleErrors],
    selection: Selection,
    shown: Callable[[int], Shown],
    title: str,
) -> Image:
    """Draw the chosen samples, a row for each kind.

    Args:
        samples: All samples.
        selection: Which of them; see `select`.
        shown: Reads and predicts the sample of a number again; asked once for each.
        title: What was evaluated on what.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    kinds = (("best", selection.best), ("median", selection.median), ("worst", selection.worst))
    rows = [(name, numbers) for name, numbers in kinds if numbers]
    columns = max(len(numbers) for _, numbers in rows)
    tile_width, row_height = 2 * PANEL + _BETWEEN, _HEADING + PANEL + _CAPTION
    width = _GAP + columns * (tile_width + _GAP)
    height = _TITLE + len(rows) * row_height + _GAP
    sheet: Image = np.full((height, width, 3), _GROUND, dtype=np.uint8)
    texts = [_Text(_GAP, 24, title, 17, bold=True)]
    for row, (name, numbers) in enumerate(rows):
        top = _TITLE + row * row_height + _HEADING
        texts.append(_Text(_GAP, top - 9, f"{name}: predicted left, true right", 14, bold=True))
        for column, number in enumerate(numbers):
            left = _GAP + column * (tile_width + _GAP)
            sheet[top : top + PANEL, left : left + tile_width] = draw_pair(shown(number))
            name_line, error_line = caption_of(samples[number])
            texts.append(_Text(left, top + PANEL + 14, name_line, 12))
            texts.append(_Text(left, top + PANEL + 29, error_line, 12, faint=True))
    return _lettered(sheet, texts)


def write_contact_sheet(path: Path, sheet: Image) -> None:
    """Write the picture.

    Args:
        path: The PNG file; its folder is made.
        sheet: (H, W, 3) uint8 RGB.

    Raises:
        EvaluationError: It cannot be written.
    """
    try:
        write_picture(path, sheet)
    except OSError as error:
        raise EvaluationError(f"cannot write the contact sheet {path}: {reason(error)}") from error


def draw_pair(shown: Shown) -> Image:
    """Prediction and truth on the same crop of the image, side by side.

    Returns:
        (PANEL, 2 PANEL + gap, 3) uint8 RGB.
    """
    window = _window(shown)
    scale = PANEL / window.size[0]
    affine = np.array([[scale, 0, -scale * window.x0], [0, scale, -scale * window.y0]])
    full = shown.camera
    camera = Camera(
        scale * full.fx,
        scale * full.fy,
        scale * (full.cx - window.x0),
        scale * (full.cy - window.y0),
        PANEL,
        PANEL,
    )
    beyond = (_BEYOND,) * 3
    crop = np.asarray(
        cv2.warpAffine(shown.image, affine, (PANEL, PANEL), borderValue=beyond), dtype=np.uint8
    )
    panels = [_drawn(crop, scene, shown, camera) for scene in (shown.predicted, shown.truth)]
    between: Image = np.full((PANEL, _BETWEEN, 3), _GROUND, dtype=np.uint8)
    return np.concatenate([panels[0], between, panels[1]], axis=1)


def caption_of(sample: SampleErrors) -> tuple[str, str]:
    """Two lines: which sample and object, and its errors in millimetres."""
    errors = []
    if sample.hand is not None:
        errors += [("MJE", sample.hand.mje), ("PA-MJE", sample.hand.pa_mje)]
    if sample.held is not None:
        errors += [("ADD-S", sample.held.adds), ("OCE", sample.held.oce)]
    key = sample.name if len(sample.name) <= 40 else f"…{sample.name[-39:]}"  # its end tells more
    texts = [f"{name} {1e3 * value:.1f}" for name, value in errors]
    return "  ".join(filter(None, (key, sample.object_id))), f"{', '.join(texts)} mm"


@dataclass(frozen=True)
class _Text:
    """A line of text; x of its left end, y of its base line and its size in pixels."""

    x: int
    y: int
    text: str
    size: int
    bold: bool = False
    faint: bool = False


def _lettered(sheet: Image, texts: Sequence[_Text]) -> Image:
    """The sheet with texts in a font that is made for reading, which OpenCV lacks."""
    height, width = sheet.shape[:2]
    # a little more than whole, since the library cuts off what is behind the point
    figure = Figure(figsize=((width + 0.01) / _DPI, (height + 0.01) / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    figure.figimage(sheet, origin="upper")
    for line in texts:
        figure.text(
            line.x / width,
            1 - line.y / height,
            line.text,
            fontsize=line.size * _POINTS_PER_INCH / _DPI,
            fontweight="bold" if line.bold else "normal",
            color=_FAINT if line.faint else _INK,
            parse_math=False,
        )
    content = io.BytesIO()
    figure.savefig(content, format="rgba", dpi=_DPI)
    drawn = np.frombuffer(content.getvalue(), dtype=np.uint8).reshape(height, width, 4)
    return np.ascontiguousarray(drawn[..., :3])


def _drawn(crop: Image, scene: Scene, shown: Shown, camera: Camera) -> Image:
    canvas = crop.copy()
    if scene.hand is not None:
        draw_surface(canvas, scene.hand.vertices, shown.faces, camera, HAND_COLOR)
        draw_joints(canvas, scene.hand.joints, camera)
    if scene.held is not None:
        draw_outline(canvas, scene.held.vertices, scene.held.faces, camera)
    return canvas


def _window(shown: Shown) -> Box:
    """The square around the true hand and object; around what is predicted where none is true."""
    for scene in (shown.truth, shown.predicted):
        points: list[Array] = []
        if scene.hand is not None:
            points.append(scene.hand.vertices)
        if scene.held is not None:
            points.append(scene.held.vertices)
        pixels = project(np.concatenate([*points, np.zeros((0, 3))]), shown.camera)
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        if len(pixels) and np.ptp(pixels, axis=0).max() > 0:
            center = (pixels.min(axis=0) + pixels.max(axis=0)) / 2
            half = _MARGIN * float(np.ptp(pixels, axis=0).max()) / 2
            return Box(*(center - half).tolist(), *(center + half).tolist())
    side = float(max(shown.camera.width, shown.camera.height))
    return Box(0.0, 0.0, side, side)


def _nan_last(item: tuple[int, float]) -> tuple[bool, float]:
    return bool(np.isnan(item[1])), item[1]
