"""The training loss of a batch: every term whose label is known, weighted and summed.

A module of its own, so that torch's DistributedDataParallel sees one forward pass.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import (
    FieldPoints,
    HandParameters,
    ImageFeatures,
    LayerOutput,
    NetworkInput,
    QueryPoints,
)
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import search_capacity
from hoisdf_ros.training import losses
from hoisdf_ros.training.batch import Batch, rows
from hoisdf_ros.training.targets import joint_heatmap, joint_visibility

JITTER = ((0.3, 0.03), (0.7, 0.05), (1.0, 0.07))
"""Until this share of an epoch, true points are jittered so far, normalised units."""

Term = tuple[str, Tensor]


@dataclass(frozen=True)
class QueryPlan:
    """Where the query points of a step come from (network.md section 11).

    Args:
        near: Ground-truth points near the surface; else those that the fields find.
        jitter: Largest offset of the former in each coordinate, normalised units.
    """

    near: bool
    jitter: float = 0.0


class Losses(NamedTuple):
    """Loss of a batch.

    Attributes:
        total: Scalar, the weighted sum.
        terms: The terms that there are, by name, not weighted; without gradient.
    """

    total: Tensor
    terms: dict[str, Tensor]


def plan_queries(done: float, always: float, share: float, rng: np.random.Generator) -> QueryPlan:
    """Choose between true points and found ones.

    Args:
        done: Epochs behind us, with the part of this one.
        always: Epochs in which true points are always taken.
        share: How often they are taken afterwards.
        rng: Where the chance comes from.
    """
    part = done % 1
    jitter = next(size for until, size in JITTER if part < until)
    return QueryPlan(near=bool(done < always or rng.random() < share), jitter=jitter)


class Objective(nn.Module):
    """The network and its loss.

    Args:
        network: What is trained.
        hand_model: The right hand of the labels; it is not trained.
        mixed: Run the backbone in bfloat16. The rest stays in single precision: projecting a
            point in bfloat16 would round its pixel.
        image_only: Leave out all terms but those of heatmap and masks.
        emphasis: Factors on the weights of terms, by term.
    """

    def __init__(
        self,
        network: Hoisdf,
        hand_model: HandModel,
        *,
        mixed: bool = False,
        image_only: bool = False,
        emphasis: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.network, self.mixed, self.image_only = network, mixed, image_only
        self.weights = {name: w * emphasis.get(name, 1.0) for name, w in losses.WEIGHTS.items()}
        self.hand_model = hand_model.requires_grad_(False)

    def forward(self, batch: Batch, plan: QueryPlan) -> Losses:
        """Loss of a batch on the network's device.

        Args:
            batch: Inputs, labels, and which of them are known.
            plan: Where the query points come from.
        """
        features = self._image_features(batch.inputs.image)
        terms = dict(_map_terms(batch, features))
        if not self.image_only:
            terms |= dict(self._point_terms(batch, plan, features))
        total = torch.stack([self.weights[name] * value for name, value in terms.items()]).sum()
        return Losses(total, {name: value.detach() for name, value in terms.items()})

    def _image_features(self, image: Tensor) -> ImageFeatures:
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self.mixed):
            maps = self.network.backbone(image)
        features: ImageFeatures = self.network.decoder(tuple(level.float() for level in maps))
        return features

    def _queries(self, batch: Batch, plan: QueryPlan, features: ImageFeatures) -> QueryPoints:
        """The points to attend to, and the distances that the network gives them."""
        if not plan.near:
            return self._found(features, batch.inputs)
        hand, held = (
            field.near + plan.jitter * (2 * torch.rand_like(field.near) - 1)
            for field in (batch.targets.hand_field, batch.targets.object_field)
        )
        lacking = ~(batch.known.hand_field & batch.known.object_field)
        if lacking.any():  # an empty hand, or a mesh that is unknown
            index = lacking.nonzero().squeeze(1).to(hand.device)
            found = self._found(*rows((features, batch.inputs), index))
            hand = _filled(hand, index, found.hand.points)
            held = _filled(held, index, found.object.points)
        hand_sdf = self.network.hand_distance(hand, features, batch.inputs)
        object_sdf = self.network.object_distance(held, features, batch.inputs)
        return QueryPoints(FieldPoints(hand, hand_sdf), FieldPoints(held, object_sdf))

    def _found(self, features: ImageFeatures, inputs: NetworkInput) -> QueryPoints:
        """The points that the fields find."""
        return self.network.query_points(features, inputs, search_capacity(self.network, inputs))

    def _point_terms(
        self, batch: Batch, plan: QueryPlan, features: ImageFeatures
    ) -> Iterator[Term]:
        """Of the fields, and of all that is said from points in them."""
        with torch.no_grad():
            queries = self._queries(batch, plan, features)
        layers = self.network.supervise(features, queries, batch.inputs)
        yield from self._field_terms(batch, features)
        yield from self._vote_terms(batch, queries, layers)
        yield from self._hand_terms(batch, layers.hand)
        yield from _object_terms(batch, layers)

    def _field_terms(self, batch: Batch, features: ImageFeatures) -> Iterator[Term]:
        clamp = self.network.config.sdf_clamp
        known, targets, network = batch.known, batch.targets, self.network
        fields = (
            ("hand_sdf", known.hand_field, targets.hand_field, network.hand_distance),
            ("object_sdf", known.object_field, targets.object_field, network.object_distance),
        )
        for name, labelled, field, distance in fields:
            index = _index(labelled, field.sdf)
            if index is None:
                continue
            seen = rows((features.pyramid, batch.inputs), index)
            some = ImageFeatures(seen[0], *features[1:])
            inputs = NetworkInput(*seen[1])
            found = distance(field.points[index], some, inputs)
            yield name, losses.sdf(found, field.sdf[index], clamp)

    def _vote_terms(
        self, batch: Batch, queries: QueryPoints, layers: LayerOutput
    ) -> Iterator[Term]:
        index = _index(batch.known.joints, batch.targets.joints)
        if index is None:
            return
        joints, votes = batch.targets.joints[index], rows(layers.joints, index)
        points = queries.hand.points[index] / self.network.config.sdf_scale
        visible = joint_visibility(points, joints)
        if visible.any():
            yield "joint_votes", losses.joint_votes(votes, joints, visible)
        yield "joint_visibility", losses.joint_visibility(votes, visible)
        yield "joints", losses.joints(votes, joints)

    def _hand_terms(self, batch: Batch, layers: list[HandParameters]) -> Iterator[Term]:
        regresses_pose = layers[0].rotations is not None
        index = _index(batch.known.mano, batch.targets.shape)
        if index is not None:
            known: list[HandParameters] = rows(layers, index)
            rotations, shape = batch.targets.rotations[index], batch.targets.shape[index]
            yield "shape", losses.shape(known, shape)
            if regresses_pose:
                posed = [self._posed(hand) for hand in known]
                truth = self._posed(HandParameters(rotations, shape))
                yield "vertices", losses.vertices(posed, truth)
                yield "mano_joints", losses.mano_joints(posed, truth)
                yield "rotations", losses.rotations(known, rotations)
        if not regresses_pose:
            yield "shape_prior", losses.shape_prior(layers)

    def _posed(self, hand: HandParameters) -> HandGeometry:
        geometry: HandGeometry = self.hand_model(hand.rotations, hand.shape)
        return geometry


def _filled(points: Tensor, index: Tensor, others: Tensor) -> Tensor:
    """(B, N, 3) points; in the rows ``index``, others (len(index), N, 3) where they are NaN."""
    own = points[index]
    return points.index_copy(0, index, torch.where(own.isfinite(), own, others))


def _index(known: Tensor, like: Tensor) -> Tensor | slice | None:
    """The samples whose label is known, on the labels' device; None when there are none."""
    if known.all():
        return slice(None)  # nothing is copied
    index = known.nonzero().squeeze(1)
    return index.to(like.device) if len(index) else None


def _map_terms(batch: Batch, features: ImageFeatures) -> Iterator[Term]:
    targets, known = batch.targets, batch.known
    if (index := _index(known.joints, targets.pixels)) is not None:
        size = features.heatmap.shape[-1]
        target = joint_heatmap(targets.pixels[index], size)
        yield "heatmap", losses.heatmap(features.heatmap[index], target)
    if (index := _index(known.hand_mask, targets.hand_mask)) is not None:
        yield "hand_mask", losses.mask(features.hand_mask[index], targets.hand_mask[index])
    if (index := _index(known.object_mask, targets.object_mask)) is not None:
        yield "object_mask", losses.mask(features.object_mask[index], targets.object_mask[index])


def _object_terms(batch: Batch, layers: LayerOutput) -> Iterator[Term]:
    targets = batch.targets
    index = _index(batch.known.object_pose, targets.object_rotation)
    if index is not None:
        votes = rows(layers.object, index)
        yield "object_rotation", losses.object_rotation(votes, targets.object_rotation[index])
        translation = targets.object_translation[index]
        yield "object_translation", losses.object_translation(votes, translation)
