"""What is known about a hand once the landmark network has seen it."""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import WRIST, Side
from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.detection.landmarks import LANDMARK_INPUT_SIZE
from hoisdf_ros.detection.regions import Region, region_of_landmarks


@dataclass(frozen=True, eq=False)
class DetectedHand:
    """One hand as the landmark network sees it.

    Where an object hides the hand the box stays usable, but landmarks may lie on the object.

    Args:
        box: Around the landmarks, pixels, no margin; may reach beyond the image.
        landmarks: (21, 2) pixels in our joint order.
        world: (21, 3) metres from the wrist, camera axes; of a hand of average size, seen from
            the front: good for shape, rough for scale.
        presence: Probability that it is a hand, in [0, 1].
        right_score: Probability that it is the person's right hand, in [0, 1]; one opinion, see
            `Votes`.
        region: Where to look for it in the next image.
    """

    box: Box
    landmarks: Array
    world: Array
    presence: float
    right_score: float
    region: Region

    @property
    def side(self) -> Side:
        """The likelier side of the person."""
        return Side.RIGHT if self.right_score >= 0.5 else Side.LEFT


def detected_hand(
    region: Region, pixels: Array, metres: Array, presence: float, right_score: float
) -> DetectedHand:
    """One row of the landmark network's outputs in the image's pixels and axes.

    Args:
        region: What the network looked at.
        pixels, metres: (21, 3), see `LandmarkNetwork`; in the region's axes.
        presence: See there.
        right_score: See there.
    """
    to_image = region.to_image(LANDMARK_INPUT_SIZE)
    # The network's edges lie at whole numbers, ours half a pixel beside them.
    landmarks = (pixels[:, :2] - 0.5) @ to_image[:, :2].T + to_image[:, 2]
    world = metres - metres[WRIST]
    world[:, :2] = world[:, :2] @ region.rotation.T
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    box = Box(*low.tolist(), *np.maximum(high, low + 1e-3).tolist())
    return DetectedHand(
        box, landmarks, world, float(presence), float(right_score), region_of_landmarks(landmarks)
    )
