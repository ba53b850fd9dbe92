"""How near to the machine's limits: arithmetic and memory traffic against measured rates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from hoisdf_ros.bench.timing import Task, Timing, in_turns

_ROUNDS = 7


@dataclass(frozen=True)
class Rates:
    """What a device reaches when nothing else is asked of it.

    Args:
        flops: Of fp32 matrix products, per second.
        bytes: Read and written by a copy, per second.
    """

    flops: float
    bytes: float


@dataclass(frozen=True)
class Work:
    """What a computation asks for.

    Args:
        flops: Multiplications and additions of products, convolutions and attention.
        bytes: Tensors read and written, each operator's own: what eager execution moves at most.
    """

    flops: int
    bytes: int

    def least_ms(self, rates: Rates) -> float:
        """The time below which this work cannot be done, milliseconds."""
        return 1e3 * max(self.flops / rates.flops, self.bytes / rates.bytes)

    def share_of_limit(self, milliseconds: float, rates: Rates) -> float:
        """1 where the machine does all it can; small tensors in caches can exceed it."""
        return self.least_ms(rates) / milliseconds


def measured_rates(device: str) -> Rates:
    """The fastest of some products of large matrices, and of copies larger than any cache."""
    large = device.startswith("cuda")
    side, length = (4096, 1 << 28) if large else (1024, 1 << 25)
    matrix, source = torch.ones(side, side, device=device), torch.ones(length, device=device)
    product, target = torch.empty_like(matrix), torch.empty_like(source)
    tasks: dict[str, Task] = {
        "product": lambda _: torch.mm(matrix, matrix, out=product),
        "copy": lambda _: target.copy_(source),
    }
    taken = in_turns(tasks, _ROUNDS, device)
    seconds = {name: min(timing.milliseconds) * 1e-3 for name, timing in taken.items()}
    moved = 2 * source.numel() * source.element_size()
    return Rates(2 * side**3 / seconds["product"], moved / seconds["copy"])


def work_of(task: Callable[[], object]) -> Work:
    """Count what one call asks for."""
    with torch.no_grad(), _Counter() as counter:
        task()
    return Work(counter.flops, counter.bytes)


def roofline_rows(
    works: Mapping[str, Work], timings: Mapping[str, Timing], rates: Rates
) -> list[dict[str, Any]]:
    """For a report: each stage's work, and the share of the limit that its median reaches."""
    return [
        {
            "stage": stage,
            "gflop": round(work.flops / 1e9, 3),
            "mbyte": round(work.bytes / 1e6, 2),
            "least_ms": round(work.least_ms(rates), 3),
            "share_of_limit": round(work.share_of_limit(timings[stage].median, rates), 3),
            "bound_by": "arithmetic"
            if work.flops / rates.flops > work.bytes / rates.bytes
            else "memory",
        }
        for stage, work in works.items()
    ]


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up operators' arithmetic and the tensors they read and write; views move nothing.

    `torch.utils.flop_counter.FlopCounterMode` has the same formulas, but its hooks on modules
    refuse to work without gradients.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops, self.bytes = 0, 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if (formula := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += int(formula(*args, **kwargs, out_val=result))
        read, written = _tensors((args, kwargs)), _tensors(result)
        homes = {tensor.untyped_storage().data_ptr() for tensor in read}
        is_view = all(tensor.untyped_storage().data_ptr() in homes for tensor in written)
        if func._schema.is_mutable or not is_view:
            self.bytes += sum(_size(tensor) for tensor in (*read, *written))
        return result


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _size(tensor: Tensor) -> int:
    """Bytes of memory behind a tensor; an expanded one has fewer than elements."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
