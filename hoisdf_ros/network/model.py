"""HOISDF (CVPR 2024): hand and object pose by way of global signed distance fields.

The forward pass is the three stages that the supplementary (Sec. 3) times: image features, query
points, attention and regression.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.network.backbone import make_backbone
from hoisdf_ros.network.decoder import Decoder
from hoisdf_ros.network.field_tokens import SurfaceDensity, tokens
from hoisdf_ros.network.heads import HandParameterHead, JointVoteHead, ObjectPoseHead
from hoisdf_ros.network.io import (
    Attended,
    FieldPoints,
    HandParameters,
    ImageFeatures,
    JointVotes,
    LayerOutput,
    NetworkInput,
    NetworkOutput,
    ObjectVotes,
    QueryPoints,
)
from hoisdf_ros.network.layers import MLP
from hoisdf_ros.network.point_features import ENCODING_WIDTH, project, sample_pyramid
from hoisdf_ros.network.point_sampler import (
    choose_candidates,
    inside_box,
    lattice_points,
    nearest_to_surface,
)
from hoisdf_ros.network.sdf_field import FieldDecoder
from hoisdf_ros.network.transformer import Encoder, HandDecoder, LayerSize


class Capacity(NamedTuple):
    """How many points of the lattice are evaluated in the hand's field, and in the object's."""

    hand: int
    object: int


class Sizes(NamedTuple):
    """Points evaluated in a field, and points kept."""

    room: int
    kept: int


class Hoisdf(nn.Module):
    """The network of one preset.

    Args:
        config: Widths, depths and how points are sampled.
    """

    lattice: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        pixel_width = sum(config.decoder.widths)
        token_width = config.dim - ENCODING_WIDTH - 3
        self.backbone = make_backbone(config.backbone)
        self.decoder = Decoder(config.backbone.channels, config.decoder)
        self.field_input = MLP(pixel_width, *config.field_input_widths, final_relu=True)
        self.hand_field, self.object_field = (
            FieldDecoder(config.field_input_widths[-1], config.field_width, config.field_dropout)
            for _ in range(2)
        )
        self.token_input = MLP(pixel_width, *config.token_widths, token_width, final_relu=True)
        self.hand_density, self.object_density = SurfaceDensity(), SurfaceDensity()
        size = LayerSize(config.dim, config.heads, config.feedforward, config.dropout)
        regresses_pose = config.hand_head == "mano"
        self.hand_encoder = Encoder(size, config.hand_encoder_layers)
        self.object_encoder = Encoder(size, config.object_encoder_layers)
        self.hand_decoder = HandDecoder(
            size, config.hand_decoder_layers, queries=17 if regresses_pose else 1
        )
        self.joint_head = JointVoteHead(config.dim)
        self.hand_head = HandParameterHead(config.dim, rotations=regresses_pose)
        self.object_head = ObjectPoseHead(config.dim)
        lattice = lattice_points(config.lattice_size, config.lattice)
        self.register_buffer("lattice", lattice, persistent=False)

    def forward(self, inputs: NetworkInput, capacity: Capacity | None = None) -> NetworkOutput:
        """Estimate the hand and the object of each crop.

        Args:
            inputs: The crops.
            capacity: See `query_points`.
        """
        features = self.image_features(inputs.image)
        queries = self.query_points(features, inputs, capacity)
        joints, hand, held = self.regress(features, queries, inputs)
        return NetworkOutput(features, queries, joints, hand, held)

    def image_features(self, image: Tensor) -> ImageFeatures:
        """Stage one: pyramid, heatmap and masks of (B, 3, S, S) RGB in [0, 1]."""
        features: ImageFeatures = self.decoder(self.backbone(image))
        return features

    def query_points(
        self, features: ImageFeatures, inputs: NetworkInput, capacity: Capacity | None = None
    ) -> QueryPoints:
        """Stage two: the lattice points of each field that lie nearest to its surface.

        Args:
            features: Stage one.
            inputs: The crops.
            capacity: Points evaluated in each field; exact while no box holds more of them, see
                `points_in_boxes`. None evaluates the whole lattice: the oracle of any faster
                search.
        """
        config = self.config
        room = capacity or Capacity(len(self.lattice), len(self.lattice))

        def near(field: FieldDecoder, center: Tensor, box: Tensor, sizes: Sizes) -> FieldPoints:
            inside = self._inside(center, box, inputs.intrinsics)
            found = nearest_to_surface(
                choose_candidates(self.lattice, inside, sizes.room),
                lambda points: self._distance(field, points, center, features, inputs),
                sizes.kept,
            )
            return FieldPoints(found.points, self._clamp(found.sdf))

        hand, held = Sizes(room.hand, config.hand_points), Sizes(room.object, config.object_points)
        return QueryPoints(
            near(self.hand_field, inputs.hand_root, inputs.hand_box, hand),
            near(self.object_field, inputs.object_center, inputs.object_box, held),
        )

    def points_in_boxes(self, inputs: NetworkInput) -> Tensor:
        """(2, B) how many lattice points lie in the hand's box, and in the object's."""
        hand = self._inside(inputs.hand_root, inputs.hand_box, inputs.intrinsics)
        held = self._inside(inputs.object_center, inputs.object_box, inputs.intrinsics)
        return torch.stack([hand.sum(dim=1), held.sum(dim=1)])

    def regress(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> tuple[JointVotes, HandParameters, ObjectVotes]:
        """Stage three: attention among the points, then the heads on the last layer."""
        attended = self.attend(features, queries, inputs)
        return (
            self._joint_votes(attended.hand[-1], queries),
            self.hand_head(attended.queries[-1]),
            self.object_head(self._own(attended.object[-1], queries.object)),
        )

    def supervise(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> LayerOutput:
        """Stage three with the heads on every layer (deep supervision)."""
        attended = self.attend(features, queries, inputs)
        return LayerOutput(
            [self._joint_votes(layer, queries) for layer in attended.hand],
            [self.hand_head(layer) for layer in attended.queries],
            [self.object_head(self._own(layer, queries.object)) for layer in attended.object],
        )

    def attend(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> Attended:
        """Attention among the points of each sequence, and from the hand queries to the hand's."""
        hand_tokens, object_tokens = self.point_tokens(features, queries, inputs)
        hand, held = self.hand_encoder(hand_tokens), self.object_encoder(object_tokens)
        decoded = self.hand_decoder(self._own(hand.memory, queries.hand))
        return Attended(hand.layers, held.layers, decoded)

    def distances(
        self, points: Tensor, features: ImageFeatures, inputs: NetworkInput
    ) -> tuple[Tensor, Tensor]:
        """Both fields at (B, N, 3) points, each in its own normalised coordinates.

        Returns:
            Hand and object distance (B, N, 1), clamped, normalised units.
        """
        hand = self.hand_distance(points, features, inputs)
        return hand, self.object_distance(points, features, inputs)

    def hand_distance(
        self, points: Tensor, features: ImageFeatures, inputs: NetworkInput
    ) -> Tensor:
        """(B, N, 1) clamped distance to the hand, normalised units, at (B, N, 3) points."""
        center = inputs.hand_root
        return self._clamp(self._distance(self.hand_field, points, center, features, inputs))

    def object_distance(
        self, points: Tensor, features: ImageFeatures, inputs: NetworkInput
    ) -> Tensor:
        """(B, N, 1) clamped distance to the object, normalised units, at (B, N, 3) points."""
        center = inputs.object_center
        return self._clamp(self._distance(self.object_field, points, center, features, inputs))

    def point_tokens(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> tuple[Tensor, Tensor]:
        """Tokens of the hand and of the object sequence, own points first.

        The image is sampled once for all points; each point appears in both sequences, with the
        distance of the sequence's field (Sec. 3.2.3).

        Returns:
            (B, N_hand + N_object, D) and (B, N_object + N_hand, D).
        """
        hand, held = queries
        metres = torch.cat(
            [
                self._metres(hand.points, inputs.hand_root),
                self._metres(held.points, inputs.object_center),
            ],
            dim=1,
        )
        pixel = self._pixel_features(metres, features, inputs)
        split = [hand.points.shape[1], held.points.shape[1]]
        hand_metres, object_metres = torch.split(metres, split, dim=1)
        hand_pixel, object_pixel = torch.split(pixel, split, dim=1)
        hand_image, object_image = torch.split(self.token_input(pixel), split, dim=1)

        def own(points: FieldPoints, image: Tensor, density: SurfaceDensity) -> Tensor:
            offsets = points.points / self.config.sdf_scale
            return tokens(offsets, points, image, density(points.sdf))

        def cross(field: FieldDecoder, offsets: Tensor, pixel: Tensor) -> FieldPoints:
            points = offsets * self.config.sdf_scale
            return FieldPoints(points, self._clamp(field(self.field_input(pixel), points)))

        object_seen = object_metres - inputs.hand_root.unsqueeze(1)
        hand_seen = hand_metres - inputs.object_center.unsqueeze(1)
        cross_hand = cross(self.hand_field, object_seen, object_pixel)
        cross_object = cross(self.object_field, hand_seen, hand_pixel)
        guest_hand = tokens(
            object_seen, cross_hand, object_image, self.hand_density(cross_hand.sdf)
        )
        guest_object = tokens(
            hand_seen, cross_object, hand_image, self.object_density(cross_object.sdf)
        )
        return (
            torch.cat([own(hand, hand_image, self.hand_density), guest_hand.detach()], dim=1),
            torch.cat([own(held, object_image, self.object_density), guest_object.detach()], dim=1),
        )

    def _joint_votes(self, encoded: Tensor, queries: QueryPoints) -> JointVotes:
        own = self._own(encoded, queries.hand)
        votes: JointVotes = self.joint_head(own, queries.hand.points / self.config.sdf_scale)
        return votes

    @staticmethod
    def _own(encoded: Tensor, points: FieldPoints) -> Tensor:
        return encoded[:, : points.points.shape[1]]

    def _inside(self, center: Tensor, box: Tensor, intrinsics: Tensor) -> Tensor:
        pixels, visible = project(self._metres(self.lattice, center), intrinsics)
        return inside_box(pixels, visible, box)

    def _metres(self, points: Tensor, center: Tensor) -> Tensor:
        return points / self.config.sdf_scale + center.unsqueeze(1)

    def _clamp(self, sdf: Tensor) -> Tensor:
        return sdf.clamp(-self.config.sdf_clamp, self.config.sdf_clamp)

    def _pixel_features(
        self, metres: Tensor, features: ImageFeatures, inputs: NetworkInput
    ) -> Tensor:
        pixels, _ = project(metres, inputs.intrinsics)
        return sample_pyramid(features.pyramid, pixels, self.config.image_size)

    def _distance(
        self,
        field: FieldDecoder,
        points: Tensor,
        center: Tensor,
        features: ImageFeatures,
        inputs: NetworkInput,
    ) -> Tensor:
        pixel = self._pixel_features(self._metres(points, center), features, inputs)
        distance: Tensor = field(self.field_input(pixel), points)
        return distance
