"""The mean hand of a training split: what a predictor that looks at no image says best."""

import numpy as np
from tqdm import tqdm

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.by_name import Choice, DataName, open_named, training_part
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.datatypes import Array
from hoisdf_ros.evaluation.hand import mean_pose, root_relative

HANDS = 2000
"""Samples the mean is taken over: the first ones of synthetic data, else evenly spread ones."""

SYNTHETIC_SEED, GRASPS = 0, 128
"""Of the synthetic training split, whatever seed is measured: one number for all test sets."""


def mean_hand(name: DataName, choice: Choice) -> Array:
    """The mean of the training split's joints, relative to the wrist, left hands mirrored.

    Args:
        name: The split that is measured.
        choice: As it was opened.

    Returns:
        (21, 3) metres, a right hand, axes of the camera, wrist at the origin.

    Raises:
        DataError: The training split, or a file of it, is missing.
    """
    part = training_part(name)
    if part.root is not None:
        return mean_pose(np.stack(_annotated(part, choice)))
    grasps = min(choice.grasps or GRASPS, GRASPS)
    data = SyntheticData("train", HANDS, SYNTHETIC_SEED, grasps=grasps)
    return mean_pose(np.stack([_right(*data.hand(index)) for index in range(HANDS)]))


def on_side(hand: Array, side: Side) -> Array:
    """(21, 3) a right hand's joints as that side's."""
    return hand @ MIRROR if side is Side.LEFT else hand


def _annotated(part: DataName, choice: Choice) -> list[Array]:
    samples = open_named(part, choice).samples
    places = np.unique(np.linspace(0, len(samples) - 1, min(HANDS, len(samples))).astype(int))
    bar = tqdm(places.tolist(), desc=f"mean hand of {part}", unit="frame", disable=None)
    found = [samples[place] for place in bar if samples.usable(place)]
    return [_right(one.side, one.joints) for one in found if one.joints is not None]


def _right(side: Side, joints: Array) -> Array:
    return on_side(root_relative(joints), side)
