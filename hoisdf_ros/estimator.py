"""One frame in, hands and held objects out.

The package in one sentence: boxes, wrist and crop; network; hand model; wrist again; camera frame.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import (
    Array,
    Box,
    Estimate,
    EstimatorInfo,
    Frame,
    HandEstimate,
    Mesh,
    ObjectEstimate,
    Root,
    StageTimes,
)
from hoisdf_ros.errors import ImageError, MeshError, RootError
from hoisdf_ros.hand_model.inverse_kinematics import solve_pose
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand, stand_in_path
from hoisdf_ros.network.io import ImageFeatures, NetworkInput, NetworkOutput
from hoisdf_ros.postprocessing.forearm import wrist_at_forearm
from hoisdf_ros.postprocessing.hand import RawHand, Seen, estimate_hand
from hoisdf_ros.postprocessing.objects import (
    ObjectLibrary,
    RawObject,
    estimate_object,
    object_directory,
)
from hoisdf_ros.postprocessing.refinement import refine_by_depth
from hoisdf_ros.postprocessing.sight import Sight, see
from hoisdf_ros.postprocessing.skin import Skin
from hoisdf_ros.postprocessing.tracking import Tracker
from hoisdf_ros.preprocessing.boxes import HandRegion, find_hands
from hoisdf_ros.preprocessing.crop import Crop, make_crop
from hoisdf_ros.preprocessing.roots import object_center, root_from_depth
from hoisdf_ros.runtime.backend import Stopwatch
from hoisdf_ros.runtime.choice import silent
from hoisdf_ros.runtime.engine import Say
from hoisdf_ros.runtime.loading import UNTRAINED, load_network

_MORE_PASSES = 2  # at most, after the first: one from the forearm, one from the refined wrist


@dataclass(frozen=True)
class Look:
    """One hand to estimate.

    Args:
        frame: The image.
        region: Boxes of hand and object.
        root: The wrist.
    """

    frame: Frame
    region: HandRegion
    root: Root

    @property
    def held_box(self) -> Box:
        """The object's box; the hand's where there is no object."""
        return (self.region.held or self.region.hand).box

    @property
    def mirrored(self) -> bool:
        """Whether the network sees a mirror image, in which a left hand is a right one."""
        return self.region.side is Side.LEFT


@dataclass(frozen=True, eq=False)
class _Pass:
    """What one pass of the network says of one hand."""

    look: Look
    raw: tuple[RawHand, RawObject]
    features: ImageFeatures
    times: StageTimes


class Estimator:
    """Estimates hands and held objects, frame after frame.

    Args:
        config: Weights, hand model, objects, thresholds.
        say: Is told what takes long: the network may have to be compiled.

    Raises:
        HoisdfError: Weights, hand model or objects cannot be used; the message says why.
    """

    def __init__(self, config: EstimatorConfig, say: Say = silent) -> None:
        self.config = config
        self.network = load_network(config, say)
        arrays = load_right_hand(config.hand_model_dir)
        self.hand_model = HandModel(arrays).eval().to(self.network.backend.device)
        self._skin = Skin(self.hand_model.faces)
        self.objects = ObjectLibrary(object_directory(config.object_dir))
        self.tracker = Tracker(config.lost_timeout_ms / 1e3)

    def __call__(self, frame: Frame) -> Estimate:
        """Estimate everything that can be placed in metres.

        Hands without a wrist position are left out and named in the notes; nothing is invented.
        """
        self.tracker.forget(frame.stamp)
        hands, objects, notes, times = [], [], [], []
        for region in find_hands(frame.detections, self.config):
            try:
                root = root_from_depth(frame, region.hand.box, self.config)
                done = self._pass(Look(frame, region, root))
            except (RootError, ImageError) as error:
                notes.append(f"{region.hand.label}: {error}")
                continue
            if self.config.refine_root and self.trained:  # else masks mean nothing
                done, note = self._refined(done)
                notes += [f"{region.hand.label}: {note}"] if note else []
            hand, held, spent = self._finished(done)
            hands.append(hand)
            times.append(spent)
            objects += [held] if held is not None else []
        return Estimate(tuple(hands), tuple(objects), _total(times), tuple(notes))

    def estimate(
        self, frame: Frame, region: HandRegion, root: Root
    ) -> tuple[HandEstimate, ObjectEstimate | None, StageTimes]:
        """Estimate one hand whose wrist is known, and the object it holds; the wrist stays.

        Args:
            frame: The image.
            region: Boxes of hand and object.
            root: The wrist.
        """
        return self._finished(self._pass(Look(frame, region, root)))

    def inputs(self, look: Look) -> NetworkInput:
        """What the network is given of one hand, a batch of one on the network's device.

        Raises:
            ImageError: The boxes lie outside the image.
        """
        crop, wrist = self._crop(look), look.root.position
        flip = np.array([-1.0, 1.0, 1.0]) if crop.mirrored else np.ones(3)
        arrays = (
            crop.intrinsics,
            wrist * flip,
            self._center(look) * flip,
            crop.hand_box.array(),
            crop.object_box.array(),
        )
        device = self.network.backend.device
        image = torch.from_numpy(crop.apply(look.frame.image)).permute(2, 0, 1)
        return NetworkInput(
            image.unsqueeze(0).to(device).float() / 255,
            *(torch.from_numpy(array).float().unsqueeze(0).to(device) for array in arrays),
        )

    def read(self, output: NetworkOutput, looks: Sequence[Look]) -> list[tuple[RawHand, RawObject]]:
        """What the network says of each entry of a batch, as arrays.

        Args:
            output: Of `inputs`, one or several joined.
            looks: What each entry is of.
        """
        hands = self._raw_hands(output)
        votes = torch.cat([output.object.translation_votes, output.object.rotation_votes], dim=-1)
        tensors = (output.object.rotation, output.object.translation, votes)
        objects = zip(*map(_arrays, tensors), strict=True)
        return [
            (hand, RawObject(rotation, place, spread, self._center(look), look.mirrored))
            for hand, (rotation, place, spread), look in zip(hands, objects, looks, strict=True)
        ]

    def place(
        self, raw: tuple[RawHand, RawObject], look: Look
    ) -> tuple[HandEstimate, ObjectEstimate | None]:
        """Put what the network says into the camera frame, on the hand's own side."""
        region, root, frame = look.region, look.root, look.frame
        track = self.tracker.identify(region.side, root.position, frame.stamp)
        score, box = region.hand.score, region.hand.box
        seen = Seen(track, region.side, region.side_score, score, root, box)
        hand = estimate_hand(raw[0], seen, frame.camera)
        if region.held is None:
            return hand, None
        known = self.objects.get(region.held.label)
        return hand, estimate_object(raw[1], known, region.held, hand)

    def faces(self, side: Side) -> NDArray[np.int64]:
        """(1538, 3) triangles of that side's hand mesh, anticlockwise seen from outside."""
        model = self.hand_model.mirrored() if side is Side.LEFT else self.hand_model
        return model.faces

    def object_mesh(self, object_id: str) -> Mesh:
        """The mesh of an object.

        Raises:
            MeshError: The library lacks it.
        """
        known = self.objects.get(object_id)
        if known is None:
            raise MeshError(
                f"object '{object_id}': expected one of {', '.join(self.objects.ids)}; add "
                f"{object_id}/textured.obj to object_dir"
            )
        return known.mesh

    @property
    def trained(self) -> bool:
        """False while the weights are random and poses mean nothing."""
        return self.network.weights != UNTRAINED

    def describe(self) -> EstimatorInfo:
        """What runs, as it is in effect."""
        backend = self.network.backend
        return EstimatorInfo(
            weights=self.network.weights,
            weights_hash=self.network.weights_hash,
            preset=self.network.config.name,
            backend=backend.name,
            precision=backend.precision,
            device=backend.device,
            hand_model=self.config.hand_model_dir or stand_in_path().name,
            objects=self.objects.ids,
            trained=self.trained,
            notes=backend.notes,
        )

    def update(self, config: EstimatorConfig) -> None:
        """Take over the settings that may change while running."""
        self.config = config
        self.tracker.timeout = config.lost_timeout_ms / 1e3

    def reset(self) -> None:
        """Forget every track."""
        self.tracker.reset()

    def _pass(self, look: Look) -> _Pass:
        watch = Stopwatch()
        inputs = self.inputs(look)
        preprocess_ms = watch.lap()
        output = self.network.backend(inputs)
        (raw,) = self.read(output, [look])  # waits for the result, so that a GPU's time counts here
        return _Pass(look, raw, output.features, StageTimes(preprocess_ms, watch.lap()))

    def _refined(self, done: _Pass) -> tuple[_Pass, str]:
        """The hand at a better wrist, looked at from there when it is far from the last one."""
        watch, spent = Stopwatch(), [done.times]
        sight = self._sight(done)  # of the first pass: masks do not depend on the wrist
        start = root = wrist_at_forearm(sight) or done.look.root
        note = ""
        for number in range(_MORE_PASSES):
            if _distance(root, done.look.root) > self.config.second_pass_mm / 1e3:
                spent.append(StageTimes(refine_ms=watch.lap()))
                done = self._pass(replace(done.look, root=root))
                spent.append(done.times)
                watch.lap()
            elif number:
                break
            better = refine_by_depth(sight, self._skin, done.raw[0].vertices, start)
            root, note = better.root, better.note
        spent.append(StageTimes(refine_ms=watch.lap()))
        look = replace(done.look, root=root)
        # the centre that the object was seen from shares the wrist's depth
        raw = done.raw[0], replace(done.raw[1], center=self._center(look))
        return _Pass(look, raw, done.features, _total(spent)), note

    def _sight(self, done: _Pass) -> Sight:
        frame, limits = done.look.frame, (self.config.min_depth_m, self.config.max_depth_m)
        assert frame.depth is not None  # where the first wrist came from
        masks = (done.features.hand_mask, done.features.object_mask)
        hand_mask, object_mask = (_arrays(mask)[0, 0] for mask in masks)
        return see(frame.depth, self._crop(done.look), hand_mask, object_mask, limits)

    def _finished(self, done: _Pass) -> tuple[HandEstimate, ObjectEstimate | None, StageTimes]:
        watch = Stopwatch()
        hand, held = self.place(done.raw, done.look)
        return hand, held, replace(done.times, postprocess_ms=watch.lap())

    def _crop(self, look: Look) -> Crop:
        box, config = look.region.hand.box, self.network.config
        return make_crop(box, look.held_box, look.frame.camera, config, mirror=look.mirrored)

    def _center(self, look: Look) -> Array:
        """(3,) centre of the object's crop, metres, camera frame of the image."""
        depth = self.network.config.object_depth or float(look.root.position[2])
        return object_center(look.held_box, depth, look.frame.camera)

    @torch.no_grad()
    def _raw_hands(self, output: NetworkOutput) -> list[RawHand]:
        rotations, shape = output.hand.rotations, output.hand.shape
        if rotations is None:
            flat = torch.eye(3, device=shape.device).expand(len(shape), 16, 3, 3)
            template: HandGeometry = self.hand_model(flat, shape)
            voted = torch.cat([torch.zeros_like(template.joints[:, :1]), output.joints.joints], 1)
            # differs: the published rule gives up on a reflection; here it is put right
            rotations = solve_pose(template.joints, voted, reflection="corrected")
        posed: HandGeometry = self.hand_model(rotations, shape)
        votes, logits = output.joints.votes, output.joints.logits
        tensors = (posed.vertices, posed.joints, rotations, shape, votes, logits.softmax(dim=1))
        return [RawHand(*entry) for entry in zip(*map(_arrays, tensors), strict=True)]


def _arrays(tensor: Tensor) -> Array:
    """The batch in double precision."""
    array: Array = tensor.double().cpu().numpy()
    return array


def _distance(one: Root, other: Root) -> float:
    return float(np.linalg.norm(one.position - other.position))


def _total(times: list[StageTimes]) -> StageTimes:
    names = [entry.name for entry in dataclasses.fields(StageTimes)]
    return StageTimes(*(sum(getattr(spent, name) for spent in times) for name in names))
