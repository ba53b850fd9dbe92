"""Synthetic samples: pure in their number, labels that agree with the picture."""

import pickle
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.render import Background, Item, Renderer
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.data.synthetic_scene import Kind
from hoisdf_ros.data.synthetic_streams import Split
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector


def fingerprint(sample: Sample) -> str:
    assert sample.joints is not None
    assert sample.depth is not None
    arrays = (sample.image, sample.depth, sample.joints, sample.camera.matrix)
    return sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.fixture(scope="module")
def samples(synthetic: SyntheticData) -> list[Sample]:
    return [synthetic[index] for index in range(24)]


def test_order_does_not_matter(synthetic: SyntheticData, samples: list[Sample]) -> None:
    for index in (17, 3, 17, -37):
        assert fingerprint(synthetic[index]) == fingerprint(samples[index % 40])


def test_another_process_draws_the_same(synthetic: SyntheticData, samples: list[Sample]) -> None:
    code = (
        "import pickle; from hashlib import sha256\n"
        f"sample = pickle.loads({pickle.dumps(synthetic)!r})[11]\n"
        "arrays = (sample.image, sample.depth, sample.joints, sample.camera.matrix)\n"
        "print(sha256(b''.join(array.tobytes() for array in arrays)).hexdigest())"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == fingerprint(samples[11]), done.stderr


def test_splits_and_seeds_share_nothing(synthetic: SyntheticData, samples: list[Sample]) -> None:
    own = {value for sample in samples for value in _numbers(sample)}
    others: tuple[tuple[Split, int], ...] = (("val", 7), ("test", 7), ("train", 8))
    for split, seed in others:
        other = SyntheticData(split, 40, seed, grasps=CHUNK)
        # its own grasps would take seconds to make; hands, views and looks are drawn without
        other.__dict__["bank"] = synthetic.bank
        empty = next(index for index in range(40) if other.kind(index) is Kind.EMPTY)
        sample = other[empty]
        other.close()
        assert own.isdisjoint(_numbers(sample))
        assert set(synthetic.keys).isdisjoint(other.keys)
        assert [synthetic.kind(i) for i in range(40)] != [other.kind(i) for i in range(40)]


def _numbers(sample: Sample) -> set[float]:
    """What no two pictures have in common unless their chance is the same."""
    assert sample.mano is not None
    return {*sample.mano.betas, *sample.mano.orient, sample.camera.fx, float(sample.image.mean())}


def test_joints_lie_on_the_hand(samples: list[Sample]) -> None:
    """Skin is a little in front of a joint, or more where the hand hides a part of itself."""
    on_hand, ahead = 0, []
    for sample in samples:
        assert sample.joints is not None
        assert sample.hand_mask is not None
        assert sample.depth is not None
        pixels = np.round(project(sample.joints, sample.camera)).astype(int)
        for (x, y), joint in zip(pixels, sample.joints, strict=True):
            if 0 <= x < 640 and 0 <= y < 480 and sample.hand_mask[y, x]:
                on_hand += 1
                inner = sample.hand_mask[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].all()
                ahead.append(joint[2] - sample.depth[y, x] if inner else np.nan)
    assert on_hand > 7 * len(samples)
    known = np.array(ahead)[~np.isnan(ahead)]
    assert (known > -0.012).mean() > 0.97
    assert (known < 0.05).mean() > 0.7
    assert 0.0 < np.median(known) < 0.02


def test_boxes_are_around_what_is_seen(samples: list[Sample]) -> None:
    for sample in samples:
        pairs = ((sample.hand_mask, sample.hand_box), (sample.object_mask, sample.object_box))
        for mask, box in pairs:
            if mask is None:
                continue
            assert box is not None
            rows, columns = np.nonzero(mask)
            grown = 0.35 * max(box.size)  # skin around the joints
            assert columns.min() > box.x0 - grown
            assert columns.max() < box.x1 + grown
            assert rows.min() > box.y0 - grown
            assert rows.max() < box.y1 + grown


def test_the_object_mask_is_its_mesh_seen(synthetic: SyntheticData, samples: list[Sample]) -> None:
    shares = []
    with closing(Renderer(samples[0].camera)) as renderer:
        nothing = Background(np.zeros((480, 640, 3), np.uint8))
        for sample in samples:
            if sample.object_id is None or sample.object_mask is None:
                continue
            assert sample.object_rotation is not None
            assert sample.object_translation is not None
            mesh = synthetic.meshes[sample.object_id]
            item = Item(mesh, 1, sample.object_rotation, sample.object_translation)
            renderer.use(sample.camera)
            alone = renderer.render([item], nothing).ids == 1
            assert not (sample.object_mask & ~alone).any()
            shares.append(sample.object_mask.sum() / alone.sum())
    assert len(shares) > 10
    assert np.median(shares) > 0.5


def test_both_sides_and_all_kinds_come(synthetic: SyntheticData, samples: list[Sample]) -> None:
    assert {sample.side for sample in samples} == {Side.LEFT, Side.RIGHT}
    for index, sample in enumerate(samples):
        assert (synthetic.kind(index) is Kind.EMPTY) == (sample.object_id is None)
        assert synthetic.usable(index)
        assert sample.key == synthetic.keys[index]
    assert len({fingerprint(sample) for sample in samples}) == len(samples)


def test_left_hands_are_left(samples: list[Sample]) -> None:
    """Seen along the fingers with the palm down, a left hand's thumb is on the right."""
    for sample in samples:
        assert sample.mano is not None
        assert sample.joints is not None
        own = (sample.joints - sample.joints[0]) @ matrix_from_rotation_vector(sample.mano.orient)
        knuckles = own[[5, 9, 13, 17], 0]
        assert (knuckles > 0).all() if sample.side is Side.LEFT else (knuckles < 0).all()


def test_a_closed_set_opens_again(cache: Path, samples: list[Sample]) -> None:
    assert cache.is_dir()
    data = SyntheticData("train", 40, 7, grasps=CHUNK)
    data.close()
    data[2]
    data.close()
    assert fingerprint(data[2]) == fingerprint(samples[2])
    data.close()


@pytest.mark.parametrize(
    ("split", "count", "grasps"),
    [("train", 7, 2), ("train", 24_576, 4096), ("train", 100_000, 4096), ("test", 7, 512)],
)
def test_only_a_small_training_set_has_fewer_grasps(split: Split, count: int, grasps: int) -> None:
    assert SyntheticData(split, count).num_grasps == grasps


def test_what_cannot_be_asked_for_is_refused(synthetic: SyntheticData) -> None:
    assert len(synthetic) == 40
    with pytest.raises(IndexError):
        synthetic[40]
    with pytest.raises(DataError, match="0 samples; ask for at least one"):
        SyntheticData("train", 0)
    with pytest.raises(DataError, match="seed -1"):
        SyntheticData("train", 1, -1)
