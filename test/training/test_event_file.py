"""TensorBoard's format, down to the bytes."""

import struct
from pathlib import Path

from hoisdf_ros.training.event_file import EventFile, masked_crc


def records(path: Path) -> list[bytes]:
    """Reads TFRecords back, checking both checksums."""
    data, out = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert struct.unpack("<I", data[8:12])[0] == masked_crc(data[:8])
        event = data[12 : 12 + length]
        assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc(event)
        out.append(event)
        data = data[16 + length :]
    return out


def test_the_checksum_is_castagnolis() -> None:
    crc = 0xE3069283  # of "123456789", the polynomial's published check value
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc(b"123456789") == masked


def test_scalars_and_pictures_are_events(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    file.scalar("loss", 0.5, 300)
    file.picture("seen", b"PNG", (4, 3), 1)
    version, scalar, picture = records(file.path)
    assert version[9:] == b"\x1a\x0dbrain.Event:2"
    value = b"\x0a\x04loss" + b"\x15" + struct.pack("<f", 0.5)
    assert scalar[9:] == b"\x10\xac\x02" + b"\x2a\x0d" + b"\x0a\x0b" + value
    shape = b"\x08\x03\x10\x04\x18\x03" + b"\x22\x03PNG"
    value = b"\x0a\x04seen" + b"\x22\x0b" + shape
    assert picture[9:] == b"\x10\x01" + b"\x2a\x15" + b"\x0a\x13" + value
