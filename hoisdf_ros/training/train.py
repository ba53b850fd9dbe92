"""The training loop: `hoisdf train`."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from hoisdf_ros.config import preset
from hoisdf_ros.errors import CheckpointError, TrainingError
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.training.average import WeightAverage
from hoisdf_ros.training.batch import Batch, ExampleMaker, collate
from hoisdf_ros.training.checkpoints import (
    BEST,
    LAST,
    code_version,
    read_checkpoint,
    write_checkpoint,
)
from hoisdf_ros.training.held_out import measure
from hoisdf_ros.training.journal import Journal
from hoisdf_ros.training.objective import Losses, Objective, plan_queries
from hoisdf_ros.training.processes import Process, join
from hoisdf_ros.training.schedule import learning_rate
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.start import start_network
from hoisdf_ros.training.stream import Examples, Helpers, Order, TrainingData, stream

MAY_CHANGE = ("epochs", "workers", "device", "log_every", "save_every", "held_out")
"""Settings that may differ when a run goes on; the others would change its course."""

_QUERIES, _CHANCE, _HELD_OUT = 2, 3, 4  # keep the random numbers of different uses apart


def train(config: TrainConfig, data: TrainingData, out: Path, *, resume: bool = False) -> None:
    """Train a network, or go on where a run was interrupted.

    Args:
        config: The recipe.
        data: Samples and meshes.
        out: Folder for checkpoints, log and pictures.
        resume: Go on from ``last.pth`` in ``out`` if it is there.

    Raises:
        TrainingError: A loss that is not finite, a full disk, a worker that died, a folder with
            another run in it.
        CheckpointError: The checkpoint cannot be read, or is of other settings.
    """
    with join(config.device) as process:
        _Run(config, data, out, process).go(resume=resume)


class _Run:
    """One process of a run."""

    def __init__(
        self, config: TrainConfig, data: TrainingData, out: Path, process: Process
    ) -> None:
        self.config, self.data, self.out, self.process = config, data, out, process
        torch.manual_seed(config.seed)
        network_config = preset(config.preset)
        self.network = Hoisdf(network_config)
        start_network(self.network, config)
        self.network.to(process.device)
        # a tenth faster; torch's types do not know the argument
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        hand_model = HandModel(load_right_hand(config.hand_model_dir))
        self.maker = ExampleMaker(network_config, hand_model, data.objects)
        self.hand_model = HandModel(hand_model.arrays).to(process.device)
        mixed = config.mixed and process.device.type == "cuda"
        objective: nn.Module = Objective(
            self.network,
            self.hand_model,
            mixed=mixed,
            image_only=config.image_only,
            emphasis=config.emphasis,
        )
        if process.world > 1:
            # a label that no sample of a batch has leaves its head without gradient
            objective = DistributedDataParallel(objective, find_unused_parameters=True)
        self.objective = objective
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.network, config),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,  # in a loop over all its small tensors it is a tenth of a step
        )
        self.average = WeightAverage(self.network, config.average_decay)
        self.averaged = Hoisdf(network_config).eval().to(process.device)
        self.order = Order(
            len(data.samples), config.batch_size, config.seed, process.rank, process.world
        )
        if not self.order.steps:
            raise TrainingError(
                f"{data.name} has {len(data.samples)} samples, too few for one step of "
                f"{config.batch_size * process.world}; lower batch_size"
            )
        self.step, self.best, self.code = 0, math.inf, code_version()

    @property
    def last_step(self) -> int:
        return self.config.epochs * self.order.steps

    def go(self, *, resume: bool) -> None:
        """Train to the end."""
        self._start(resume=resume)
        journal = Journal(self.out, self.step) if self.process.leads else None
        held_out = list(self._held_out()) if self.process.leads else []
        examples = Examples(self.data.samples, self.maker, self.config.augment, self.config.seed)
        batches = stream(
            examples, self.order, self.step, self.last_step, Helpers(self.config.workers)
        )
        with tqdm(
            total=self.last_step,
            initial=self.step,
            unit="step",
            disable=not self.process.leads,
            dynamic_ncols=True,
        ) as bar:
            for batch in batches:
                losses, norm = self._train_on(batch)
                bar.update()
                if journal is not None:
                    self._report(journal, losses, norm, bar)
                    self._epoch_end(journal, held_out, bar)

    def _start(self, *, resume: bool) -> None:
        last = self.out / LAST
        if last.exists() and not resume:
            raise TrainingError(
                f"{last} is there: go on with --resume, or give another folder with --out"
            )
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(
                f"folder {self.out}: {error.strerror}; give another --out"
            ) from error
        if last.exists():
            self._load(read_checkpoint(last))

    def _train_on(self, batch: Batch) -> tuple[Losses, Tensor]:
        """One step; chance depends on seed, step and rank, so that it can be taken again."""
        config, process = self.config, self.process
        rng = np.random.default_rng((config.seed, self.step, _QUERIES))
        plan = plan_queries(
            self.step / self.order.steps,
            config.true_points_epochs,
            config.true_points_share,
            rng,
        )
        chance = np.random.default_rng((config.seed, self.step, process.rank, _CHANCE))
        torch.manual_seed(int(chance.integers(2**63)))
        rate = learning_rate(config, self.step, self.order.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["scale"] * rate
        self.objective.train()
        losses: Losses = self.objective(batch.to(process.device), plan)
        self.optimizer.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.parameters, config.clip_norm)
        if not (losses.total.isfinite() & norm.isfinite()):
            raise self._not_finite(batch, losses)
        self.optimizer.step()
        self.average.update(self.network)
        self.step += 1
        return losses, norm

    def _not_finite(self, batch: Batch, losses: Losses) -> TrainingError:
        path = self.out / f"bad_batch_{self.process.rank}.pth"
        content = {
            "step": self.step,
            "keys": list(batch.keys),
            "inputs": batch.inputs._asdict(),
            "targets": _plain(batch.targets),
            "terms": {name: float(value) for name, value in losses.terms.items()},
            "network": self.network.state_dict(),
        }
        write_checkpoint(path, content)
        bad = [name for name, value in losses.terms.items() if not value.isfinite()]
        return TrainingError(
            f"step {self.step}: {', '.join(bad) or 'the gradient'} is not finite; the batch "
            f"({', '.join(batch.keys[:3])}, ...) is in {path}: look at it, lower learning_rate "
            f"or mend the data, and go on with --resume from step {self._saved_step()}"
        )

    def _saved_step(self) -> int:
        last = self.out / LAST
        return int(read_checkpoint(last)["training"]["step"]) if last.exists() else 0

    def _report(self, journal: Journal, losses: Losses, norm: Tensor, bar: "tqdm[Any]") -> None:
        if self.step % self.config.log_every == 0 or self.step == self.last_step:
            terms = {f"loss/{name}": float(value) for name, value in losses.terms.items()}
            total = float(losses.total.detach())
            rate = learning_rate(self.config, self.step - 1, self.order.steps)
            more = {"loss/total": total, "gradient_norm": float(norm), "learning_rate": rate}
            journal.write(self.step, more | terms)
            bar.set_description(f"epoch {self.step // self.order.steps} loss {total:.1f}")

    def _epoch_end(self, journal: Journal, held_out: list[Batch], bar: "tqdm[Any]") -> None:
        ended = self.step % self.order.steps == 0
        if ended and held_out:
            self.averaged.load_state_dict(self.average.values)
            errors, picture = measure(self.averaged, self.hand_model, held_out)
            journal.write(self.step, {f"held_out/{name}": e for name, e in errors.items()})
            journal.show(self.step, self.step // self.order.steps, picture)
            error = errors.get("mje_mm", math.inf)
            bar.set_postfix_str(f"held out {error:.1f} mm")
            if error < self.best:
                self.best = error
                write_checkpoint(self.out / BEST, self._served())
        if ended or self.step % self.config.save_every == 0:
            write_checkpoint(self.out / LAST, self._served() | {"training": self._state()})

    def _held_out(self) -> Iterator[Batch]:
        samples, size = self.data.held_out, self.config.batch_size
        examples = Examples(samples, self.maker, None, self.config.seed)
        count = min(self.config.held_out, len(samples))
        places = np.linspace(0, len(samples) - 1, count).astype(int).tolist() if count else []
        for start in range(0, count, size):
            yield collate([examples[(_HELD_OUT, k)] for k in places[start : start + size]])

    def _served(self) -> dict[str, Any]:
        """What any command can load: the averaged weights, and where they come from."""
        return {
            "network": dict(self.average.values),
            "preset": self.config.preset,
            "network_config": asdict(self.network.config),
            "config": asdict(self.config),
            "code": self.code,
            "data": self.data.name,
            "seed": self.config.seed,
            "step": self.step,
            "epoch": self.step / self.order.steps,
        }

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average_updates": self.average.updates,
            "best": self.best,
            "step": self.step,
            "world": self.process.world,
        }

    def _load(self, content: dict[str, Any]) -> None:
        """Take over a checkpoint's state.

        Raises:
            CheckpointError: It belongs to other settings or data.
        """
        ours = asdict(self.config) | {"data": self.data.name, "processes": self.process.world}
        state = content["training"]
        theirs = content["config"] | {"data": content["data"], "processes": state["world"]}
        changed = [
            f"{name} {theirs.get(name)!r} (now {value!r})"
            for name, value in ours.items()
            if name not in MAY_CHANGE and theirs.get(name) != value
        ]
        if changed:
            raise CheckpointError(
                f"{self.out / LAST} was trained with {'; '.join(changed)}: go on with the same "
                "settings, or start a new run from it by the setting 'weights'"
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load(content["network"], state["average_updates"])
        self.step, self.best = state["step"], state["best"]


def parameter_groups(network: Hoisdf, config: TrainConfig) -> list[dict[str, Any]]:
    """What is trained, in groups whose learning rates differ by the factor ``scale``.

    Args:
        network: Its frozen parameters are left out.
        config: The factors of backbone and decoder.
    """
    scales = {"backbone": config.backbone_rate, "decoder": config.decoder_rate, "": 1.0}
    groups: dict[str, dict[str, Any]] = {
        part: {"params": [], "scale": scale} for part, scale in scales.items()
    }
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            part = name.partition(".")[0]
            groups[part if part in groups else ""]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]


def _plain(part: Any) -> Any:  # noqa: ANN401
    """Named tuples as dicts, which can be read back without this package."""
    if isinstance(part, Tensor):
        return part
    return {name: _plain(value) for name, value in part._asdict().items()}
