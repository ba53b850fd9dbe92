"""Which backend runs, and why it is not another."""

from dataclasses import replace
from pathlib import Path

import pytest

from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime import choice
from hoisdf_ros.runtime.backend import Backend, EagerBackend, describe
from hoisdf_ros.runtime.choice import Source, make_backend
from test.runtime.small import small_network

SETTINGS = EstimatorConfig(device="cpu")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """The small network, with an empty cache."""
    return Source(small_network(), "abc", replace(SETTINGS, engine_cache_dir=str(tmp_path)))


def test_auto_never_makes_a_first_start_wait_for_a_compiler(source: Source) -> None:
    said: list[str] = []
    backend = make_backend(source, said.append)
    assert (backend.name, backend.precision, said) == ("eager", "fp32", [])
    line = describe(backend)
    assert line.startswith(
        "eager, fp32, on cpu; not compiled: no usable engine demo-inductor-fp32-"
    )
    assert "hoisdf compile" in line
    assert source.network.lookup != backend.model.lookup  # type: ignore[attr-defined]


def test_the_first_way_that_works_is_taken(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Backend:
        raise BackendError("no such GPU")

    ways = {"one": broken, "two": choice._eager, "three": broken}
    monkeypatch.setattr(choice, "_ON_CPU", ways)
    assert make_backend(source).notes == ("not one: no such GPU",)
    with pytest.raises(BackendError, match="no such GPU"):
        make_backend(replace(source, config=replace(source.config, backend="three")))


@pytest.mark.parametrize("wanted", ["tensorrt", "warp"])
def test_what_cannot_run_here_is_refused(wanted: str, source: Source) -> None:
    config = replace(source.config, backend=wanted)
    with pytest.raises(BackendError, match=f"'{wanted}' on device 'cpu': .* compiled, eager"):
        make_backend(replace(source, config=config))


def test_eager_is_never_anything_else(source: Source) -> None:
    backend = make_backend(replace(source, config=replace(source.config, backend="eager")))
    assert isinstance(backend, EagerBackend)
    assert backend.notes == ()
    assert not backend.model.training


@pytest.mark.parametrize(
    ("preset", "sampler", "expected"),
    [
        ("demo", "auto", ("dense", "coarse_to_fine")),
        ("dexycb", "auto", ("coarse_to_fine", "coarse_to_fine")),
        ("demo", "coarse_to_fine", ("coarse_to_fine", "coarse_to_fine")),
        ("dexycb", "dense", ("dense", "dense")),
    ],
)
def test_the_sampler_is_the_cheaper_one_unless_it_is_named(
    preset: str, sampler: str, expected: tuple[str, str]
) -> None:
    source = Source(Hoisdf(PRESETS[preset]), "abc", replace(SETTINGS, sampler=sampler))
    eager, static = source.eager("cpu"), source.static("cpu")
    assert (eager.config.sampler, static.config.sampler) == expected
    assert source.hash(static) == source.hash(source.static("cpu", rows=True))
