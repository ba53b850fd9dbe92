"""TensorBoard's event files, written without TensorBoard.

The format is TFRecord: length, its checksum, a protocol buffer ``Event``, its checksum. Field
numbers are those of tensorflow's event.proto and summary.proto.
"""

import struct
import time
from pathlib import Path

_CASTAGNOLI = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_RGB = 3


def _table() -> list[int]:
    entries = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_CASTAGNOLI if value & 1 else 0)
        entries.append(value)
    return entries


_TABLE = _table()


def masked_crc(data: bytes) -> int:
    """CRC-32C of the data, rotated and offset as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


class EventFile:
    """Appends scalars and pictures to a new file that TensorBoard reads.

    Args:
        directory: TensorBoard's ``--logdir``.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"events.out.tfevents.{time.time_ns()}"
        self._append(_bytes(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Append a number."""
        self._summary(_bytes(1, tag.encode()) + _float(2, value), step)

    def picture(self, tag: str, png: bytes, size: tuple[int, int], step: int) -> None:
        """Append an RGB picture of ``size`` width and height, encoded as PNG."""
        shape = _integer(1, size[1]) + _integer(2, size[0]) + _integer(3, _RGB)
        self._summary(_bytes(1, tag.encode()) + _bytes(4, shape + _bytes(4, png)), step)

    def _summary(self, value: bytes, step: int) -> None:
        self._append(_integer(2, step) + _bytes(5, _bytes(1, value)))

    def _append(self, event: bytes) -> None:
        event = _varint(1 << 3 | 1) + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(event))
        checks = [struct.pack("<I", masked_crc(part)) for part in (length, event)]
        with self.path.open("ab") as file:
            file.write(length + checks[0] + event + checks[1])
