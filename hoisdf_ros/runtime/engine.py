"""Networks that are compiled once and kept on the disk, and the backend that runs them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.accuracy import check, differences, probes
from hoisdf_ros.runtime.backend import Stopwatch
from hoisdf_ros.runtime.engine_cache import Engine, EngineError, EngineKey, find, store
from hoisdf_ros.runtime.flat import batched, one_by_one, restored

Run = Callable[[Sequence[Tensor]], Sequence[Tensor]]
Say = Callable[[str], object]

_EVERY_S = 5.0


class Maker(Protocol):
    """One way to compile a network."""

    network: Hoisdf
    precision: str
    device: str

    def keys(self) -> tuple[EngineKey, ...]:
        """What an engine is known by: the first one that `build` makes, others do as well."""
        ...

    def build(self) -> bytes:
        """Compile the network.

        Raises:
            BackendError: It cannot be done here.
        """
        ...

    def load(self, content: bytes) -> Run:
        """Make an engine ready to run.

        Raises:
            BackendError: The bytes are no engine for this machine.
        """
        ...


@dataclass(frozen=True)
class CachePolicy:
    """What may be done about engines.

    Args:
        directory: Where they are kept.
        rebuild: Build anew even where one is kept.
        allow_build: Build where none is kept.
    """

    directory: Path
    rebuild: bool = False
    allow_build: bool = True


@dataclass
class EngineBackend:
    """Runs a compiled network, crop after crop."""

    name: str
    precision: str
    device: str
    run: Run
    notes: tuple[str, ...] = ()

    @torch.no_grad()
    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        """One forward pass; entries of a batch one after the other, as engines are for one."""
        return restored(batched([self.run(list(entry)) for entry in one_by_one(inputs)]))


def obtain(maker: Maker, policy: CachePolicy, say: Say) -> tuple[Engine, tuple[str, ...]]:
    """The engine that is kept, or a new one, which is not kept yet.

    Args:
        maker: Builds it.
        policy: What may be done.
        say: Is told what takes long.

    Returns:
        The engine, and why a kept one was not taken.

    Raises:
        BackendError: It cannot be built, or must not be.
    """
    key, *others = maker.keys()
    why: tuple[str, ...] = ()
    for known in () if policy.rebuild else (key, *others):
        try:
            kept = find(policy.directory, known)
        except EngineError as error:
            why += (str(error),)
            continue
        if kept is not None:
            return kept, why
    if not policy.allow_build:
        raise BackendError(
            f"no engine {key.file_name} in {policy.directory}"
            f"{''.join(f' ({text})' for text in why)}, and allow_engine_build is false: build it "
            "on this machine with 'hoisdf compile', or allow it"
        )
    watch = Stopwatch()
    with _heartbeat(f"building {key.file_name}", say):
        content = maker.build()
    return Engine(key, content, watch.lap() / 1e3), why


def compared(maker: Maker, engine: Engine) -> tuple[Engine, Run]:
    """Load an engine and compare it with the network, unless that has been done before.

    Args:
        maker: Loads it.
        engine: As it was built.

    Returns:
        The engine with its differences, and what runs it.

    Raises:
        BackendError: It does not run here, or answers otherwise than the network does.
    """
    run = maker.load(engine.content)
    if engine.differences:
        return engine, run
    backend = EngineBackend("engine", maker.precision, maker.device, run)
    crops = probes(maker.network.config.image_size, maker.device)
    found = differences(maker.network, backend, crops)
    check(found, maker.precision)
    return replace(engine, differences=found), run


def ready(name: str, maker: Maker, policy: CachePolicy, say: Say) -> EngineBackend:
    """A backend that runs the network by its engine, compared with the network once.

    Args:
        name: Of the backend.
        maker: Builds and loads the engine.
        policy: What may be done about engines.
        say: Is told what takes long.

    Raises:
        BackendError: There is no engine, it does not run here, or it answers otherwise than the
            network does.
    """
    found, notes = obtain(maker, policy, say)
    engine, run = compared(maker, found)
    if engine is not found:
        say(f"kept {store(policy.directory, engine)}")
    note = f"{engine}, differs from eager by {engine.difference}"
    return EngineBackend(name, maker.precision, maker.device, run, (*notes, note))


@contextmanager
def _heartbeat(what: str, say: Say) -> Iterator[None]:
    """Say every few seconds that something still goes on."""
    done, watch = threading.Event(), Stopwatch()

    def beat() -> None:
        passed = 0.0
        while not done.wait(_EVERY_S):
            passed += watch.lap() / 1e3
            say(f"{what}: {passed:.0f} s")

    say(what)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
