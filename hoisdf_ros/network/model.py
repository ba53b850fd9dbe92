"""HOISDF (CVPR 2024): hand and object pose by way of global signed distance fields.

The forward pass is the three stages that the supplementary (Sec. 3) times: image features, query
points, attention and regression.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hoisdf_ros.config import NetworkConfig, Sampler
from hoisdf_ros.network.backbone import make_backbone
from hoisdf_ros.network.coarse_to_fine import CellTree, Region, coarse_to_fine
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
from hoisdf_ros.network.pixel_reader import GRID, Lookup, PixelReader
from hoisdf_ros.network.point_features import ENCODING_WIDTH, pixel_grid, project
from hoisdf_ros.network.point_sampler import (
    choose_candidates,
    cube_in_box,
    inside_box,
    lattice_points,
    nearest_to_surface,
)
from hoisdf_ros.network.sdf_field import FieldDecoder
from hoisdf_ros.network.transformer import Encoder, HandDecoder, LayerSize
from hoisdf_ros.search_budget import SearchBudget


class Capacity(NamedTuple):
    """How many points of the lattice are evaluated in the hand's field, and in the object's."""

    hand: int
    object: int


class Hoisdf(nn.Module):
    """The network of one preset.

    Args:
        config: Widths, depths and how points are sampled.
    """

    lattice: Tensor
    lookup: Lookup = GRID
    """How feature maps are read between their pixels."""

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
        self.cells: CellTree | None = None
        self.search_with(config.sampler)

    def search_with(self, sampler: Sampler) -> None:
        """Find query points in another way from now on.

        Raises:
            ConfigError: The budgets of the coarse-to-fine search do not fit the lattice.
        """
        self.config = replace(self.config, sampler=sampler)
        levels = len(self.config.hand_search.kept)
        searches = sampler == "coarse_to_fine"
        self.cells = CellTree(self.lattice, levels) if searches else None

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
            capacity: Points that the dense sampler evaluates in each field; exact while no box
                holds more of them, see `points_in_boxes`. None evaluates the whole lattice: the
                oracle of any faster search.
        """
        if self.cells is not None:
            found = self._coarse_to_fine(self.cells, features, inputs)
        else:
            found = self._dense(features, inputs, capacity)
        return QueryPoints(*(FieldPoints(near.points, self._clamp(near.sdf)) for near in found))

    def points_in_boxes(self, inputs: NetworkInput) -> Tensor:
        """(2, B) how many lattice points lie in the hand's box, and in the object's."""
        hand = self._touched(self.lattice, inputs.hand_root, inputs.hand_box, inputs)
        held = self._touched(self.lattice, inputs.object_center, inputs.object_box, inputs)
        return torch.stack([hand.sum(dim=1), held.sum(dim=1)])

    def regress(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> tuple[JointVotes, HandParameters, ObjectVotes]:
        """Stage three: attention among the points, then the heads on the last layer."""
        hand_tokens, object_tokens = self.point_tokens(features, queries, inputs)
        hand_memory, hand = self.hand_encoder.last(hand_tokens, queries.hand.points.shape[1])
        _, held = self.object_encoder.last(object_tokens, queries.object.points.shape[1])
        return (
            self._joint_votes(hand, queries),
            self.hand_head(self.hand_decoder(hand_memory)[-1]),
            self.object_head(held),
        )

    def supervise(
        self, features: ImageFeatures, queries: QueryPoints, inputs: NetworkInput
    ) -> LayerOutput:
        """Stage three with the heads on every layer (deep supervision)."""
        attended = self.attend(features, queries, inputs)
        return LayerOutput(
            [self._joint_votes(self._own(each, queries.hand), queries) for each in attended.hand],
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
        read = self._field_reader(features, points.shape[1])
        feature = read(self._grid(points, inputs.hand_root, inputs))[0]
        return self._clamp(self.hand_field(feature, points))

    def object_distance(
        self, points: Tensor, features: ImageFeatures, inputs: NetworkInput
    ) -> Tensor:
        """(B, N, 1) clamped distance to the object, normalised units, at (B, N, 3) points."""
        read = self._field_reader(features, points.shape[1])
        feature = read(self._grid(points, inputs.object_center, inputs))[0]
        return self._clamp(self.object_field(feature, points))

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
        split = [hand.points.shape[1], held.points.shape[1]]
        hand_metres = self._metres(hand.points, inputs.hand_root)
        object_metres = self._metres(held.points, inputs.object_center)
        pixels, _ = project(torch.cat([hand_metres, object_metres], dim=1), inputs.intrinsics)
        read = PixelReader(
            (self.token_input, self.field_input), features.pyramid, sum(split), self.lookup
        )
        (hand_image, object_image), (hand_pixel, object_pixel) = (
            torch.split(output, split, dim=1)
            for output in read(pixel_grid(pixels, self.config.image_size))
        )

        def own(points: FieldPoints, image: Tensor, density: SurfaceDensity) -> Tensor:
            offsets = points.points / self.config.sdf_scale
            return tokens(offsets, points, image, density(points.sdf))

        def cross(field: FieldDecoder, offsets: Tensor, pixel: Tensor) -> FieldPoints:
            points = offsets * self.config.sdf_scale
            return FieldPoints(points, self._clamp(field(pixel, points)))

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

    def _dense(
        self, features: ImageFeatures, inputs: NetworkInput, capacity: Capacity | None
    ) -> list[FieldPoints]:
        room = capacity or Capacity(len(self.lattice), len(self.lattice))
        read = self._field_reader(features, sum(room))

        def near(
            field: FieldDecoder, place: tuple[Tensor, Tensor], room: int, kept: int
        ) -> FieldPoints:
            inside = self._touched(self.lattice, *place, inputs)

            def distance(points: Tensor) -> Tensor:
                out: Tensor = field(read(self._grid(points, place[0], inputs))[0], points)
                return out

            return nearest_to_surface(choose_candidates(self.lattice, inside, room), distance, kept)

        hand, held = self._places(inputs)
        return [
            near(self.hand_field, hand, room.hand, self.config.hand_points),
            near(self.object_field, held, room.object, self.config.object_points),
        ]

    def _coarse_to_fine(
        self, cells: CellTree, features: ImageFeatures, inputs: NetworkInput
    ) -> list[FieldPoints]:
        config = self.config
        budgets = config.hand_search, config.object_search
        counts = config.hand_points, config.object_points
        places = self._places(inputs)
        read = self._field_reader(features, sum(budget.evaluated for budget in budgets))

        def region(place: tuple[Tensor, Tensor], budget: SearchBudget, count: int) -> Region:
            return Region(
                lambda points, half: self._touched(points, *place, inputs, half), budget, count
            )

        def evaluate(points: Sequence[Tensor]) -> list[Tensor]:
            grids = [
                self._grid(some, center, inputs)
                for some, (center, _) in zip(points, places, strict=True)
            ]
            pixel = read(torch.cat(grids, dim=1))[0]  # of both fields' points at once
            parts = torch.split(pixel, [some.shape[1] for some in points], dim=1)
            fields = self.hand_field, self.object_field
            return [f(part, some) for f, part, some in zip(fields, parts, points, strict=True)]

        regions = [region(*each) for each in zip(places, budgets, counts, strict=True)]
        return coarse_to_fine(cells, regions, evaluate)

    def _joint_votes(self, own: Tensor, queries: QueryPoints) -> JointVotes:
        votes: JointVotes = self.joint_head(own, queries.hand.points / self.config.sdf_scale)
        return votes

    @staticmethod
    def _own(encoded: Tensor, points: FieldPoints) -> Tensor:
        return encoded[:, : points.points.shape[1]]

    @staticmethod
    def _places(inputs: NetworkInput) -> list[tuple[Tensor, Tensor]]:
        """Centre and box of the hand's field, and of the object's."""
        return [
            (inputs.hand_root, inputs.hand_box),
            (inputs.object_center, inputs.object_box),
        ]

    def _touched(
        self, points: Tensor, center: Tensor, box: Tensor, inputs: NetworkInput, half: float = 0.0
    ) -> Tensor:
        """(B, N) bool: may a cube of half an edge ``half`` around the point be seen in the box?"""
        metres = self._metres(points, center)
        if not half:
            return inside_box(*project(metres, inputs.intrinsics), box)
        return cube_in_box(metres, half / self.config.sdf_scale, inputs.intrinsics, box)

    def _metres(self, points: Tensor, center: Tensor) -> Tensor:
        return points / self.config.sdf_scale + center.unsqueeze(1)

    def _clamp(self, sdf: Tensor) -> Tensor:
        return sdf.clamp(-self.config.sdf_clamp, self.config.sdf_clamp)

    def _grid(self, points: Tensor, center: Tensor, inputs: NetworkInput) -> Tensor:
        pixels, _ = project(self._metres(points, center), inputs.intrinsics)
        return pixel_grid(pixels, self.config.image_size)

    def _field_reader(self, features: ImageFeatures, points: int) -> PixelReader:
        return PixelReader((self.field_input,), features.pyramid, points, self.lookup)
