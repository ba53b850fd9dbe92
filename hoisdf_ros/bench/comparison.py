"""One line of a parity report."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Comparison:
    """How far one array is from its golden twin.

    Args:
        stage: Where in the network, or ``end to end``.
        array: Published name.
        error: Largest difference, as a share of the golden array's largest value; NaN or
            infinite where the two cannot be compared.
        tolerance: Largest error that still agrees.
        note: What the number means when it is not that share.
    """

    stage: str
    array: str
    error: float
    tolerance: float
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the error is a number within the tolerance."""
        return self.error <= self.tolerance


def relative_error(ours: Tensor, golden: Tensor) -> float:
    """Largest difference as a share of the golden array's largest value.

    Args:
        ours: Any shape with the golden's number of elements; axes of length one may differ.
        golden: The reference; where it is NaN, ours must be NaN too.
    """
    if ours.squeeze().shape != golden.squeeze().shape:
        return float("inf")
    difference = (ours.reshape(golden.shape) - golden).abs()
    both_undefined = ours.reshape(golden.shape).isnan() & golden.isnan()
    difference = torch.where(both_undefined, 0.0, difference)
    if difference.isnan().any():
        return float("nan")
    largest = golden.abs().nan_to_num(0.0).max()
    return float(difference.max() / (largest if largest > 0 else 1.0))
