"""How many threads share an operation's work on a CPU."""

import torch
from torch import nn

USUAL = torch.get_num_threads()
"""Torch's own choice, or that of OMP_NUM_THREADS."""

_SMALL = 10_000_000
"""Parameters. Operations of smaller networks take less time than waking a second thread does, which
sleeps between them (OMP_WAIT_POLICY=PASSIVE): the demo network needs 32 ms on one thread of an AMD
EPYC and 47 to 57 ms on two; dexycb, of 52 million parameters, 460 ms on two and 800 on one."""


def use_threads(network: nn.Module, wanted: int) -> int:
    """Set torch's number of threads for this process.

    Threads that have computed with torch before keep the number that they had.

    Args:
        network: What is going to run.
        wanted: So many; 0: as many as pay.

    Returns:
        The number.
    """
    small = sum(parameter.numel() for parameter in network.parameters()) < _SMALL
    count = wanted or (1 if small else USUAL)
    torch.set_num_threads(count)
    return count
