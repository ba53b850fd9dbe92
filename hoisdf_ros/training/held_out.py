"""A look at samples that are not trained on: errors, and a picture of what is predicted.

A quick measure to watch training by; `evaluation` holds the field's metrics.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hoisdf_ros.conventions import BONES
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import NetworkOutput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import search_capacity
from hoisdf_ros.training.batch import Batch

MM = 1000.0
SHOWN = 8
TRUE, PREDICTED = (40, 220, 40), (240, 60, 60)  # RGB


@torch.no_grad()
def measure(
    network: Hoisdf, hand_model: HandModel, batches: Sequence[Batch]
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Mean errors in millimetres, and the first samples drawn.

    Args:
        network: In evaluation mode.
        hand_model: The right hand, on the network's device.
        batches: On the CPU, without variation, so that the wrist is the true one.

    Returns:
        ``mje_mm`` of the joints relative to the wrist, ``mean_pose_mje_mm`` of these samples' own
        mean joints (the best that one pose can do), ``votes_mje_mm``, ``object_mm`` of the
        object's origin; and rows of crops with true joints in green, predicted ones in red.
    """
    device = next(network.parameters()).device
    errors: dict[str, list[Tensor]] = {"mje_mm": [], "votes_mje_mm": [], "object_mm": []}
    truth: list[Tensor] = []
    tiles: list[NDArray[np.uint8]] = []
    for batch in batches:
        inputs, targets, known, _ = batch.to(device)
        output = network(inputs, search_capacity(network, inputs))
        joints = _joints(output, hand_model)
        labelled = known.joints.to(device)
        truth.append(targets.joints[labelled])
        posed = known.object_pose.to(device)
        for name, value, target, index in (
            ("mje_mm", joints, targets.joints, labelled),
            ("votes_mje_mm", output.joints.joints, targets.joints, labelled),
            ("object_mm", output.object.translation, targets.object_translation, posed),
        ):
            distance = torch.linalg.vector_norm(value[index] - target[index], dim=-1)
            errors[name].append(MM * distance.flatten())
        if len(tiles) < SHOWN:
            tiles += [_drawn(batch, joints.cpu(), k) for k in range(len(batch.keys))]
    every = torch.cat(truth)
    distance = torch.linalg.vector_norm(every - every.mean(dim=0), dim=-1)
    errors["mean_pose_mje_mm"] = [MM * distance.flatten()]
    joined = {name: torch.cat(values) for name, values in errors.items()}
    means = {name: float(value.mean()) for name, value in joined.items() if len(value)}
    return means, np.concatenate(tiles[:SHOWN], axis=1)


def _joints(output: NetworkOutput, hand_model: HandModel) -> Tensor:
    """(B, 20, 3) of the posed hand; voted ones where no pose is regressed."""
    if output.hand.rotations is None:
        return output.joints.joints
    posed: HandGeometry = hand_model(output.hand.rotations, output.hand.shape)
    return posed.joints[:, 1:]


def _drawn(batch: Batch, joints: Tensor, k: int) -> NDArray[np.uint8]:
    picture = (255 * batch.inputs.image[k].permute(1, 2, 0)).byte().numpy().copy()
    for points, colour in ((batch.targets.joints[k], TRUE), (joints[k], PREDICTED)):
        if points.isfinite().all():
            wrist = batch.inputs.hand_root[k]
            seen = torch.cat([wrist[None], points + wrist]) @ batch.inputs.intrinsics[k].T
            pixels = (seen[:, :2] / seen[:, 2:].clamp(min=1e-3)).clamp(-999, 999).round().int()
            for a, b in BONES:
                cv2.line(picture, pixels[a].tolist(), pixels[b].tolist(), colour, 1, cv2.LINE_AA)
    return np.asarray(picture, dtype=np.uint8)
