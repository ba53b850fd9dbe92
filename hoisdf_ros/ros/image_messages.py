"""Image messages as arrays: RGB colour, and depth in metres.

What needs no conversion comes back as a view of the message's own buffer. Colour conversions
go through cv_bridge where it works, else through OpenCV with the same conversion codes.
"""

import functools
import sys
from array import array
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from hoisdf_ros.errors import ImageError

RGB = NDArray[np.uint8]
"""(H, W, 3) RGB."""


class _Colour(NamedTuple):
    """How an 8-bit encoding becomes RGB.

    Args:
        channels: Bytes per pixel.
        code: OpenCV conversion to RGB, or None where nothing is to be done.
        canonical: The name under which every cv_bridge knows it.
    """

    channels: int
    code: int | None
    canonical: str


# OpenCV names a Bayer pattern by its second row, read from the second pixel: RGGB is "BG".
_COLOURS: dict[str, _Colour] = {
    "rgb8": _Colour(3, None, "rgb8"),
    "bgr8": _Colour(3, cv2.COLOR_BGR2RGB, "bgr8"),
    "rgba8": _Colour(4, cv2.COLOR_RGBA2RGB, "rgba8"),
    "bgra8": _Colour(4, cv2.COLOR_BGRA2RGB, "bgra8"),
    "mono8": _Colour(1, cv2.COLOR_GRAY2RGB, "mono8"),
    "uyvy": _Colour(2, cv2.COLOR_YUV2RGB_UYVY, "yuv422"),
    "yuv422": _Colour(2, cv2.COLOR_YUV2RGB_UYVY, "yuv422"),
    "yuyv": _Colour(2, cv2.COLOR_YUV2RGB_YUY2, "yuv422_yuy2"),
    "yuv422_yuy2": _Colour(2, cv2.COLOR_YUV2RGB_YUY2, "yuv422_yuy2"),
    "bayer_rggb8": _Colour(1, cv2.COLOR_BayerBG2RGB, "bayer_rggb8"),
    "bayer_bggr8": _Colour(1, cv2.COLOR_BayerRG2RGB, "bayer_bggr8"),
    "bayer_gbrg8": _Colour(1, cv2.COLOR_BayerGR2RGB, "bayer_gbrg8"),
    "bayer_grbg8": _Colour(1, cv2.COLOR_BayerGB2RGB, "bayer_grbg8"),
}

COLOUR_ENCODINGS = tuple(_COLOURS)
DEPTH_ENCODINGS = ("32FC1", "16UC1", "mono16")

_METRE, _UNKNOWN = np.float32(0.001), np.float32(np.nan)

_PADDING = 4096  # cameras send JPEG buffers with zeros behind the end


def rgb_from_message(msg: Image) -> RGB:
    """The colours of an image message.

    Args:
        msg: An image in one of `COLOUR_ENCODINGS`.

    Returns:
        (H, W, 3) uint8 RGB; for rgb8 a view of ``msg.data``.

    Raises:
        ImageError: The encoding is not a colour encoding known here, or step and data do not
            fit the image's size.
    """
    colour = _COLOURS.get(msg.encoding)
    if colour is None:
        raise ImageError(
            f"image encoding '{msg.encoding}': expected one of {', '.join(_COLOURS)}; set the "
            "camera driver to one of them"
        )
    pixels = _pixels(msg, np.dtype(np.uint8), colour.channels)
    if colour.code is None:
        return pixels
    if colour.channels == 2 and msg.width % 2:
        raise ImageError(
            f"'{msg.encoding}' image of width {msg.width}: two pixels share their colour, so the "
            "width must be even; check the driver's settings"
        )
    if _cv_bridge() is not None:
        return _through_bridge(pixels, colour.canonical)
    return _converted(pixels, colour.code)


def rgb_from_compressed(msg: CompressedImage) -> RGB:
    """The colours of a JPEG or PNG message.

    Returns:
        (H, W, 3) uint8 RGB, as the sensor saw it: an orientation tag is not applied, since
        camera_info does not know of it.

    Raises:
        ImageError: The data is neither, or broken.
    """
    data = np.frombuffer(msg.data, np.uint8)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(data, flags) if _is_whole(data) else None
    if decoded is None:
        raise ImageError(
            f"compressed image of {data.size} bytes and format '{msg.format}' cannot be decoded: "
            "expected a whole JPEG or PNG file; use image_transport 'raw' or fix the publisher"
        )
    return _converted(np.asarray(decoded, dtype=np.uint8), cv2.COLOR_BGR2RGB)


