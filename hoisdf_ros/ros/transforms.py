"""Frames of hands, joints, grasps and objects, as children of the image's frame.

Only what this image showed: a frame that is not repeated runs out, so that a look-up fails
instead of lying.
"""

from collections.abc import Iterator

import numpy as np
from geometry_msgs.msg import Transform, TransformStamped
from numpy.typing import ArrayLike
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.conventions import JOINT_NAMES, WRIST
from hoisdf_ros.datatypes import Array, Estimate, HandEstimate
from hoisdf_ros.ros.estimate_messages import quaternion, vector

_THUMB_TIP, _INDEX_TIP = JOINT_NAMES.index("THUMB_TIP"), JOINT_NAMES.index("INDEX_TIP")


def tf_message(header: Header, estimate: Estimate, config: NodeConfig) -> TFMessage:
    """The frames of one image that ``config`` asks for.

    ``hand_<id>`` is the wrist (x towards the middle knuckle, z out of the back of the hand),
    ``object_<id>`` the mesh's own frame, so that an unknown object has none. ``<joint>_<id>``
    and ``grasp_<id>``, midway between the tips of thumb and index finger, have the axes of
    their hand. Points that are not valid have no frame.
    """
    frames: list[TransformStamped] = []

    def add(name: str, rotation: Array, translation: ArrayLike) -> None:
        if np.isfinite(translation).all():
            transform = Transform(translation=vector(translation), rotation=quaternion(rotation))
            child = config.tf_prefix + name
            frames.append(
                TransformStamped(header=header, child_frame_id=child, transform=transform)
            )

    for hand in estimate.hands:
        for name, translation in _hand_frames(hand, config):
            add(name, hand.wrist_rotation, translation)
    if config.publish_tf:
        for held in estimate.objects:
            if held.surface is None:  # else its axes are nobody's
                add(f"object_{held.id}", held.rotation, held.translation)
    return TFMessage(transforms=frames)


def _hand_frames(hand: HandEstimate, config: NodeConfig) -> Iterator[tuple[str, Array]]:
    """Names and origins, metres, of the frames of one hand."""
    if config.publish_tf:
        yield f"hand_{hand.id}", hand.joints[WRIST]
    if config.publish_joint_tf:
        for name, joint in zip(JOINT_NAMES, hand.joints, strict=True):
            yield f"{name.lower()}_{hand.id}", joint
    if config.publish_grasp_tf:
        yield f"grasp_{hand.id}", (hand.joints[_THUMB_TIP] + hand.joints[_INDEX_TIP]) / 2
