"""One process of several under ``torchrun``, or the only one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from hoisdf_ros.runtime.backend import choose_device


@dataclass(frozen=True)
class Process:
    """Who this process is.

    Args:
        rank, world: Number of this process, and how many there are.
        device: Where its copy of the network is.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0


@contextmanager
def join(wanted: str) -> Iterator[Process]:
    """Meet the other processes that torchrun started; alone without it.

    Args:
        wanted: ``auto``, ``cpu`` or ``cuda``; each process takes the GPU of its local rank.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    device = torch.device(choose_device(wanted))
    if world == 1:
        yield Process(0, 1, device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Process(dist.get_rank(), world, device)
    finally:
        dist.destroy_process_group()
