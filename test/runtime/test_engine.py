"""Engines are built once, compared once, and never taken where they do not fit."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.io import joined
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime import engine as engine_module
from hoisdf_ros.runtime.accuracy import probes
from hoisdf_ros.runtime.choice import silent
from hoisdf_ros.runtime.engine import CachePolicy, Run, build, ready
from hoisdf_ros.runtime.engine_cache import Engine, EngineKey, find, store
from hoisdf_ros.runtime.flat import FlatNetwork, flattened, input_sizes
from test.runtime.small import CONFIG, small_serving


@dataclass
class PretendMaker:
    """Its engine is a number that is added to all joints of the network itself."""

    network: Hoisdf = field(default_factory=small_serving)
    offset: str = "0"
    device: str = "cpu"
    precision: str = "fp32"
    version: str = "1"
    built: int = 0

    def engine_keys(self) -> tuple[EngineKey, ...]:
        sizes = input_sizes(CONFIG.image_size)
        own = EngineKey("pretend", "demo", "fp32", "abc", sizes, "cpu", self.version)
        return own, replace(own, processor="any")

    def build(self) -> bytes:
        self.built += 1
        return self.offset.encode()

    def load(self, content: bytes) -> Run:
        flat = FlatNetwork(self.network)
        try:
            offset = float(content)
        except ValueError as error:
            raise BackendError("the engine cannot be loaded") from error

        def run(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
            outputs = list(flat(*tensors))
            outputs[12] = outputs[12] + offset  # joints
            return outputs

        return run  # type: ignore[return-value]


def test_an_engine_is_built_once(tmp_path: Path) -> None:
    maker, policy = PretendMaker(), CachePolicy(tmp_path)
    first = ready("pretend", maker, policy, silent)
    again = ready("pretend", maker, replace(policy, allow_build=False), silent)
    assert maker.built == 1
    assert first.notes == again.notes
    assert "differs from eager by 0 joints_mm" in again.notes[-1]
    ready("pretend", maker, replace(policy, rebuild=True), silent)
    assert maker.built == 2
    ready("pretend", PretendMaker(maker.network, version="2"), policy, silent)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_engine_is_built_anew(tmp_path: Path) -> None:
    maker, policy = PretendMaker(), CachePolicy(tmp_path)
    ready("pretend", maker, policy, silent)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"7")
    backend = ready("pretend", maker, policy, silent)
    assert maker.built == 2
    assert "is damaged" in backend.notes[0]
    kept = find(tmp_path, maker.engine_keys()[0])
    assert kept is not None
    assert kept.content == b"0"


def test_an_engine_that_cannot_be_loaded_is_built_anew(tmp_path: Path) -> None:
    maker, policy = PretendMaker(), CachePolicy(tmp_path)
    store(tmp_path, Engine(maker.engine_keys()[0], b"of another age", 1.0, {"joints_mm": 0.0}))
    with pytest.raises(BackendError, match=r"cannot be loaded.*allow_engine_build"):
        ready("pretend", maker, replace(policy, allow_build=False), silent)
    assert "cannot be loaded" in ready("pretend", maker, policy, silent).notes[0]
    assert maker.built == 1


def test_without_leave_to_build_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    maker, policy = PretendMaker(), CachePolicy(tmp_path, allow_build=False)
    (tmp_path / maker.engine_keys()[0].file_name).write_bytes(b"no engine")
    with pytest.raises(BackendError, match=r"no valid first line.*compile.*allow_engine_build"):
        ready("pretend", maker, policy, silent)
    assert maker.built == 0


@pytest.mark.parametrize("offset", ["0.001", "nan"])
def test_an_engine_that_answers_otherwise_is_refused_and_not_kept(
    offset: str, tmp_path: Path
) -> None:
    maker = PretendMaker(offset=offset)
    with pytest.raises(BackendError, match=r"fp32 differs from the network itself: joints_mm"):
        ready("pretend", maker, CachePolicy(tmp_path), silent)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_built_elsewhere_is_compared_when_it_is_first_loaded(tmp_path: Path) -> None:
    maker, policy = PretendMaker(), CachePolicy(tmp_path, allow_build=False)
    elsewhere = maker.engine_keys()[1]
    engine = build(maker, silent)
    store(tmp_path, replace(engine, key=elsewhere))
    ready("pretend", maker, policy, silent)
    kept = find(tmp_path, elsewhere)
    assert kept is not None
    assert kept.differences["joints_mm"] == 0.0
    store(tmp_path, replace(engine, key=elsewhere, content=b"0.1"))
    with pytest.raises(BackendError, match="differs from the network"):
        ready("pretend", maker, policy, silent)


def test_a_batch_is_run_entry_by_entry(tmp_path: Path) -> None:
    maker = PretendMaker()
    backend = ready("pretend", maker, CachePolicy(tmp_path), silent)
    batch = joined(probes(CONFIG.image_size, "cpu"))
    with torch.no_grad():
        expected = flattened(maker.network(batch))
    for ours, theirs in zip(flattened(backend(batch)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_long_builds_give_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_EVERY_S", 0.01)
    said: list[str] = []

    class Slow(PretendMaker):
        def build(self) -> bytes:
            while len(said) < 3:
                pass
            return super().build()

    maker = Slow()
    build(maker, said.append)
    assert all(line.startswith(f"building {maker.engine_keys()[0].file_name}") for line in said)
