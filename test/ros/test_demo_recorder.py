"""What the demo's recorder keeps, given messages by hand."""

from collections.abc import Iterator

import pytest
from hoisdf_ros.msg import HandMeshArray, HandPose, HandPoseArray, HeldObject, HeldObjectArray
from rclpy.context import Context
from sensor_msgs.msg import Image

from hoisdf_ros.ros import demo_recorder
from hoisdf_ros.ros.demo_recorder import Recorder
from hoisdf_ros.ros.sensor_messages import stamp_of

KEPT = 5


@pytest.fixture
def recorder(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(demo_recorder, "_IMAGES_KEPT", KEPT)
    node = Recorder("/hoisdf/hoisdf_node", context=context)
    yield node
    node.destroy_node()


def show(recorder: Recorder, second: int, *, hand: bool) -> None:
    """An image and the estimate of it arrive."""
    hands, objects = HandPoseArray(), HeldObjectArray()
    if hand:
        hands.hands, objects.objects = [HandPose()], [HeldObject()]
    for topic, message in (
        ("hands", hands),
        ("objects", objects),
        ("hand_meshes", HandMeshArray()),
    ):
        message.header.stamp.sec = second
        recorder.messages[topic][stamp_of(message.header)] = message
    image = Image()
    image.header.stamp.sec = second
    recorder._on_image(image)


def test_a_view_of_a_hand_outlives_any_number_of_empty_images(recorder: Recorder) -> None:
    assert not recorder.has_view()
    show(recorder, 1, hand=True)
    for second in range(2, 5 * KEPT):
        show(recorder, second, hand=False)
    assert recorder.has_view()


def test_only_so_many_images_are_kept_the_newest_views_last(recorder: Recorder) -> None:
    for second in range(3 * KEPT):
        show(recorder, second, hand=True)
    stamps = list(recorder._images)
    assert stamps == [second * 10**9 for second in range(2 * KEPT, 3 * KEPT)]
