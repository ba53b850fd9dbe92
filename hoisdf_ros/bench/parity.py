"""Agreement with the published network, array by array.

Stage by stage, each stage's inputs are taken from the golden file, so that an error shows where
it is made; end to end, only the six inputs are. Near-ties of abs(sdf) may exchange query points
between two correct implementations, so these are compared as sets.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from hoisdf_ros.bench.comparison import Comparison, relative_error
from hoisdf_ros.bench.golden import INPUTS, QUERIES, Golden
from hoisdf_ros.bench.parity_losses import compare_losses
from hoisdf_ros.bench.parity_targets import compare_targets
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.inverse_kinematics import solve_pose
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import (
    FieldPoints,
    HandParameters,
    ImageFeatures,
    JointVotes,
    NetworkOutput,
    ObjectVotes,
)
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import EagerBackend

STAGE, END_TO_END, SDF = 1e-4, 2e-3, 1e-3
"""Tolerances, as a share of an array's largest value."""

EXCHANGED = 0.01
"""Share of query points that near-ties may exchange."""

_SAME_POINT = 1e-4  # normalised units; the lattice's step is 0.03
_EVERY_TOKEN = 8


@torch.no_grad()
def compare(model: Hoisdf, hand_model: HandModel, golden: Golden) -> Iterator[Comparison]:
    """Compare every array of a golden file.

    Args:
        model: Network with the golden file's weights, in evaluation mode.
        hand_model: The hand model that the golden file was made with.
        golden: The file.
    """
    golden = _with_rotations(golden)
    features = model.image_features(golden.inputs.image)
    seen: set[str] = {*INPUTS}
    for comparison in _all_stages(model, hand_model, golden, features):
        seen.add(comparison.array)
        yield comparison
    for name in golden.arrays:
        if not (name in seen or name in QUERIES or name.startswith("target_")):
            yield Comparison("unknown", name, float("nan"), 0.0, "no rule for this array")


def _all_stages(
    model: Hoisdf, hand_model: HandModel, golden: Golden, features: ImageFeatures
) -> Iterator[Comparison]:
    yield _intrinsics(golden)
    yield from _image_features(golden, features)
    yield from _fields(model, golden, features)
    yield from _attention(model, golden, features)
    yield from _hand_model(hand_model, golden)
    yield from compare_losses(model, hand_model, golden, features)
    yield from compare_targets(golden, model.config)
    output = EagerBackend(model, "cpu")(golden.inputs)
    yield from _query_points(golden, output)
    yield from _end_to_end(hand_model, golden, output)


def _check(golden: Golden, stage: str, tolerance: float, **ours: Tensor) -> Iterator[Comparison]:
    for name, value in ours.items():
        if name in golden:
            yield Comparison(stage, name, relative_error(value, golden[name]), tolerance)


def _intrinsics(golden: Golden) -> Comparison:
    """A scale common to all of K cancels in a projection, so K itself is looked at."""
    row = golden["cam_intr"][:, 2]
    error = relative_error(torch.tensor([0.0, 0.0, 1.0]).expand_as(row), row)
    return Comparison("inputs", "cam_intr", error, STAGE, "last row of K")


