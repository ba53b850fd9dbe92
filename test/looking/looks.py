"""A look at a small hand that holds something, without a network."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import torch

from hoisdf_ros.config import PRESETS
from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, Frame, Mesh, Root, StageTimes
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import sample_surface
from hoisdf_ros.looking.look import Look, Pass
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.network.io import ImageFeatures
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.objects import RawObject
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.crop import Crop, make_crop

CAMERA = Camera(600, 600, 320, 240, 640, 480)
HAND, THING = Box(260, 180, 380, 300), Box(300, 160, 420, 280)
SIZE = 160
"""Of the crop, pixels."""


class BlindLooker:
    """A looker whose network is never asked."""

    network = SimpleNamespace(config=PRESETS["demo"], model=None)

    def crop(self, look: Look) -> Crop:
        """As `Looker.crop`."""
        hand, camera = look.region.hand.box, look.frame.camera
        return make_crop(hand, look.held_box, camera, PRESETS["demo"], mirror=look.mirrored)


LOOKER = cast(Looker, BlindLooker())


def done_at(wrist: Array, stamp: float = 0.0, thing: float = 0.9) -> Pass:
    """What the network may say of a right hand.

    Args:
        wrist: (3,) metres.
        stamp: Of the frame, seconds.
        thing: Probability of the object's pixels.
    """
    frame = Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, stamp=stamp)
    region = HandRegion(Side.RIGHT, 1.0, Detection("right_hand", HAND), None, around=THING)
    root = Root(wrist, 1e-4 * np.eye(3), RootSource.DEPTH)
    rng = np.random.default_rng(0)
    skin = 0.03 * rng.normal(size=(778, 3))
    votes, weights = np.zeros((4, 20, 3)), np.full((4, 20), 0.25)
    turns = np.broadcast_to(np.eye(3), (16, 3, 3))
    hand = RawHand(skin, 0.03 * rng.normal(size=(21, 3)), turns, np.zeros(10), votes, weights)
    held = RawObject(np.zeros(3), np.zeros(3), np.zeros((4, 6)), wrist.copy(), mirrored=False)
    hand_mask, object_mask = torch.zeros(1, 1, SIZE // 2, SIZE // 2), torch.zeros(1, 1, 80, 80)
    hand_mask[..., 20:50, 15:40] = 0.9
    object_mask[..., 25:50, 40:65] = thing
    features = ImageFeatures((), torch.zeros(1, 1, 80, 80), hand_mask, object_mask)
    return Pass(Look(frame, region, root), (hand, held), features, StageTimes())


def holding(done: Pass, mesh: Mesh, rotation: Array, translation: Array, crop: Crop) -> Pass:
    """The look with depth and mask of an object in the hand.

    Args:
        done: A look without depth.
        mesh: The object's.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) metres.
        crop: What the network sees.
    """
    points, _ = sample_surface(mesh, 60_000, np.random.default_rng(0))
    placed = points @ rotation.T + translation
    depth = np.full((480, 640), np.nan, np.float32)
    x, y = np.rint(project(placed, CAMERA)).astype(int).T
    for column, row, z in zip(x, y, placed[:, 2], strict=True):
        if not depth[row, column] <= z:
            depth[row, column] = z
    seen = crop.apply(np.repeat(255 * np.isfinite(depth)[..., None].astype(np.uint8), 3, axis=2))
    mask = torch.from_numpy(seen[::2, ::2, 0] / 255.0)[None, None].float()
    features = done.features._replace(object_mask=mask)
    frame = replace(done.look.frame, depth=depth)
    return replace(done, look=replace(done.look, frame=frame), features=features)
