"""The messages say what the code says, and the stand-ins are what the rest of ROS expects."""

import re
from pathlib import Path

import pytest

from hoisdf_ros.conventions import JOINT_NAMES, NUM_JOINTS, NameSource, RootSource, Side

ROOT = Path(__file__).parents[2]
CONSTANT = re.compile(r"^u?int\d+ ([A-Z][A-Z_]*)=(-?\d+)", re.MULTILINE)
FIELD = re.compile(
    r"^(?P<type>[\w/]+)(\[(?P<length>\d*)\])? (?P<name>[a-z]\w*) *(?P<comment>#.*)?$"
)

# The hashes under which tf2_msgs 0.36 and vision_msgs 4.1.1 travel.
UPSTREAM = {
    ("tf2_msgs", "TFMessage"): "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087",
    (
        "vision_msgs",
        "Detection2DArray",
    ): "214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    (
        "vision_msgs",
        "Detection3DArray",
    ): "793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
}


def constants(message: str) -> dict[str, int]:
    text = (ROOT / "msg" / f"{message}.msg").read_text()
    return {name: int(value) for name, value in CONSTANT.findall(text)}


def fields(message: str) -> dict[str, re.Match[str]]:
    lines = (ROOT / "msg" / f"{message}.msg").read_text().splitlines()
    return {found["name"]: found for found in map(FIELD.match, lines) if found}


def test_hand_pose_constants_are_the_codes_own() -> None:
    expected = {name: index for index, name in enumerate(JOINT_NAMES)}
    expected |= {side.name: side.value for side in Side}
    expected |= {source.name: source.value for source in RootSource}
    assert constants("HandPose") == expected


def test_held_object_constants_are_the_codes_own() -> None:
    expected = {source.name: source.value for source in NameSource}
    assert constants("HeldObject") == expected | {"NO_HAND": -1}


@pytest.mark.parametrize(
    ("message", "field", "length"),
    [
        ("HandPose", "joints", NUM_JOINTS),
        ("HandPose", "joint_stddev", NUM_JOINTS),
        ("HandPose", "joints_uv", 2 * NUM_JOINTS),
        ("HandPose", "mano_pose", 45),
        ("HandPose", "mano_betas", 10),
        ("HeldObject", "joint_contact", NUM_JOINTS),
    ],
)
def test_arrays_have_the_length_of_what_they_hold(message: str, field: str, length: int) -> None:
    assert fields(message)[field]["length"] == str(length)


@pytest.mark.parametrize("path", sorted((ROOT / "msg").glob("*.msg")), ids=lambda path: path.stem)
def test_every_field_is_explained(path: Path) -> None:
    """By a comment beside or above it; a list of our own messages speaks for itself."""
    above = ""
    for line in path.read_text().splitlines():
        field = FIELD.match(line)
        own_list = field and (ROOT / "msg" / f"{field['type']}.msg").exists()
        if field and not own_list:
            assert field["comment"] or above.startswith("#"), f"{field['name']} has no comment"
        above = line


def type_hash(package: str, message: str) -> str:
    """The hash of a built message type, as sent in discovery."""
    rclpy = pytest.importorskip("rclpy")
    module = pytest.importorskip(f"{package}.msg")
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node("type_hash", context=context)
        node.create_publisher(getattr(module, message), "hashed", 1)
        [publisher] = node.get_publishers_info_by_topic("hashed")
        return str(publisher.topic_type_hash).removeprefix("RIHS01_")
    finally:
        rclpy.shutdown(context=context)


@pytest.mark.parametrize(("package", "message"), UPSTREAM)
def test_stand_ins_are_the_same_type_on_the_wire(package: str, message: str) -> None:
    assert type_hash(package, message) == UPSTREAM[package, message]
