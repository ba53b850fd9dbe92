"""A recording of the demo camera: ``python -m hoisdf_ros.ros.demo_bag OUT --seconds 5``.

A rosbag2 (MCAP, chunks compressed by zstd, which ``ros2 bag play`` reads as it is), written
without a running ROS system. Play it with ``--clock`` and give the node ``use_sim_time``,
since its stamps are in the past.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from rclpy.serialization import serialize_message
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability
from rosbags.interfaces import QosTime as Time
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore
from tf2_msgs.msg import TFMessage

from hoisdf_ros.errors import ConfigError, HoisdfError
from hoisdf_ros.ros.demo_camera import TOPICS, DemoCameraConfig, DemoSource, static_transform

NAMESPACE = "/hoisdf"
START_NS = 1_700_000_000_000_000_000
"""Stamp of the first frame; always the same, so that a bag can be made again."""

_SMALL = DemoCameraConfig(depth_encoding="16UC1", publish_detections=True, noise=False)
_STATIC = "/tf_static"
_PACKAGES = ("hoisdf_ros", "tf2_msgs", "vision_msgs")
_NEVER = Time(0x7FFFFFFF, 0xFFFFFFFF)
_LATCHED = Qos(
    QosHistory.KEEP_LAST,
    1,
    QosReliability.RELIABLE,
    QosDurability.TRANSIENT_LOCAL,
    _NEVER,
    _NEVER,
    QosLiveliness.AUTOMATIC,
    _NEVER,
    avoid_ros_namespace_conventions=False,
)


@dataclass(frozen=True)
class Recording:
    """What to record.

    Args:
        out: Folder to make.
        seconds: Length.
        rate_hz: Frames per second.
        start_s: Where in the programme to begin, seconds.
        camera: Seed, depth encoding, noise.
    """

    out: Path
    seconds: float = 5.0
    rate_hz: float = 10.0
    start_s: float = 0.0
    camera: DemoCameraConfig = _SMALL

    def __post_init__(self) -> None:
        """Refuse what cannot be recorded."""
        if self.out.exists():
            raise ConfigError(f"'{self.out}' exists: name a folder that does not, or remove it")
        if not (0 < self.seconds <= 3600 and 0 < self.rate_hz <= 120):
            raise ConfigError(
                f"{self.seconds:g} s at {self.rate_hz:g} Hz: expected up to 3600 s at up to 120 Hz"
            )


def record(recording: Recording) -> int:
    """Write the bag.

    Returns:
        How many frames it holds.
    """
    source, store = DemoSource(recording.camera), typestore()
    bag = Writer(recording.out, version=9, storage_plugin=StoragePlugin.MCAP)
    bag.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    frames = max(1, round(recording.seconds * recording.rate_hz))
    with bag, closing(source.scene):
        connections = {
            topic: bag.add_connection(f"{NAMESPACE}/{topic}", type_name(kind), typestore=store)
            for topic, kind in TOPICS.items()
        }
        static = bag.add_connection(
            _STATIC, type_name(TFMessage), typestore=store, offered_qos_profiles=[_LATCHED]
        )
        bag.write(static, START_NS, serialize_message(static_transform(START_NS)))
        for frame in range(frames):
            time_s = frame / recording.rate_hz
            stamp = START_NS + round(time_s * 1e9)
            for topic, message in source.messages(recording.start_s + time_s, stamp):
                bag.write(connections[topic], stamp, serialize_message(message))
    return frames


def typestore() -> Typestore:
    """The message types of ROS 2 and of this package, as rosbags wants them."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for package in _PACKAGES:
        for path in sorted(Path(get_package_share_directory(package), "msg").glob("*.msg")):
            types |= get_types_from_msg(path.read_text(), f"{package}/msg/{path.stem}")
    store.register({name: kind for name, kind in types.items() if name not in store.types})
    return store


def type_name(kind: type) -> str:
    """``package/msg/Name`` of a message class."""
    package = kind.__module__.split(".", 1)[0]
    return f"{package}/msg/{kind.__name__}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns 0, or 2 when something was refused."""
    parser = argparse.ArgumentParser(description="Record the demo camera into a rosbag2.")
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--seconds", type=float, default=5.0, help="length (5)")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second (10)")
    parser.add_argument("--start", type=float, default=0.0, help="begin there, seconds (0)")
    parser.add_argument("--seed", type=int, default=0, help="of the demo scene (0)")
    parser.add_argument("--noise", action="store_true", help="sensor noise; triples the size")
    options = parser.parse_args(arguments)
    camera = replace(_SMALL, seed=options.seed, noise=options.noise)
    try:
        recording = Recording(options.out, options.seconds, options.rate, options.start, camera)
        frames = record(recording)
    except HoisdfError as error:
        print(f"demo_bag: {error}", file=sys.stderr)
        return 2
    print(f"{frames} frames in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
