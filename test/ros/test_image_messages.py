"""Colour and depth messages: every encoding, every refusal, and agreement with cv_bridge."""

from array import array

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from hoisdf_ros.errors import ImageError
from hoisdf_ros.ros import image_messages
from hoisdf_ros.ros.image_messages import (
    COLOUR_ENCODINGS,
    depth_from_message,
    rgb_from_compressed,
    rgb_from_message,
)

WIDTH, HEIGHT = 12, 10
CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1} | {
    "uyvy": 2,
    "yuv422": 2,
    "yuyv": 2,
    "yuv422_yuy2": 2,
}

Pixels = NDArray[np.uint8]


def message(encoding: str, padding: int = 0, seed: int = 0) -> tuple[Image, Pixels]:
    """A random image and its (H, W, C) bytes."""
    channels = CHANNELS.get(encoding, 1)
    shape = (HEIGHT, WIDTH * channels + padding)
    rows = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    msg = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=shape[1])
    msg.data = array("B", rows.tobytes())
    return msg, rows[:, : WIDTH * channels].reshape(HEIGHT, WIDTH, channels)


def slow_rgb(encoding: str, pixels: Pixels) -> NDArray[np.float64]:
    """(H, W, 3) RGB, from the definition of the encoding; NaN where it is left open."""
    p = pixels.astype(float)
    if encoding.startswith("bayer"):
        return slow_bayer(encoding[6:10], p[..., 0])
    if encoding in {"uyvy", "yuv422", "yuyv", "yuv422_yuy2"}:
        luma, chroma = (1, 0) if encoding in {"uyvy", "yuv422"} else (0, 1)
        y = 1.164 * (p[..., luma].clip(16) - 16)
        u = np.repeat(p[:, 0::2, chroma], 2, axis=1) - 128
        v = np.repeat(p[:, 1::2, chroma], 2, axis=1) - 128
        rgb = np.stack([y + 1.596 * v, y - 0.813 * v - 0.391 * u, y + 2.018 * u], axis=-1)
        return rgb.clip(0, 255)
    order = {"mono8": [0, 0, 0], "bgr8": [2, 1, 0], "bgra8": [2, 1, 0]}.get(encoding, [0, 1, 2])
    return p[..., order]


