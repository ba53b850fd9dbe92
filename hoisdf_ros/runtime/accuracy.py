"""How far a compiled network's answers lie from those of the network itself."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from hoisdf_ros.errors import BackendError
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.flat import flattened, restored

Run = Callable[[NetworkInput], NetworkOutput]

LIMITS = {
    "fp32": {"joints_mm": 0.2, "object_mm": 0.2, "rotation_deg": 0.2, "mask": 0.01},
    "fp16": {"joints_mm": 2.0, "object_mm": 2.0, "rotation_deg": 1.0, "mask": 0.05},
    "bf16": {"joints_mm": 10.0, "object_mm": 10.0, "rotation_deg": 5.0, "mask": 0.2},
}
"""Largest difference that is let pass, over all probes; far below what the network itself errs,
and above what rounding brings: of two equally near points another one may be chosen."""

PROBES = 3


def probes(image_size: int, device: str) -> list[NetworkInput]:
    """Crops to compare on: soft blobs of colour, and a hand half a metre away.

    Args:
        image_size: Side of the crop, pixels.
        device: Where they are wanted.
    """
    middle, focal = image_size / 2, 1.9 * image_size
    intrinsics = torch.tensor([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])
    crops = []
    for seed in range(PROBES):
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.rand(1, 3, 6, 6, generator=generator)
        image = torch.nn.functional.interpolate(
            coarse, (image_size, image_size), mode="bilinear", align_corners=True
        )
        root = torch.tensor([[0.01 * seed, -0.01 * seed, 0.45 + 0.05 * seed]])
        hand_box = torch.tensor([[0.2, 0.25, 0.75, 0.8]]) * image_size
        object_box = torch.tensor([[0.3, 0.2, 0.8, 0.7]]) * image_size
        parts = (image, intrinsics[None], root, root + 0.02, hand_box, object_box)
        crops.append(NetworkInput(*(part.to(device) for part in parts)))
    return crops


@torch.no_grad()
def differences(reference: Run, run: Run, crops: Sequence[NetworkInput]) -> dict[str, float]:
    """The largest differences over some crops: millimetres, degrees, probability.

    Args:
        reference: The network.
        run: The compiled one.
        crops: What both are given.
    """
    worst: dict[str, float] = {}
    for crop in crops:
        for name, value in _differences(reference(crop), run(crop)).items():
            worst[name] = float(np.maximum(value, worst.get(name, 0.0)))  # which keeps a NaN
    return worst


def compare(network: Hoisdf, run: Run, precision: str, device: str) -> dict[str, float]:
    """The largest differences from the network itself, which computes on the CPU.

    Not on the GPU, whose convolutions round their inputs to 10 bits unless they are told not to.

    Args:
        network: Single precision.
        run: The compiled one.
        precision: Its precision.
        device: Where it runs.

    Raises:
        BackendError: They are too large.
    """

    def there_and_back(crop: NetworkInput) -> NetworkOutput:
        output = run(NetworkInput(*(value.to(device) for value in crop)))
        return restored([value.cpu() for value in flattened(output)])

    reference = copy.deepcopy(network).cpu()
    found = differences(reference, there_and_back, probes(network.config.image_size, "cpu"))
    check(found, precision)
    return found


def check(found: dict[str, float], precision: str) -> None:
    """Refuse what lies too far off.

    Raises:
        BackendError: Beyond `LIMITS`, or not a number; all are named.
    """
    limits = LIMITS[precision]
    wrong = [
        f"{name} {found[name]:.3g} (at most {limit:g})"
        for name, limit in limits.items()
        if not found[name] <= limit
    ]
    if wrong:
        raise BackendError(
            f"the compiled network in {precision} differs from the network itself: "
            f"{', '.join(wrong)}; take precision fp32, or backend eager"
        )


def _differences(one: NetworkOutput, other: NetworkOutput) -> dict[str, float]:
    turned = [_degrees(*(_matrices(output.object.rotation) for output in (one, other)))]
    if one.hand.rotations is not None and other.hand.rotations is not None:
        turned.append(_degrees(one.hand.rotations, other.hand.rotations))
    masks = zip(one.features[2:], other.features[2:], strict=True)  # of the hand, of the object
    return {
        "joints_mm": _millimetres(one.joints.joints, other.joints.joints),
        "object_mm": _millimetres(one.object.translation, other.object.translation),
        "rotation_deg": float(torch.stack(turned).max()),
        "mask": float(torch.stack([(a - b).abs().max() for a, b in masks]).max()),
    }


def _millimetres(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm(dim=-1).max()) * 1e3


def _matrices(vectors: Tensor) -> Tensor:
    """Rotation matrices (B, 3, 3) of rotation vectors (B, 3), radians; NaN for NaN."""
    rows = vectors.double().numpy()
    finite = np.isfinite(rows).all(axis=1, keepdims=True)
    matrices = matrix_from_rotation_vector(np.where(finite, rows, 0.0))
    return torch.from_numpy(np.where(finite[..., None], matrices, np.nan))


def _degrees(one: Tensor, other: Tensor) -> Tensor:
    """The largest angle between rotation matrices."""
    # from the chord, since an arc cosine knows nothing of small angles
    chord = (one.double() - other.double()).flatten(-2).norm(dim=-1) / 8**0.5
    return torch.rad2deg(2 * chord.clamp(max=1.0).asin()).max()
