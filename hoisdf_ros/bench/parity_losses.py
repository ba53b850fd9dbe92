"""Golden loss values: the terms of the training loss on the golden file's own targets."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from hoisdf_ros.bench.comparison import Comparison, relative_error
from hoisdf_ros.bench.golden import Golden
from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import HandParameters, ImageFeatures, JointVotes, ObjectVotes
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.training import losses
from hoisdf_ros.training.targets import joint_heatmap, joint_visibility

TOLERANCE = 1e-5
"""As a share of the loss. Ours differ by 4e-7; one per cent on the joints, which random weights
miss by half a metre, changes a loss by as little as 2e-5."""

_VOTES = ("loss_joint_3d", "loss_joint_cls", "loss_all_joint_3d")
_OBJECT = ("obj_rot", "obj_trans")
_HAND = ("mano_mesh_loss", "mano_joint_loss", "pose_param_loss", "shape_param_loss")

_WEIGHTED = {  # published with their factor already in
    "mano_mesh_loss": losses.WEIGHTS["vertices"],
    "mano_joint_loss": losses.WEIGHTS["mano_joints"],
    "pose_param_loss": losses.WEIGHTS["rotations"],
    "shape_param_loss": losses.WEIGHTS["shape"],
}


def compare_losses(
    model: Hoisdf, hand_model: HandModel, golden: Golden, features: ImageFeatures
) -> Iterator[Comparison]:
    """Every ``loss_*`` array of a golden file against ours.

    Args:
        model: The network with the golden file's weights.
        hand_model: The golden file's hand.
        golden: Inputs, query points, targets and losses.
        features: Stage one on the golden image.
    """
    asked = {name.removeprefix("loss_") for name in golden.arrays if name.startswith("loss_")}
    if not asked:
        return
    layers = model.supervise(features, golden.queries, golden.inputs)
    terms: dict[tuple[str, ...], Callable[[], dict[str, Tensor]]] = {
        ("joint_heatmap",): lambda: _heatmap_loss(golden, features),
        ("hand_seg", "obj_seg"): lambda: _mask_losses(golden, features),
        ("sdfhand_loss", "sdfobj_loss"): lambda: _field_losses(model, golden, features),
        _VOTES: lambda: _vote_losses(model.config, golden, layers.joints),
        _OBJECT: lambda: _object_losses(golden, layers.object),
        _HAND: lambda: _hand_losses(hand_model, golden, layers.hand),
    }
    for names, compute in terms.items():
        wanted = asked.intersection(names)  # a file need not hold the targets of the others
        for name, value in compute().items() if wanted else ():
            if name in wanted:
                weighted = value * _WEIGHTED.get(name, 1.0)
                error = relative_error(weighted, golden[f"loss_{name}"])
                yield Comparison("losses", f"loss_{name}", error, TOLERANCE)


def has_joint_targets(config: NetworkConfig) -> bool:
    """Whether the published code compares joints with the file's when it evaluates."""
    return not config.name.startswith("ho3d")


def _heatmap_loss(golden: Golden, features: ImageFeatures) -> dict[str, Tensor]:
    target = joint_heatmap(golden["target_joint_coord"], features.heatmap.shape[-1])
    return {"joint_heatmap": losses.heatmap(features.heatmap, target)}


def _mask_losses(golden: Golden, features: ImageFeatures) -> dict[str, Tensor]:
    return {
        "hand_seg": _mask_loss(features.hand_mask, golden["target_hand_seg"]),
        "obj_seg": _mask_loss(features.object_mask, golden["target_obj_seg"]),
    }


def _mask_loss(probability: Tensor, target: Tensor) -> Tensor:
    if target.min() < 0 or target.max() > 1:  # no mask: nothing to compare
        return torch.tensor(float("nan"))
    return losses.mask(probability, target.unsqueeze(1))


def _field_losses(model: Hoisdf, golden: Golden, features: ImageFeatures) -> dict[str, Tensor]:
    hand, held = model.distances(golden["probe_points"], features, golden.inputs)
    clamp = model.config.sdf_clamp
    return {
        "sdfhand_loss": losses.sdf(hand, golden["target_hand_sdf"].unsqueeze(-1), clamp),
        "sdfobj_loss": losses.sdf(held, golden["target_obj_sdf"].unsqueeze(-1), clamp),
    }


def _vote_losses(
    config: NetworkConfig, golden: Golden, layers: list[JointVotes]
) -> dict[str, Tensor]:
    joints = golden["target_joint_cam_no_trans"][:, 1:] / losses.MM  # stored in millimetres
    if not has_joint_targets(config):
        # kept: HO-3D's evaluation split has no joints, and the published code puts zeros
        joints = torch.zeros_like(joints)
    visible = joint_visibility(golden.queries.hand.points / config.sdf_scale, joints)
    return {
        "loss_joint_3d": losses.joint_votes(layers, joints, visible),
        "loss_joint_cls": losses.joint_visibility(layers, visible),
        "loss_all_joint_3d": losses.joints(layers, joints),
    }


def _object_losses(golden: Golden, layers: list[ObjectVotes]) -> dict[str, Tensor]:
    translation = golden["target_rel_obj_trans"]
    return {
        "obj_rot": losses.object_rotation(layers, golden["target_obj_rot"]),
        "obj_trans": losses.object_translation(layers, translation),
    }


def _hand_losses(
    hand_model: HandModel, golden: Golden, layers: list[HandParameters]
) -> dict[str, Tensor]:
    pose, betas = torch.split(golden["target_mano_param"], [48, 10], dim=1)
    rotations = _rotations(pose)
    terms = {"shape_param_loss": losses.shape(layers, betas)}
    if layers[0].rotations is not None:
        posed = [_posed(hand_model, hand) for hand in layers]
        truth = _posed(hand_model, HandParameters(rotations, betas))
        terms["mano_mesh_loss"] = losses.vertices(posed, truth)
        terms["mano_joint_loss"] = losses.mano_joints(posed, truth)
        terms["pose_param_loss"] = losses.rotations(layers, rotations)
    return terms


def _posed(hand_model: HandModel, hand: HandParameters) -> HandGeometry:
    geometry: HandGeometry = hand_model(hand.rotations, hand.shape)
    return geometry


def _rotations(pose: Tensor) -> Tensor:
    vectors = pose.reshape(len(pose), -1, 3).numpy()
    return torch.from_numpy(matrix_from_rotation_vector(vectors)).float()
