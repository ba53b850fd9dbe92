"""The bank: the same grasps from chance, memory and disk; a damaged file is made again."""

from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK, GraspBank
from hoisdf_ros.datatypes import Mesh


def like(bank: GraspBank, meshes: dict[str, Mesh], seed: int = 7) -> GraspBank:
    assert len(bank) == CHUNK
    return GraspBank("train", seed, CHUNK, meshes)


def same(one: GraspBank, two: GraspBank) -> bool:
    return all(
        a.object_id == b.object_id and a.side is b.side and (a.grasp.closed == b.grasp.closed).all()
        for a, b in zip(one.chunk(0), two.chunk(0), strict=True)
    )


def test_what_was_made_is_read_again(synthetic: SyntheticData, cache: Path) -> None:
    made = synthetic.bank
    made.chunk(0)
    again = like(made, synthetic.meshes)
    assert again.missing() == []
    assert same(made, again)
    assert len(list(cache.glob("grasps/train-7-*/*.npz"))) == 1


def test_a_damaged_file_is_made_again(
    synthetic: SyntheticData, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = synthetic.bank
    file = next(cache.glob("grasps/train-7-*/00000.npz"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    again = like(made, synthetic.meshes)
    monkeypatch.setattr(again, "_make", lambda _: made.chunk(0))
    assert same(made, again)
    assert file.read_bytes() == whole


def test_another_seed_or_mesh_has_its_own_files(synthetic: SyntheticData) -> None:
    meshes = synthetic.meshes
    assert like(synthetic.bank, meshes, seed=8).missing() == [0]
    fewer = dict(list(meshes.items())[1:])
    assert like(synthetic.bank, fewer).missing() == [0]


def test_an_unwritable_cache_costs_time_only(
    synthetic: SyntheticData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    bank = like(synthetic.bank, synthetic.meshes)
    monkeypatch.setattr(bank, "_make", lambda _: synthetic.bank.chunk(0))
    with pytest.warns(UserWarning, match="set XDG_CACHE_HOME to a folder of yours"):
        bank.chunk(0)


def test_hands_of_both_sides_hold_all_kinds_of_things(synthetic: SyntheticData) -> None:
    grasps = synthetic.bank.chunk(0)
    assert sum(kept.side is Side.LEFT for kept in grasps) == CHUNK // 4
    assert len({kept.object_id for kept in grasps}) > 6
    betas = np.stack([kept.grasp.betas for kept in grasps])
    assert 0.5 < betas.std() < 1.2
    assert np.mean([kept.grasp.touching.sum() >= 3 for kept in grasps]) > 0.8
    with pytest.raises(IndexError):
        synthetic.bank[CHUNK]
