"""What is looked at while time is taken: rendered hands that hold something, never noise.

The cost of a frame depends on it: on how many lattice points lie in the boxes, and on how often
the wrist has to be refined.
"""

from itertools import islice

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_scene import Kind
from hoisdf_ros.datatypes import Detection, Frame
from hoisdf_ros.estimator import Look
from hoisdf_ros.preprocessing.boxes import find_hands
from hoisdf_ros.preprocessing.roots import root_from_depth

_GRASPS = 16  # few, since each takes time to make; hands, objects and cameras differ all the same
_SIZE_OF_SET = 100_000
_LABELS = {Side.LEFT: "left_hand", Side.RIGHT: "right_hand"}


def rendered_frames(count: int, seed: int = 0) -> list[Frame]:
    """Frames of the synthetic test split in which a hand holds an object, with depth and boxes."""
    data = SyntheticData("test", _SIZE_OF_SET, seed, grasps=_GRASPS)
    held = (index for index in range(len(data)) if data.kind(index) is Kind.HELD)
    frames = [frame_of(data[index]) for index in islice(held, count)]
    data.close()
    return frames


def frame_of(sample: Sample) -> Frame:
    """A sample as a camera and a perfect detector would send it."""
    boxes = [(_LABELS.get(sample.side), sample.hand_box), (sample.object_id, sample.object_box)]
    found = tuple(Detection(label, box, 1.0) for label, box in boxes if label and box)
    return Frame(sample.image, sample.camera, sample.depth, found)


def look_at(frame: Frame, config: EstimatorConfig) -> Look:
    """The first look at a frame's best hand, its wrist from depth as in the node.

    Raises:
        RootError: Depth does not show it.
        ImageError: It lies outside the image.
    """
    region = find_hands(frame.detections, config)[0]
    return Look(frame, region, root_from_depth(frame, region.hand.box, config))
