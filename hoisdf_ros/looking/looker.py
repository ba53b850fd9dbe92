"""The network and the hand model around it: from a look to a posed hand."""

from collections.abc import Sequence

import numpy as np
import torch

from hoisdf_ros.conventions import NUM_MANO_JOINTS
from hoisdf_ros.datatypes import Array, Box, StageTimes
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.hand_model.inverse_kinematics import solve_pose
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.looking.look import Look, Pass, arrays_of, joints_of
from hoisdf_ros.network.hand_size import summary
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.hand_box import box_of_hand
from hoisdf_ros.postprocessing.objects import RawObject
from hoisdf_ros.preprocessing.crop import Crop, make_crop
from hoisdf_ros.preprocessing.roots import object_center
from hoisdf_ros.runtime.backend import Stopwatch
from hoisdf_ros.runtime.loading import LoadedNetwork


class Looker:
    """Shows hands to the network.

    Args:
        network: Ready to run.
        hand_model: Right hands, on the network's device.
    """

    def __init__(self, network: LoadedNetwork, hand_model: HandModel) -> None:
        self.network = network
        self.hand_model = hand_model

    def __call__(self, look: Look) -> Pass:
        """Look at one hand.

        Raises:
            ImageError: The boxes lie outside the image.
        """
        watch = Stopwatch()
        inputs = self.inputs(look)
        preprocess_ms = watch.lap()
        output = self.network.backend(inputs)
        (raw,) = self.read(output, [look])  # waits for the result, so that a GPU's time counts here
        return Pass(look, raw, output.features, StageTimes(preprocess_ms, watch.lap()))

    def inputs(self, look: Look) -> NetworkInput:
        """What the network is given of one hand, a batch of one on the network's device.

        Raises:
            ImageError: The boxes lie outside the image.
        """
        crop, wrist = self.crop(look), look.root.position
        flip = np.array([-1.0, 1.0, 1.0]) if crop.mirrored else np.ones(3)
        arrays = (
            crop.intrinsics,
            wrist * flip,
            self.center(look) * flip,
            crop.hand_box.array(),
            crop.object_box.array(),
        )
        device = self.network.backend.device
        image = torch.from_numpy(crop.apply(look.frame.image)).permute(2, 0, 1)
        return NetworkInput(
            image.unsqueeze(0).to(device).float() / 255,
            *(torch.from_numpy(array).float().unsqueeze(0).to(device) for array in arrays),
        )

    def read(self, output: NetworkOutput, looks: Sequence[Look]) -> list[tuple[RawHand, RawObject]]:
        """What the network says of each entry of a batch, as arrays.

        Args:
            output: Of `inputs`, one or several joined.
            looks: What each entry is of.
        """
        hands = self._raw_hands(output)
        votes = torch.cat([output.object.translation_votes, output.object.rotation_votes], dim=-1)
        tensors = (output.object.rotation, output.object.translation, votes)
        objects = zip(*map(arrays_of, tensors), strict=True)
        return [
            (hand, RawObject(rotation, place, spread, self.center(look), look.mirrored))
            for hand, (rotation, place, spread), look in zip(hands, objects, looks, strict=True)
        ]

    def crop(self, look: Look) -> Crop:
        """The part of the image that the network sees."""
        box, config = look.region.hand.box, self.network.config
        return make_crop(box, look.held_box, look.frame.camera, config, mirror=look.mirrored)

    def box_of(self, done: Pass, *, posed: bool) -> Box | None:
        """Where the network saw the hand, pixels; None where it saw none.

        Args:
            done: A look.
            posed: The pose, too, is believed.
        """
        crop, camera = self.crop(done.look), done.look.frame.camera
        pixels = project(joints_of(done), camera) if posed else None
        return box_of_hand(done.masks.hand, crop.hand_box, crop, camera.width, pixels)

    @torch.no_grad()
    def pixels_per_metre(self, done: Pass) -> float | None:
        """Pixels of the crop that a metre covers at the wrist, as learnt; None where nothing was.

        Args:
            done: A look.
        """
        size = self.network.hand_size
        return None if size is None else float(size(summary(done.features)).exp())

    def center(self, look: Look) -> Array:
        """(3,) centre of the object's crop, metres, camera frame of the image."""
        depth = self.network.config.object_depth or float(look.root.position[2])
        return object_center(look.held_box, depth, look.frame.camera)

    @torch.no_grad()
    def posed(self, rotations: Array, betas: Array) -> tuple[Array, Array]:
        """Another pose of a right hand.

        Args:
            rotations: (16, 3, 3) in MANO's order, wrist first.
            betas: (10,) shape.

        Returns:
            Vertices (778, 3) and joints (21, 3), metres from the wrist.
        """
        device = self.network.backend.device
        turns, shape = (
            torch.from_numpy(array).float().unsqueeze(0).to(device) for array in (rotations, betas)
        )
        hand: HandGeometry = self.hand_model(turns, shape)
        return arrays_of(hand.vertices)[0], arrays_of(hand.joints)[0]

    @torch.no_grad()
    def _raw_hands(self, output: NetworkOutput) -> list[RawHand]:
        rotations, shape = output.hand.rotations, output.hand.shape
        if rotations is None:
            flat = torch.eye(3, device=shape.device).expand(len(shape), NUM_MANO_JOINTS, 3, 3)
            template: HandGeometry = self.hand_model(flat, shape)
            voted = torch.cat([torch.zeros_like(template.joints[:, :1]), output.joints.joints], 1)
            # differs: the published rule gives up on a reflection; here it is put right
            rotations = solve_pose(template.joints, voted, reflection="corrected")
        posed: HandGeometry = self.hand_model(rotations, shape)
        votes, logits = output.joints.votes, output.joints.logits
        tensors = (posed.vertices, posed.joints, rotations, shape, votes, logits.softmax(dim=1))
        return [RawHand(*entry) for entry in zip(*map(arrays_of, tensors), strict=True)]
