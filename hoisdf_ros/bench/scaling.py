"""What more hands and a finer lattice cost (the paper's Fig. 7 varies the lattice)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from hoisdf_ros.bench.timing import Task, in_turns
from hoisdf_ros.network.io import NetworkInput, joined
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Backend, EagerBackend, search_capacity

HANDS = (1, 2, 4)
LATTICES = (32, 48, 64, 96)


def points_evaluated(model: Hoisdf, inputs: NetworkInput) -> tuple[int, int]:
    """How often the hand's field and the object's are asked while points are sought, per crop."""
    counts = [0, 0]

    def count(field: int, _: object, args: tuple[torch.Tensor, ...]) -> None:
        counts[field] += args[1].shape[1]  # (B, N, 3) points

    fields = (model.hand_field, model.object_field)
    hooks = [f.register_forward_pre_hook(partial(count, n)) for n, f in enumerate(fields)]
    try:
        with torch.no_grad():
            features = model.image_features(inputs.image)
            model.query_points(features, inputs, search_capacity(model, inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return counts[0], counts[1]


def cost_of_hands(
    backend: Backend, inputs: Sequence[NetworkInput], runs: int
) -> list[dict[str, Any]]:
    """Several hands in one batch, and one after the other.

    Args:
        backend: Runs them.
        inputs: At least as many crops as `HANDS` asks for.
        runs: Rounds.
    """
    rows = []
    for count in HANDS:
        crops, batch = inputs[:count], joined(inputs[:count])
        tasks = {"batched": in_turn(backend, [batch]), "singly": _one_by_one(backend, crops)}
        taken = in_turns(tasks, runs, backend.device)
        row = {f"{name}_ms": timing.numbers() for name, timing in taken.items()}
        rows.append({"hands": count, **row})
    return rows


def cost_of_lattice(
    model: Hoisdf, inputs: Sequence[NetworkInput], runs: int
) -> list[dict[str, Any]]:
    """The eager network with the same weights over lattices of other sizes, in turns."""
    device = str(inputs[0].image.device)
    sizes = sorted({model.config.lattice_size, *LATTICES})
    models = {size: variant(model, lattice_size=size).to(device) for size in sizes}
    backends = {str(size): EagerBackend(net, device) for size, net in models.items()}
    tasks = {size: in_turn(backend, inputs) for size, backend in backends.items()}
    taken = in_turns(tasks, runs, device)
    return [
        {
            "lattice": size,
            "points_evaluated": sum(points_evaluated(models[size], inputs[0])),
            "network_ms": taken[str(size)].numbers(),
        }
        for size in sizes
    ]


def variant(model: Hoisdf, **changes: Any) -> Hoisdf:  # noqa: ANN401
    """The same network, weights shared, with other settings that shape no weight.

    Args:
        model: Whose weights.
        changes: Of its `NetworkConfig`, such as ``lattice_size``.
    """
    other = Hoisdf(replace(model.config, **changes)).eval()
    other.load_state_dict(model.state_dict(), assign=True)
    return other


def in_turn(backend: Backend, inputs: Sequence[NetworkInput]) -> Task:
    """A task that takes one crop after the other."""
    return lambda turn: backend(inputs[turn % len(inputs)])


def _one_by_one(backend: Backend, inputs: Sequence[NetworkInput]) -> Task:
    return lambda _: [backend(crop) for crop in inputs]