def slow_bayer(pattern: str, mosaic: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each colour of a pixel is the mean of its nearest neighbours of that colour."""
    colours = np.array([[pattern[y % 2 * 2 + x % 2] for x in range(WIDTH)] for y in range(HEIGHT)])
    result = np.full((HEIGHT, WIDTH, 3), np.nan)
    for y in range(1, HEIGHT - 1):
        for x in range(1, WIDTH - 1):
            around = np.s_[y - 1 : y + 2, x - 1 : x + 2]
            for index, colour in enumerate("rgb"):
                if colours[y, x] == colour:
                    result[y, x, index] = mosaic[y, x]
                    continue
                same = colours[around] == colour
                straight = same & np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
                chosen = straight if straight.any() else same
                result[y, x, index] = mosaic[around][chosen].mean()
    return result


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", COLOUR_ENCODINGS)
def test_every_colour_encoding_is_what_its_definition_says(encoding: str, padding: int) -> None:
    msg, pixels = message(encoding, padding)
    expected, found = slow_rgb(encoding, pixels), rgb_from_message(msg)
    assert found.shape == (HEIGHT, WIDTH, 3)
    assert found.dtype == np.uint8
    defined = np.isfinite(expected)
    assert np.abs(found[defined] - expected[defined]).max() <= 2


@pytest.mark.parametrize("encoding", COLOUR_ENCODINGS)
def test_cv_bridge_and_the_own_converter_agree_exactly(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv_bridge")
    assert image_messages._cv_bridge() is not None
    for seed in range(20):
        msg, _ = message(encoding, padding=4, seed=seed)
        msg.is_bigendian = seed % 2
        through_bridge = rgb_from_message(msg)
        with monkeypatch.context() as without:
            without.setattr(image_messages, "_cv_bridge", lambda: None)
            assert np.array_equal(rgb_from_message(msg), through_bridge)


def test_rgb8_is_a_view() -> None:
    msg, _ = message("rgb8", padding=4)
    assert np.shares_memory(rgb_from_message(msg), np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize("encoding", ["8UC3", "mono16", "32FC1", "nv12", ""])
def test_unknown_encodings_are_named_with_those_that_are_known(encoding: str) -> None:
    msg, _ = message("rgb8")
    msg.encoding = encoding
    with pytest.raises(ImageError, match=f"'{encoding}'.*rgb8.*bayer_rggb8"):
        rgb_from_message(msg)


def test_a_step_shorter_than_a_row_is_refused() -> None:
    msg, _ = message("rgb8")
    msg.step = 3 * WIDTH - 1
    with pytest.raises(ImageError, match=r"step 35.*at least 36"):
        rgb_from_message(msg)


@pytest.mark.parametrize("missing", [-1, 1, 36])
def test_truncated_and_overlong_data_are_refused(missing: int) -> None:
    msg, _ = message("rgb8")
    size = 3 * WIDTH * HEIGHT
    msg.data = array("B", bytes(size - missing))
    with pytest.raises(ImageError, match=f"{size - missing} bytes.*{size}"):
        rgb_from_message(msg)


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match="0x0 has no pixels"):
        rgb_from_message(Image(encoding="rgb8"))


def test_odd_width_is_refused_where_pixels_share_their_colour() -> None:
    msg = Image(height=2, width=3, encoding="uyvy", step=6, data=array("B", bytes(12)))
    with pytest.raises(ImageError, match="width 3"):
        rgb_from_message(msg)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".png", 0), (".jpg", 12)])
def test_compressed_images_come_back_in_rgb(suffix: str, tolerance: int) -> None:
    rgb = np.zeros((32, 48, 3), dtype=np.uint8)
    rgb[:, :24], rgb[:, 24:] = (200, 40, 90), (10, 160, 60)
    encoded = cv2.imencode(suffix, rgb[..., ::-1])[1].tobytes()
    for padding in (b"", bytes(100)):
        msg = CompressedImage(format=suffix[1:], data=array("B", encoded + padding))
        difference = rgb_from_compressed(msg).astype(int) - rgb
        assert np.abs(difference).max(axis=(0, 2))[[5, 40]].max() <= tolerance


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_truncated_compressed_images_are_refused(suffix: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (32, 48, 3), dtype=np.uint8)
    encoded = cv2.imencode(suffix, noise)[1].tobytes()
    data = array("B", encoded[: int(keep * len(encoded))])
    with pytest.raises(ImageError, match=f"{len(data)} bytes.*whole JPEG or PNG"):
        rgb_from_compressed(CompressedImage(format="jpeg", data=data))


def test_other_compressed_formats_are_refused() -> None:
    encoded = cv2.imencode(".bmp", np.zeros((4, 4, 3), dtype=np.uint8))[1].tobytes()
    with pytest.raises(ImageError, match="'bmp'"):
        rgb_from_compressed(CompressedImage(format="bmp", data=array("B", encoded)))


def depth_image(values: NDArray[np.generic], encoding: str, padding: int = 0) -> Image:
    row = values.view(np.uint8).reshape(len(values), -1)
    padded = np.pad(row, ((0, 0), (0, padding)))
    msg = Image(height=values.shape[0], width=values.shape[1], encoding=encoding)
    msg.step = padded.shape[1]
    msg.data = array("B", padded.tobytes())
    msg.is_bigendian = int(values.dtype.byteorder == ">")
    return msg


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_metres_keep_their_value_and_nonsense_becomes_nan(dtype: str, padding: int) -> None:
    values = np.array([[0.5, np.nan, np.inf], [0.0, -1.0, 4.25]], dtype=dtype)
    found = depth_from_message(depth_image(values, "32FC1", padding))
    nan = np.nan
    assert np.array_equal(found, [[0.5, nan, nan], [nan, nan, 4.25]], equal_nan=True)
    assert found.dtype == np.float32


@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_millimetres_become_metres_and_zero_nan(dtype: str, encoding: str) -> None:
    values = np.array([[500, 0, 65535]], dtype=dtype)
    found = depth_from_message(depth_image(values, encoding))
    assert np.allclose(found, [[0.5, np.nan, 65.535]], equal_nan=True)


def test_conversion_leaves_the_message_alone() -> None:
    msg = depth_image(np.zeros((2, 2), dtype="<f4"), "32FC1")
    depth_from_message(msg)
    assert not any(msg.data)


@pytest.mark.parametrize("encoding", ["rgb8", "64FC1", "8UC1"])
def test_other_depth_encodings_are_refused(encoding: str) -> None:
    msg, _ = message("rgb8")
    msg.encoding = encoding
    with pytest.raises(ImageError, match=f"'{encoding}'.*32FC1.*16UC1"):
        depth_from_message(msg)


def test_truncated_depth_is_refused() -> None:
    msg = depth_image(np.ones((4, 4), dtype="<f4"), "32FC1")
    msg.data = msg.data[:-1]
    with pytest.raises(ImageError, match=r"63 bytes.*64"):
        depth_from_message(msg)
