"""Examples: labels agree with the picture, left hands become right ones, NaN is never zero."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.augment import AugmentConfig, Variation, draw
from hoisdf_ros.data.sample import Sample, SampleSet
from hoisdf_ros.datatypes import Box, ManoParameters, Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.closing import close_holes
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import Surface
from hoisdf_ros.preprocessing.boxes import mirrored
from hoisdf_ros.preprocessing.crop import mirrored_camera
from hoisdf_ros.training.batch import Batch, ExampleMaker, collate, rows


def make(maker: ExampleMaker, sample: Sample, variation: Variation | None = None) -> Batch:
    return maker(sample, variation or Variation(), np.random.default_rng(0))


def varied(seed: int) -> Variation:
    return draw(AugmentConfig(any_rotation=True), np.random.default_rng(seed))


def tensors(part: object) -> Iterator[Tensor]:
    if isinstance(part, Tensor):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from tensors(each)


def mirror_image(sample: Sample) -> Sample:
    """The same scene in a mirror: a sample of the other hand."""
    mano, width = sample.mano, sample.camera.width
    assert mano is not None
    assert sample.joints is not None
    assert sample.object_rotation is not None
    assert sample.object_translation is not None

    def flipped(box: Box | None) -> Box | None:
        return None if box is None else mirrored(box, width)

    sign = np.array([1.0, -1.0, -1.0])  # an axis is a pseudovector
    joints = sample.joints @ MIRROR
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[:, ::-1]),
        camera=mirrored_camera(sample.camera),
        side=Side.LEFT if sample.side is Side.RIGHT else Side.RIGHT,
        hand_root=joints[0],
        joints=joints,
        mano=ManoParameters(
            mano.orient * sign, (mano.pose.reshape(-1, 3) * sign).ravel(), mano.betas, joints[0]
        ),
        object_rotation=MIRROR @ sample.object_rotation @ MIRROR,
        object_translation=MIRROR @ sample.object_translation,
        hand_mask=None if sample.hand_mask is None else sample.hand_mask[:, ::-1].copy(),
        object_mask=None if sample.object_mask is None else sample.object_mask[:, ::-1].copy(),
        hand_box=flipped(sample.hand_box),
        object_box=flipped(sample.object_box),
    )


@pytest.mark.parametrize("index", [0, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_labels_agree_with_each_other_however_the_picture_is_turned(
    maker: ExampleMaker, noise: SampleSet, index: int, seed: int
) -> None:
    inputs, targets, known, _ = make(maker, noise[index], varied(seed))
    assert all(flag.item() for flag in known)
    joints = targets.joints + inputs.hand_root
    seen = joints @ inputs.intrinsics.T
    pixels = seen[:, :2] / seen[:, 2:] / 2
    torch.testing.assert_close(pixels, targets.pixels[1:], atol=1e-3, rtol=1e-4)
    posed = maker.hand_model(targets.rotations[None], targets.shape[None])
    bones = joints - joints[:1]  # the wrist that is given is off: compare shapes
    own = posed.joints[0, 1:] - posed.joints[0, 1:2]
    torch.testing.assert_close(bones, own, atol=1e-4, rtol=0)


def test_left_hands_become_the_right_ones_of_the_mirror_image(
    maker: ExampleMaker, noise: SampleSet
) -> None:
    right, left = make(maker, noise[0]), make(maker, mirror_image(noise[0]))
    for name in ("joints", "rotations", "shape", "object_rotation", "hand_mask", "pixels"):
        ours, theirs = getattr(right.targets, name), getattr(left.targets, name)
        torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(left.inputs.image, right.inputs.image)
    torch.testing.assert_close(left.inputs.hand_root, right.inputs.hand_root)


def test_fields_hold_signed_distances_around_the_centres_that_are_given(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    variation = Variation(angle=0.5, root=(0.03, 0.01, 0.0))
    sample = noise[2]  # a left hand
    inputs, targets, _, _ = make(maker, sample, variation)
    hand, held = targets.hand_field, targets.object_field
    assert hand.points.shape == (tiny.hand_points, 3)
    posed = maker.hand_model(targets.rotations[None], targets.shape[None])
    assert sample.hand_root is not None
    wrist = targets.joints[0].double() + inputs.hand_root - posed.joints[0, 1]
    faces = close_holes(maker.hand_model.faces.astype(np.int32))
    surface = Surface(Mesh((posed.vertices[0] + wrist).double().numpy(), faces))
    metres = (hand.points / tiny.sdf_scale + inputs.hand_root).double().numpy()
    exact = surface.signed_distance(metres) * tiny.sdf_scale
    np.testing.assert_allclose(hand.sdf[:, 0].numpy(), exact, atol=2e-4)
    near = (hand.near / tiny.sdf_scale + inputs.hand_root).double().numpy()
    assert np.abs(surface.signed_distance(near)).max() < 0.0501

    rotation = matrix_from_rotation_vector(targets.object_rotation.double().numpy())
    origin = targets.object_translation.double().numpy()
    brick = maker.objects.get("brick")
    assert brick is not None
    inside = (held.points.double().numpy() / tiny.sdf_scale - origin) @ rotation
    exact = brick.distance.mirrored()(inside) * tiny.sdf_scale
    np.testing.assert_allclose(held.sdf[:, 0].numpy(), exact, atol=2e-4)


def test_the_mask_is_seen_at_every_second_pixel_of_the_crop(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    mask = noise[0].hand_mask
    assert mask is not None
    painted = np.repeat(255 * mask[..., None].astype(np.uint8), 3, axis=2)
    inputs, targets, _, _ = make(maker, replace(noise[0], image=painted))
    side = tiny.image_size // 2
    assert targets.hand_mask.shape == (1, side, side)
    torch.testing.assert_close(targets.hand_mask, inputs.image[:1, ::2, ::2])


@pytest.mark.parametrize(
    ("lost", "unknown"),
    [
        (("mano",), {"mano", "hand_field", "object_field"}),
        (("joints", "mano"), {"joints", "mano", "hand_field", "object_field"}),
        (("hand_mask",), {"hand_mask"}),
        (("object_rotation", "object_translation"), {"object_pose", "object_field"}),
    ],
)
def test_what_is_unknown_is_marked_and_nan(
    maker: ExampleMaker, noise: SampleSet, lost: tuple[str, ...], unknown: set[str]
) -> None:
    fewer: dict[str, Any] = dict.fromkeys(lost)
    example = make(maker, replace(noise[0], **fewer))
    flags = example.known._asdict()
    assert {name for name, flag in flags.items() if not flag} == unknown
    assert any(label.isnan().all() for label in tensors(example.targets))
    assert all(label.isfinite().all() for label in tensors(example.inputs))


def test_an_object_whose_mesh_is_unknown_keeps_its_pose(
    maker: ExampleMaker, noise: SampleSet
) -> None:
    known = make(maker, replace(noise[0], object_id="puddle")).known
    assert known.object_pose
    assert not known.object_field


def test_a_batch_is_its_examples_stacked(maker: ExampleMaker, noise: SampleSet) -> None:
    batch = collate([make(maker, noise[index]) for index in range(3)])
    assert batch.keys == ("noise/0", "noise/1", "noise/2")
    assert batch.inputs.image.shape[0] == batch.known.joints.shape[0] == 3
    second = rows(batch.targets, torch.tensor([1]))
    torch.testing.assert_close(second.joints[0], make(maker, noise[1]).targets.joints)
    assert second.hand_field.sdf.shape[0] == 1


def test_without_a_wrist_there_is_no_example(maker: ExampleMaker, noise: SampleSet) -> None:
    with pytest.raises(DataError, match="no wrist"):
        make(maker, replace(noise[0], hand_root=None, joints=None, mano=None))
