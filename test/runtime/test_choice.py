"""Which backend runs, and why it is not another."""

from dataclasses import replace
from pathlib import Path

import pytest

from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime import choice
from hoisdf_ros.runtime.accuracy import LIMITS, check, differences, probes
from hoisdf_ros.runtime.backend import Backend, EagerBackend, describe
from hoisdf_ros.runtime.choice import Source, make_backend
from test.runtime.small import CONFIG, small_network

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
    ("device", "wanted", "expected"),
    [
        ("cuda", "auto", "fp16"),
        ("cuda:1", "bf16", "bf16"),
        ("cuda", "fp32", "fp32"),
        ("cpu", "auto", "fp32"),
        ("cpu", "fp16", "fp32"),
        ("cpu", "bf16", "bf16"),
    ],
)
def test_half_precision_is_usual_on_a_gpu_only(
    device: str, wanted: str, expected: str, source: Source
) -> None:
    config = replace(source.config, precision=wanted)
    assert replace(source, config=config).precision(device) == expected


def test_a_processor_runs_bf16_where_it_is_asked_to(source: Source) -> None:
    config = replace(source.config, backend="eager", precision="bf16")
    half = make_backend(replace(source, config=config))
    whole = make_backend(replace(source, config=replace(config, precision="fp32")))
    assert (half.precision, whole.precision) == ("bf16", "fp32")
    found = differences(whole, half, probes(CONFIG.image_size, "cpu"))
    check(found, "bf16")
    assert found["mask"] > 0  # it did compute in another precision


def test_a_network_that_bf16_changes_too_much_is_refused(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS["bf16"], "joints_mm", 0.0)
    config = replace(source.config, backend="eager", precision="bf16")
    with pytest.raises(BackendError, match=r"bf16 differs .* joints_mm .* take precision fp32"):
        make_backend(replace(source, config=config))


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
