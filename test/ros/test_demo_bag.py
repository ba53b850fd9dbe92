"""The recording in test/data: what ``ros2 bag play`` will send, read back without ROS tools."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.context import Context
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from tf2_msgs.msg import TFMessage

pytest.importorskip("rosbags")

from rosbags.rosbag2 import Reader

from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh
from hoisdf_ros.ros import demo_bag
from hoisdf_ros.ros.demo_bag import START_NS, Recording, main, record, type_name, typestore
from hoisdf_ros.ros.demo_camera import CAMERA, TOPICS
from hoisdf_ros.ros.frames import frame_from_messages
from hoisdf_ros.ros.pairing import Paired
from hoisdf_ros.ros.received import estimate_of
from hoisdf_ros.ros.sensor_messages import stamp_of

BAG = Path(__file__).parents[1] / "data" / "demo_bag"
KINDS = {f"/hoisdf/{topic}": kind for topic, kind in TOPICS.items()} | {"/tf_static": TFMessage}

Moments = dict[int, dict[str, Any]]


def read(path: Path) -> Moments:
    """Messages by stamp and by topic, deserialised by rclpy."""
    moments: Moments = {}
    with Reader(path) as bag:
        for connection, stamp, data in bag.messages():
            message = deserialize_message(bytes(data), KINDS[connection.topic])
            moments.setdefault(stamp, {})[connection.topic] = message
    return moments


@pytest.fixture(scope="module")
def moments() -> Moments:
    return read(BAG)


def test_it_holds_every_topic_of_the_camera_at_every_moment(moments: Moments) -> None:
    counts = Counter(topic for moment in moments.values() for topic in moment)
    assert counts.pop("/tf_static") == 1
    assert counts == dict.fromkeys(KINDS.keys() - {"/tf_static"}, 12)
    assert min(moments) == START_NS
    for stamp, moment in moments.items():
        assert stamp_of(moment["/hoisdf/image"].header) == stamp
        assert moment["/hoisdf/depth"].header == moment["/hoisdf/image"].header


def test_it_is_small_and_in_chunks_that_ros2_bag_reads() -> None:
    assert (BAG / "demo_bag.mcap").stat().st_size < 3e6
    assert "compression_mode: ''" in (BAG / "metadata.yaml").read_text()


def test_its_types_are_those_the_node_speaks(context: Context) -> None:
    node, store = Node("types", context=context), typestore()
    for topic, kind in KINDS.items():
        publisher = node.create_publisher(kind, topic, 1)
        (info,) = node.get_publishers_info_by_topic(publisher.topic_name)
        assert store.hash_rihs01(type_name(kind)) == str(info.topic_type_hash), topic
    with Reader(BAG) as bag:
        for connection in bag.connections:
            assert connection.digest == store.hash_rihs01(connection.msgtype), connection.topic


def test_every_moment_is_a_frame_with_a_hand_and_an_object(moments: Moments) -> None:
    for stamp, moment in moments.items():
        parts = (moment[f"/hoisdf/{name}"] for name in ("image", "depth", "detections"))
        frame, problems = frame_from_messages(Paired(stamp, *parts), moment["/hoisdf/camera_info"])
        assert problems == ()
        assert frame.camera == CAMERA
        assert frame.depth is not None
        hand, held = (detection.label for detection in frame.detections)
        assert hand in {"left_hand", "right_hand"}
        assert (PACKAGED_OBJECTS / held).is_dir()


def test_the_truth_lies_where_the_pictures_show_it(moments: Moments) -> None:
    meshes = {name: load_mesh(path) for name, path in find_objects(PACKAGED_OBJECTS).items()}
    for stamp, moment in moments.items():
        truth = estimate_of(
            moment["/hoisdf/ground_truth/hands"], moment["/hoisdf/ground_truth/objects"]
        )
        depth_message, boxes = moment["/hoisdf/depth"], moment["/hoisdf/detections"]
        frame, _ = frame_from_messages(
            Paired(stamp, moment["/hoisdf/image"], depth_message, boxes),
            moment["/hoisdf/camera_info"],
        )
        (hand,), (held,) = truth.hands, truth.objects
        assert hand.side in {Side.LEFT, Side.RIGHT}
        assert held.hand_id == hand.id
        assert np.allclose(project(hand.joints, CAMERA), hand.joints_uv, atol=0.01)
        vertices = meshes[held.object_id].vertices @ held.rotation.T + held.translation
        u, v = np.rint(project(vertices, CAMERA)).astype(int).T
        assert frame.depth is not None
        seen = frame.depth[v.clip(0, 479), u.clip(0, 639)]
        in_front = (vertices[:, 2] < seen + 0.003).mean()
        assert in_front > 0.2, "much of the object's surface is what the depth image shows"
        assert (vertices[:, 2] > seen - 0.005).mean() > 0.9, "hardly any is in front"


def test_it_can_be_made_again(
    tmp_path: Path,
    demo_source: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo_bag, "DemoSource", {demo_source.config: demo_source}.__getitem__)
    assert record(Recording(tmp_path / "bag", seconds=0.2, start_s=1.5)) == 2
    remade, kept = read(tmp_path / "bag"), read(BAG)
    assert remade.keys() == set(sorted(kept)[:2])
    for stamp, moment in remade.items():
        (new,), (old,) = (m["/hoisdf/ground_truth/objects"].objects for m in (moment, kept[stamp]))
        assert new.object_id == old.object_id
        assert np.isclose(new.pose.pose.position.z, old.pose.pose.position.z, atol=0.01)


def test_a_folder_that_exists_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert f"'{tmp_path}' exists" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"seconds": 0.0}, {"rate_hz": -1.0}, {"seconds": 1e9}])
def test_nonsense_lengths_and_rates_are_refused(tmp_path: Path, change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected up to 3600 s at up to 120 Hz"):
        Recording(tmp_path / "bag", **change)  # type: ignore[arg-type]
