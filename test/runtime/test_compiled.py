"""The network compiled for this CPU: built, compared, kept, loaded again."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.io import joined
from hoisdf_ros.runtime.accuracy import probes
from hoisdf_ros.runtime.choice import Source, make_backend
from hoisdf_ros.runtime.compiled import CpuMaker
from test.runtime.small import CONFIG, small_network, small_serving

SETTINGS = EstimatorConfig(device="cpu", precision="fp16", allow_engine_build=False)


@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler here")
def test_built_once_it_is_what_auto_takes(tmp_path: Path) -> None:
    settings = replace(SETTINGS, engine_cache_dir=str(tmp_path))
    source = Source(small_network(), "abc", settings)
    before = make_backend(source)
    assert (before.name, before.precision) == ("eager", "fp32")
    assert "not compiled: no usable engine demo-inductor-fp32" in before.notes[0]

    said: list[str] = []
    build = replace(settings, backend="compiled", allow_engine_build=True)
    built = make_backend(replace(source, config=build), said.append)
    assert said[0].startswith("building demo-inductor-fp32")
    (path,) = tmp_path.iterdir()

    after = make_backend(source)
    assert (after.name, after.precision, after.device) == ("compiled", "fp32", "cpu")
    assert after.notes == built.notes
    batch = joined(probes(CONFIG.image_size, "cpu"))
    # as pictures come: compiled code would read another order of values without a word
    batch = batch._replace(image=batch.image.to(memory_format=torch.channels_last))
    with torch.no_grad():
        expected = small_serving()(batch)
    for backend in (before, built, after):
        torch.testing.assert_close(backend(batch).joints, expected.joints, atol=1e-4, rtol=1e-4)

    path.write_bytes(path.read_bytes()[:-100])
    damaged = make_backend(source)
    assert damaged.name == "eager"
    assert "is damaged" in damaged.notes[0]


def test_without_a_compiler_the_refusal_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackendError, match=r"install g\+\+, or take backend eager"):
        CpuMaker(small_serving(), "abc").build()


def test_bytes_that_are_no_network_are_refused() -> None:
    with pytest.raises(BackendError, match="cannot be loaded"):
        CpuMaker(small_serving(), "abc").load(b"no network")
