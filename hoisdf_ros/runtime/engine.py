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
from hoisdf_ros.runtime.accuracy import compare
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

    def engine_keys(self) -> tuple[EngineKey, ...]:
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
        entries = [[value.contiguous() for value in entry] for entry in one_by_one(inputs)]
        return restored(batched([self.run(entry) for entry in entries]))


def ready(name: str, maker: Maker, policy: CachePolicy, say: Say) -> EngineBackend:
    """A backend that runs the network by its engine, compared with the network once.

    An engine that is kept but damaged, for something else, or that cannot be loaded is built anew.

    Args:
        name: Of the backend.
        maker: Builds and loads the engine.
        policy: What may be done about engines.
        say: Is told what takes long.

    Raises:
        BackendError: There is no engine, it does not run here, or it answers otherwise than the
            network does.
    """
    found, notes = (None, ()) if policy.rebuild else kept(maker, policy.directory)
    if found is not None:
        try:
            return _backend(name, maker, policy, found)
        except BackendError as error:
            notes += (str(error),)
    if not policy.allow_build:
        raise BackendError(
            f"no usable engine {maker.engine_keys()[0].file_name} in {policy.directory}"
            f"{''.join(f' ({note})' for note in notes)}, and none is to be built at start: run "
            "'hoisdf compile' on this machine, or name the backend and set allow_engine_build"
        )
    backend = _backend(name, maker, policy, build(maker, say))
    backend.notes = notes + backend.notes
    return backend


def kept(maker: Maker, directory: Path) -> tuple[Engine | None, tuple[str, ...]]:
    """The engine on the disk, if there is a sound one, and what is wrong with others."""
    notes: tuple[str, ...] = ()
    for key in maker.engine_keys():
        engine, wrong = _found(directory, key)
        notes += wrong
        if engine is not None:
            return engine, notes
    return None, notes


def build(maker: Maker, say: Say) -> Engine:
    """A new engine, not compared and not kept yet.

    Raises:
        BackendError: It cannot be built.
    """
    key, watch = maker.engine_keys()[0], Stopwatch()
    with _heartbeat(f"building {key.file_name}", say):
        content = maker.build()
    return Engine(key, content, watch.lap() / 1e3)


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
    found = compare(maker.network, backend, maker.precision, maker.device)
    return replace(engine, differences=found), run


def _found(directory: Path, key: EngineKey) -> tuple[Engine | None, tuple[str, ...]]:
    try:
        return find(directory, key), ()
    except EngineError as error:
        return None, (str(error),)


def _backend(name: str, maker: Maker, policy: CachePolicy, engine: Engine) -> EngineBackend:
    checked, run = compared(maker, engine)
    if checked is not engine:
        store(policy.directory, checked)
    note = f"{checked}, differs from eager by {checked.difference}"
    return EngineBackend(name, maker.precision, maker.device, run, (note,))


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
