"""Whether depth lies on its image: a hand taken for what is beside it would be placed there.

Where depth jumps, the picture mostly has an edge. So the places of jumps, moved about, match the
picture's edges best where they are; of depth that was never registered to the image, or with an
old calibration, they match better elsewhere. One look is a good guess, several are sure.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.preprocessing.boxes import scaled

CELLS = 160
"""Cells across the image, on which edges are compared; so many pixels make one."""

FARTHEST = 10
"""Cells that depth may lie beside the image and be seen to."""

LEAST = 2.5
"""Cells: what is less is no fault, but an edge that is seen blurred or an outline left vague."""

_MATCHED = 0.75
"""In place, depth that lies elsewhere matches less than this share of what it matches there. In
training and validation videos 0 of 380 looks at depth that is right say so, 0 of 360 at depth with
holes or flying pixels and at blurred pictures, and 238 of 240 at depth that is shifted or not
registered at all."""

_HARDLY = 0.08
"""Depth that matches best elsewhere, and less than this in place, lies elsewhere, too, however
little it matches there: what is right matches by 0.11 and more, with blurred pictures by 0.05."""

_CONTRAST, _JUMPS = 0.13, 0.05
"""Standard deviations over the cells, of the picture's edges and of the jumps of depth, below which
there are none: of noise alone the former is 0.07 to 0.12, of videos 0.15 and more."""

_REACH = 3.0  # of the hand's box is compared, since its surroundings have edges, too
_JUMP = 1.05  # times as far is another surface
_NEIGHBOURHOOD = 15  # cells in which the picture's edges are told from its texture
_FAINT = 2.0  # an edge of a picture without noise, in the square root of grey levels
_EVERY_S, _MEMORY = 0.2, 0.8  # between looks; what is left of one at the next

_Grid = NDArray[np.float32]


class Registration:
    """Watches whether the edges of depth lie on those of the image."""

    def __init__(self) -> None:
        self._camera: Camera | None = None
        self._last = 0.0
        self._match: _Grid | None = None

    def __call__(self, frame: Frame, box: Box) -> str:
        """Look again if it is time.

        Args:
            frame: The image, with depth.
            box: A hand, pixels: there it matters.

        Returns:
            What is wrong and what to do; empty while nothing speaks against the depth.
        """
        if frame.camera != self._camera:
            self._camera, self._match = frame.camera, None
        if self._match is None or not 0 <= frame.stamp - self._last < _EVERY_S:
            match = edge_match(frame, box)
            if match is not None:
                past = match if self._match is None else self._match
                self._match = _MEMORY * past + (1 - _MEMORY) * match
                self._last = frame.stamp
        return "" if self._match is None else self._verdict(self._match)

    @staticmethod
    def _verdict(match: _Grid) -> str:
        place = np.unravel_index(int(match.argmax()), match.shape)
        off = float(np.hypot(*(np.array(place) - FARTHEST)))
        here = match[FARTHEST - 1 : FARTHEST + 2, FARTHEST - 1 : FARTHEST + 2].max()
        if off < LEAST or here > max(_MATCHED * match.max(), _HARDLY):
            return ""
        return (
            f"depth is not used: its edges lie about {100 * off / CELLS:.0f} % of the image's "
            "width beside those of the image; register it (align_depth in the camera's driver), "
            "calibrate the camera anew, or set depth_mode to none"
        )


def edge_match(frame: Frame, box: Box) -> _Grid | None:
    """How well the jumps of depth, moved about, lie on the image's edges around a hand.

    Args:
        frame: The image, with depth.
        box: The hand, pixels.

    Returns:
        (2 F + 1, 2 F + 1) correlation, where F is `FARTHEST`: rows for moves down, columns for
        moves to the right, in cells; not moved is in the middle. None where too little is seen.
    """
    assert frame.depth is not None
    cell = max(1, round(frame.camera.width / CELLS))
    rows, columns = _window(frame.camera, box, FARTHEST * cell)
    edges = _edges(frame.image[rows, columns], cell)
    jumps = _jumps(frame.depth[rows, columns], cell)
    inner = jumps[FARTHEST:-FARTHEST, FARTHEST:-FARTHEST]
    if min(inner.shape) < FARTHEST or inner.std() < _JUMPS or edges.std() < _CONTRAST:
        return None
    return np.asarray(cv2.matchTemplate(edges, inner, cv2.TM_CCOEFF_NORMED), dtype=np.float32)


def _window(camera: Camera, box: Box, margin: int) -> tuple[slice, slice]:
    """Rows and columns around the box, as far as the image goes."""
    around = scaled(box, _REACH)
    x0, y0 = int(max(around.x0 - margin, 0)), int(max(around.y0 - margin, 0))
    x1 = int(min(around.x1 + margin, camera.width))
    y1 = int(min(around.y1 + margin, camera.height))
    return slice(y0, max(y0, y1)), slice(x0, max(x0, x1))


def _edges(image: NDArray[np.uint8], cell: int) -> _Grid:
    """How strong the picture's strongest edge in every cell is, against those around it."""
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    if not rows or not columns:
        return np.zeros((rows, columns), np.float32)
    grey = cv2.cvtColor(image[: rows * cell, : columns * cell], cv2.COLOR_RGB2GRAY)
    # edges between neighbouring pixels are noise and texture: two to a cell are enough
    small = cv2.resize(grey, (2 * columns, 2 * rows), interpolation=cv2.INTER_AREA)
    slopes = (cv2.Sobel(small, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    strength = np.sqrt(np.asarray(cv2.magnitude(*slopes), dtype=np.float32))
    strongest = strength.reshape(rows, 2, columns, 2).max(axis=(1, 3))
    around = cv2.blur(strongest, (_NEIGHBOURHOOD, _NEIGHBOURHOOD))
    return np.asarray(strongest / (around + _FAINT), dtype=np.float32)


def _jumps(depth: NDArray[np.float32], cell: int) -> _Grid:
    """1 in cells that show a near and a far surface, else 0."""
    rows, columns = depth.shape[0] // cell, depth.shape[1] // cell
    tiles = depth[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    near = np.fmin.reduce(np.fmin.reduce(tiles, axis=1), axis=2)
    far = np.fmax.reduce(np.fmax.reduce(tiles, axis=1), axis=2)
    jumps: _Grid = (far > _JUMP * near).astype(np.float32)
    return jumps