def depth_from_message(msg: Image) -> NDArray[np.float32]:
    """The distances of a depth message along the optical axis (REP 118).

    Args:
        msg: 32FC1 in metres, or 16UC1 (also called mono16) in millimetres.

    Returns:
        (H, W) float32 metres, NaN where nothing was measured (NaN, infinite or <= 0).

    Raises:
        ImageError: Another encoding, or step and data do not fit the image's size.
    """
    order = ">" if msg.is_bigendian else "<"
    metres: NDArray[np.float32]
    if msg.encoding == "32FC1":
        metres = _pixels(msg, np.dtype(order + "f4"), 1).astype(np.float32)
    elif msg.encoding in DEPTH_ENCODINGS:
        millimetres = _pixels(msg, np.dtype(order + "u2"), 1)
        metres = np.multiply(millimetres, _METRE, dtype=np.float32)
        metres[millimetres == 0] = _UNKNOWN
        return metres
    else:
        raise ImageError(
            f"depth encoding '{msg.encoding}': expected 32FC1 (metres) or 16UC1 (millimetres); "
            "set the depth driver to one of them"
        )
    metres[~((metres > 0) & (metres < np.inf))] = _UNKNOWN
    return metres


def _pixels(msg: Image, dtype: np.dtype[Any], channels: int) -> NDArray[Any]:
    """A view of a message's data, once its sizes have proved to be consistent.

    Returns:
        (H, W) for one channel, else (H, W, channels).
    """
    height, width, step = int(msg.height), int(msg.width), int(msg.step)
    row = width * channels * dtype.itemsize
    if min(height, width) < 1:
        raise ImageError(
            f"'{msg.encoding}' image of {width}x{height} has no pixels: expected a width and a "
            "height above zero; fix the publisher"
        )
    if step < row:
        raise ImageError(
            f"'{msg.encoding}' image of {width}x{height} with step {step}: expected a step of at "
            f"least {row} bytes; fix the publisher"
        )
    if len(msg.data) != step * height:
        raise ImageError(
            f"'{msg.encoding}' image of {width}x{height} with step {step} holds {len(msg.data)} "
            f"bytes: expected step x height = {step * height}; it is truncated, or its sizes are "
            "wrong: fix the publisher"
        )
    strides = (step, channels * dtype.itemsize, dtype.itemsize)
    axes = 3 if channels > 1 else 2
    pixels: NDArray[Any] = np.ndarray(
        (height, width, channels)[:axes], dtype, buffer=msg.data, strides=strides[:axes]
    )
    return pixels


def _is_whole(data: NDArray[np.uint8]) -> bool:
    """Whether a JPEG or PNG file ends as it should; OpenCV fills a missing rest with grey."""
    end = data[-_PADDING:].tobytes().rstrip(b"\0")
    if data[:2].tobytes() == b"\xff\xd8":
        return end.endswith(b"\xff\xd9")
    return data[:4].tobytes() == b"\x89PNG" and end.endswith(b"IEND\xaeB`\x82")


def _through_bridge(pixels: NDArray[np.uint8], encoding: str) -> RGB:
    """(H, W) or (H, W, C) pixels by cv_bridge, as a message that it reads right.

    It loses the rows where the step is no multiple of the pixel, and swaps the order of single
    bytes where a driver calls them big-endian.
    """
    data, (height, width) = pixels.tobytes(), pixels.shape[:2]
    msg = Image(height=height, width=width, encoding=encoding, step=len(data) // height)
    msg.is_bigendian = int(sys.byteorder == "big")
    msg.data = array("B", data)
    try:
        converted: RGB = _cv_bridge().imgmsg_to_cv2(msg, "rgb8")
    except (TypeError, RuntimeError) as error:  # CvBridgeError is a TypeError
        raise ImageError(
            f"cv_bridge cannot convert a '{encoding}' image of {width}x{height} to rgb8: "
            f"{error}; set the camera driver to rgb8"
        ) from error
    return converted


def _converted(pixels: NDArray[np.uint8], code: int) -> RGB:
    try:
        result: RGB = np.asarray(cv2.cvtColor(pixels, code), dtype=np.uint8)
    except cv2.error as error:
        raise ImageError(
            f"image of shape {pixels.shape} cannot be converted to RGB: {error}; expected at "
            "least 2x2 pixels"
        ) from error
    return result


@functools.cache
def _cv_bridge() -> Any:  # noqa: ANN401
    """A cv_bridge that has just converted a pixel, or None.

    An installed one may still be unusable, compiled against another NumPy or OpenCV.
    """
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        probe = Image(height=1, width=1, encoding="bgr8", step=3, data=bytes((1, 2, 3)))
        works = bridge.imgmsg_to_cv2(probe, "rgb8").tolist() == [[[3, 2, 1]]]
    except (ImportError, AttributeError, KeyError, RuntimeError, SystemError):
        return None
    return bridge if works else None
