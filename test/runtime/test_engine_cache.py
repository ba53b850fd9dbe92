"""Engine files: whole, for exactly what they say, or not used."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from hoisdf_ros.config import PRESETS
from hoisdf_ros.errors import BackendError
from hoisdf_ros.runtime.engine_cache import (
    Engine,
    EngineError,
    EngineKey,
    cache_directory,
    find,
    network_hash,
    store,
)

KEY = EngineKey(
    kind="tensorrt",
    preset="demo",
    precision="fp16",
    network="0123456789ab",
    inputs=((1, 3, 128, 128), (1, 3, 3)),
    processor="NVIDIA Orin, 8.7",
    software="tensorrt 10.3.0, torch 2.8.0",
)
ENGINE = Engine(KEY, bytes(range(256)) * 41 + b"\n{}\n", 12.5, {"joints_mm": 0.25})


def test_an_engine_comes_back(tmp_path: Path) -> None:
    path = store(tmp_path / "new", ENGINE)
    assert find(path.parent, KEY) == ENGINE
    assert [file.name for file in path.parent.iterdir()] == [KEY.file_name]
    changed = replace(ENGINE, content=b"other", differences={})
    store(path.parent, changed)
    assert find(path.parent, KEY) == changed


def test_nothing_kept_is_no_error(tmp_path: Path) -> None:
    assert find(tmp_path, KEY) is None
    assert find(tmp_path / "absent", KEY) is None


@pytest.mark.parametrize("name", [field.name for field in fields(EngineKey)])
def test_each_part_of_the_key_counts(name: str, tmp_path: Path) -> None:
    value: Any = ((1, 3, 256, 256),) if name == "inputs" else "other"
    other = replace(KEY, **{name: value})
    assert other.file_name != KEY.file_name
    (tmp_path / other.file_name).write_bytes(store(tmp_path, ENGINE).read_bytes())
    with pytest.raises(EngineError, match="is for another network, processor or software"):
        find(tmp_path, other)


@pytest.mark.parametrize("place", [0, 20, -4000, -1])
def test_a_changed_byte_is_noticed(place: int, tmp_path: Path) -> None:
    path = store(tmp_path, ENGINE)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match=path.name):
        find(tmp_path, KEY)


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_file_cut_short_is_noticed(length: int, tmp_path: Path) -> None:
    path = store(tmp_path, ENGINE)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(EngineError, match=path.name):
        find(tmp_path, KEY)


@pytest.mark.parametrize("line", [b"[]", b"{}", b'{"key": 1}', b"\xff\x00", b"null", b"x" * 9**6])
def test_a_foreign_file_is_noticed(line: bytes, tmp_path: Path) -> None:
    (tmp_path / KEY.file_name).write_bytes(line + b"\n" + ENGINE.content)
    with pytest.raises(EngineError):
        find(tmp_path, KEY)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match=r"file/.*cannot be written.*engine_cache_dir"):
        store(tmp_path / "file", ENGINE)
    (tmp_path / KEY.file_name).mkdir()
    with pytest.raises(EngineError, match="cannot be read"):
        find(tmp_path, KEY)


def test_the_cache_follows_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/robot")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/robot")
    assert cache_directory("") == Path("/var/cache/robot/hoisdf_ros")
    assert cache_directory("~/engines") == Path("/home/robot/engines")
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert cache_directory("") == Path("/home/robot/.cache/hoisdf_ros")


def test_weights_and_configuration_change_the_networks_name() -> None:
    demo, dexycb = PRESETS["demo"], PRESETS["dexycb"]
    assert network_hash("a", demo) == network_hash("a", demo)
    assert len({network_hash("a", demo), network_hash("b", demo), network_hash("a", dexycb)}) == 3
