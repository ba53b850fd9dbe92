"""One run of the benchmark: everything in one process, with the same weights and pictures."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch

from hoisdf_ros.bench.agreement import Answer, agreement
from hoisdf_ros.bench.latency import describe_machine, time_stages, work_of_stages
from hoisdf_ros.bench.memory import memory_mb
from hoisdf_ros.bench.pictures import look_at
from hoisdf_ros.bench.roofline import measured_rates, roofline_rows
from hoisdf_ros.bench.sampling import full_size, sampling_curve
from hoisdf_ros.bench.scaling import cost_of_hands, cost_of_lattice, points_evaluated
from hoisdf_ros.bench.timing import Task, in_turns
from hoisdf_ros.config import EstimatorConfig, NetworkConfig
from hoisdf_ros.datatypes import Frame
from hoisdf_ros.detection.hand_detector import HandDetector
from hoisdf_ros.errors import BackendError, DetectorError, ImageError, RootError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.network.checkpoint import load_checkpoint
from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Backend, EagerBackend
from hoisdf_ros.runtime.loading import load_network, weights_file

Document = dict[str, Any]
"""What is measured, as JSON has it; milliseconds where a name ends in ``_ms``."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Args:
        runs: Rounds of the network, after one that is not counted.
        core_runs: The same of the whole core.
        scaling: Also the cost of hands and of the lattice, in so many rounds; 0: not.
    """

    runs: int = 40
    core_runs: int = 20
    scaling: int = 5


QUICK = Plan(runs=10, core_runs=6, scaling=0)


class Bench:
    """Measures one way to run the network.

    Args:
        config: Weights, preset, backend and whatever else says how the network runs.
        frames: What is looked at, with depth and boxes.

    Raises:
        HoisdfError: Weights or backend cannot be used.
    """

    def __init__(self, config: EstimatorConfig, frames: Sequence[Frame]) -> None:
        self.config = config
        self.estimator = Estimator(config)
        self.frames = list(frames)
        network = self.estimator.network
        self._exact = exact_network(config, network.config, network.backend.device)
        self._twin = _eager_twin(config)

    @property
    def backend(self) -> Backend:
        """What is measured."""
        return self.estimator.network.backend

    @cached_property
    def looks(self) -> list[Look]:
        """Each frame's hand, where depth shows it."""
        looks = (_look_at(frame, self.config) for frame in self.frames)
        found = [look for look in looks if look is not None]
        if not found:
            raise RootError(
                f"depth shows the wrist in none of {len(self.frames)} pictures: expected it in "
                "most; take more pictures"
            )
        return found

    @cached_property
    def inputs(self) -> list[NetworkInput]:
        """What the network is given of each look."""
        return [self.estimator.inputs(look) for look in self.looks]

    def measure(self, plan: Plan) -> Document:
        """Everything that needs no ROS."""
        document = self.described() | {"runs": plan.runs, "pictures": len(self.looks)}
        document |= self.network(plan.runs)
        document |= self.compared()
        document |= self.core(plan.core_runs)
        document["memory_mb"] = memory_mb(self._once, self.backend.device)
        if plan.scaling:
            inputs = (self.inputs * 4)[: max(4, len(self.inputs))]
            document["hands"] = cost_of_hands(self.backend, inputs, plan.scaling)
            document["lattices"] = cost_of_lattice(self._exact.model, inputs, plan.scaling)
            document["searches"] = self.searches()
        return document

    def described(self) -> Document:
        """What runs, and on what."""
        info = asdict(self.estimator.describe())
        kept = ("preset", "weights", "weights_hash", "trained", "backend", "precision", "device")
        network = self.estimator.network.config
        return {name: info[name] for name in kept} | {
            "sampler": getattr(network, "sampler", "dense"),
            "lattice": network.lattice_size,
            "machine": describe_machine(self.backend.device),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "load_average": round(os.getloadavg()[0], 1),
            "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", ""),
        }

    def network(self, runs: int) -> Document:
        """The network alone beside the exact one, its stages, and the machine's limits."""
        tasks = {
            "network": lambda turn: self.backend(self._input(turn)),
            "exact": lambda turn: self._exact(self._input(turn)),
            "exact again": lambda turn: self._exact(self._input(turn)),
        }
        taken = in_turns(tasks, runs, self.backend.device)
        ours, exact = taken["network"], taken["exact"]
        stages = time_stages(self._twin.model, self.inputs, runs)
        rates = measured_rates(self.backend.device)
        works = work_of_stages(self._twin.model, self.inputs[0])
        return {
            "network_ms": ours.numbers(),
            "dense_eager_ms": exact.numbers(),
            "speedup": round(exact.median / ours.median, 2),
            "noise": round(abs(1 - taken["exact again"].median / exact.median), 3),
            "stages_ms": {stage: timing.numbers() for stage, timing in stages.items()},
            "rates": {
                "gflop_per_s": round(rates.flops / 1e9, 1),
                "gbyte_per_s": round(rates.bytes / 1e9, 1),
            },
            "roofline": roofline_rows(works, stages, rates),
        }

    def compared(self) -> Document:
        """How far the answers are from the exact ones, and from how many points."""
        found = agreement(self.answers(self.backend), self.answers(self._exact))
        hand, held = points_evaluated(self._twin.model, self.inputs[0])
        exact = points_evaluated(self._exact.model, self.inputs[0])
        return {
            "fast_vs_dense_joint_mm_p99": round(found.joint_mm, 4),
            "fast_vs_dense_object_mm_p99": round(found.object_mm, 4),
            "fast_vs_dense_object_deg_p99": round(found.object_deg, 4),
            "points_evaluated": {"hand": hand, "object": held, "dense": sum(exact)},
        }

    def searches(self) -> list[Document]:
        """What budgets of the coarse-to-fine search cost in accuracy, a full-size one's as well."""
        own = self._exact.model
        other = full_size(own)
        networks = (own,) if other.config == own.config else (own, other)
        return [
            {"lattice": network.config.lattice_size, **found.row()}
            for network in networks
            for found in sampling_curve(network, self.estimator.hand_model, self.inputs)
        ]

    def core(self, runs: int) -> Document:
        """A frame from image to estimate with boxes given, and what finding hands would add."""
        tasks: dict[str, Task] = {"core_ms": lambda turn: self.estimator(self._frame(turn))}
        missing = {}
        try:
            detector = HandDetector(device=self.backend.device)
        except DetectorError as error:
            missing["detector_ms"] = str(error)
        else:
            tasks["detector_ms"] = lambda turn: detector(self._frame(turn).image)
        taken = in_turns(tasks, runs, self.backend.device)
        found = {name: timing.numbers() for name, timing in taken.items()}
        return {"core_ms": None, "detector_ms": None} | found | {"missing": missing}

    def answers(self, backend: Backend) -> list[Answer]:
        """What a way to run the network says of each look."""
        pairs = zip(self.inputs, self.looks, strict=True)
        return [self.estimator.read(backend(crop), [look])[0] for crop, look in pairs]

    def _once(self) -> None:
        for crop in self.inputs:
            self.backend(crop)

    def _input(self, turn: int) -> NetworkInput:
        return self.inputs[turn % len(self.inputs)]

    def _frame(self, turn: int) -> Frame:
        return self.frames[turn % len(self.frames)]


def _look_at(frame: Frame, config: EstimatorConfig) -> Look | None:
    try:
        return look_at(frame, config)
    except (RootError, ImageError):
        return None


def exact_network(config: EstimatorConfig, network: NetworkConfig, device: str) -> EagerBackend:
    """The network as it is written down: every point in the boxes evaluated, nothing folded.

    It stands for the published code, and is what every faster way is compared with.

    Args:
        config: Names the weights; without any the numbers are random, as `load_network`'s are.
        network: The preset.
        device: Where it runs.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Hoisdf(replace(network, sampler="dense"))
    weights = weights_file(config.weights)
    if weights is not None:
        load_checkpoint(weights, model)
    return EagerBackend(model, device)


def _eager_twin(config: EstimatorConfig) -> EagerBackend:
    """The network as it is served, in parts that can be timed."""
    backend = load_network(replace(config, backend="eager")).backend
    if not isinstance(backend, EagerBackend):
        raise BackendError(f"backend '{backend.name}' where eager was asked for; a bug, report it")
    return backend