def _image_features(golden: Golden, features: ImageFeatures) -> Iterator[Comparison]:
    for index, level in enumerate(features.pyramid):
        channels, rows = max(1, level.shape[1] // 8), max(1, level.shape[2] // 16)
        thinned = level[:, ::channels, ::rows, ::rows]
        name = f"pyramid_stride{2 ** (index + 1)}"
        yield from _check(golden, "image features", STAGE, **{name: thinned})
    yield from _check(
        golden,
        "image features",
        STAGE,
        joint_heatmap=features.heatmap,
        hand_mask=features.hand_mask,
        object_mask=features.object_mask,
    )


def _fields(model: Hoisdf, golden: Golden, features: ImageFeatures) -> Iterator[Comparison]:
    if "probe_points" not in golden:
        return
    hand, held = model.distances(golden["probe_points"], features, golden.inputs)
    fields = list(
        _check(golden, "distance fields", STAGE, probe_hand_sdf=hand, probe_object_sdf=held)
    )
    yield from fields
    worst = max((field.error for field in fields), default=float("nan"))
    yield Comparison("distance fields", "probe_points", worst, STAGE, "where the fields are asked")


def _attention(model: Hoisdf, golden: Golden, features: ImageFeatures) -> Iterator[Comparison]:
    inputs, queries = golden.inputs, golden.queries
    hand_tokens, object_tokens = model.point_tokens(features, queries, inputs)
    attended = model.attend(features, queries, inputs)
    yield from _check(
        golden,
        "attention",
        STAGE,
        hand_tokens=hand_tokens[:, ::_EVERY_TOKEN],
        object_tokens=object_tokens[:, ::_EVERY_TOKEN],
        hand_encoder_last=attended.hand[-1][:, ::_EVERY_TOKEN],
        object_encoder_last=attended.object[-1][:, ::_EVERY_TOKEN],
        hand_decoder_last=attended.queries[-1],
    )
    yield from _check(
        golden, "regression", STAGE, **_pose(model.regress(features, queries, inputs))
    )


def _pose(outputs: tuple[JointVotes, HandParameters, ObjectVotes]) -> dict[str, Tensor]:
    joints, hand, held = outputs
    arrays = {
        "hand_joints": joints.joints,
        "mano_shape": hand.shape,
        "object_rotation_votes": held.rotation_votes,
        "object_translation_votes": held.translation_votes,
        "object_rotation": held.rotation,
        "object_translation": held.translation,
    }
    return arrays if hand.rotations is None else {**arrays, "mano_rotations": hand.rotations}


def _hand_model(hand_model: HandModel, golden: Golden) -> Iterator[Comparison]:
    rotations, joints = golden.arrays.get("mano_rotations"), golden.arrays.get("hand_joints")
    if "mano_shape" not in golden or (rotations is None and joints is None):
        return
    arrays = _geometry(hand_model, golden["mano_shape"], rotations, joints)
    yield from _check(golden, "hand model", STAGE, **arrays)


def _geometry(
    hand_model: HandModel, shape: Tensor, rotations: Tensor | None, joints: Tensor | None
) -> dict[str, Tensor]:
    if rotations is not None:
        posed: HandGeometry = hand_model(rotations, shape)
        return {"mano_vertices": posed.vertices, "mano_joints": posed.joints}
    assert joints is not None
    flat = torch.eye(3).expand(len(shape), 16, 3, 3)
    template: HandGeometry = hand_model(flat, shape)
    target = torch.cat([torch.zeros_like(joints[:, :1]), joints], dim=1)
    solved = solve_pose(template.joints, target, reflection="published")
    posed = hand_model(solved, shape)
    return {"ik_pose": solved, "ik_vertices": posed.vertices, "ik_joints": posed.joints}


def _with_rotations(golden: Golden) -> Golden:
    """The golden file with ``ik_pose`` as matrices, which have no second spelling."""
    if "ik_pose" not in golden:
        return golden
    vectors = golden["ik_pose"].reshape(-1, 16, 3).numpy()
    matrices = torch.from_numpy(matrix_from_rotation_vector(vectors)).float()
    return Golden({**golden.arrays, "ik_pose": matrices}, golden.path)


def _query_points(golden: Golden, output: NetworkOutput) -> Iterator[Comparison]:
    for name in ("hand", "object"):
        theirs: FieldPoints = getattr(golden.queries, name)
        ours: FieldPoints = getattr(output.queries, name)
        points, sdf = f"{name}_query_points", f"{name}_query_sdf"
        if ours.points.shape != theirs.points.shape or ours.sdf.shape != theirs.sdf.shape:
            yield Comparison("query points", points, float("inf"), EXCHANGED, "another number")
            continue
        share = max(_exchanged(theirs, ours), _exchanged(ours, theirs))
        yield Comparison("query points", points, share, EXCHANGED, "share of points exchanged")
        ranked = relative_error(ours.sdf.abs(), theirs.sdf.abs())
        error = max(ranked, _signed_error(ours, theirs))
        yield Comparison("query points", sdf, error, SDF, "ascending abs(sdf), and sdf by point")


def _nearest(some: FieldPoints, others: FieldPoints) -> tuple[Tensor, Tensor]:
    """For each point (B, N): is it absent from the others, and which of them is nearest."""
    exact = "donot_use_mm_for_euclid_dist"  # a matrix product would cancel at short distances
    distance, index = torch.cdist(some.points, others.points, compute_mode=exact).min(dim=-1)
    return distance > _SAME_POINT, index


def _exchanged(some: FieldPoints, others: FieldPoints) -> float:
    """Share of points that the others lack; infinite when one of these is no near-tie."""
    absent, _ = _nearest(some, others)
    cut = others.sdf.abs().amax(dim=1)  # (B, 1), the farthest distance that was taken
    if (absent & (some.sdf.squeeze(-1).abs() < cut * (1 - SDF))).any():
        return float("inf")
    return float(absent.float().mean())


def _signed_error(ours: FieldPoints, golden: FieldPoints) -> float:
    """Largest difference of sdf at the points both have, as a share of the largest."""
    absent, index = _nearest(golden, ours)
    difference = (ours.sdf.squeeze(-1).gather(1, index) - golden.sdf.squeeze(-1)).abs()
    return float(difference.masked_fill(absent, 0.0).max() / golden.sdf.abs().max())


def _end_to_end(
    hand_model: HandModel, golden: Golden, output: NetworkOutput
) -> Iterator[Comparison]:
    arrays = _pose((output.joints, output.hand, output.object))
    for votes in ("object_rotation_votes", "object_translation_votes"):
        del arrays[votes]  # in the order of the query points, which near-ties may change
    yield from _check(golden, "end to end", END_TO_END, **arrays)
    hand = output.hand
    geometry = _geometry(hand_model, hand.shape, hand.rotations, output.joints.joints)
    yield from _check(golden, "end to end", END_TO_END, **geometry)
