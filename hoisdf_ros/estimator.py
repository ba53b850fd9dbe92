"""One frame in, hands and held objects out.

The package in one sentence: where hands are; wrist and crop; network; hand model; wrist again;
camera frame.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import NameSource, Side
from hoisdf_ros.datatypes import (
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
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand, stand_in_path
from hoisdf_ros.looking.doubts import Witness, doubt, mask_share
from hoisdf_ros.looking.gripper import Gripper
from hoisdf_ros.looking.look import Look, Pass, joints_of, total
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.looking.placer import with_placed
from hoisdf_ros.looking.said import as_surface, held_object
from hoisdf_ros.looking.steady import steadied
from hoisdf_ros.looking.wrist import Refined, WristByDepth
from hoisdf_ros.looking.wrist_by_size import WristBySize
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.postprocessing.hand import RawHand, Seen, estimate_hand
from hoisdf_ros.postprocessing.objects import (
    ObjectLibrary,
    RawObject,
    estimate_object,
    object_directory,
)
from hoisdf_ros.postprocessing.skin import Skin
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.registration import Registration
from hoisdf_ros.runtime.backend import Stopwatch
from hoisdf_ros.runtime.choice import silent
from hoisdf_ros.runtime.engine import Say
from hoisdf_ros.runtime.loading import UNTRAINED, LoadedNetwork, load_network
from hoisdf_ros.tracking.detecting import load_detector
from hoisdf_ros.tracking.first_root import first_root, what_may_be_held
from hoisdf_ros.tracking.grasp import Grasp
from hoisdf_ros.tracking.sighter import Sighter
from hoisdf_ros.tracking.sighting import Sighting
from hoisdf_ros.tracking.tracker import Outcome, Tracker, double_of

__all__ = ["Estimator", "Look"]


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
        network = load_network(config, say)
        arrays = load_right_hand(config.hand_model_dir)
        hand_model = HandModel(arrays).eval().to(network.backend.device)
        self.looker = Looker(network, hand_model)
        self.by_depth = WristByDepth(self.looker, Skin(hand_model.faces))
        self.by_size = WristBySize(self.looker)
        self.objects = ObjectLibrary(object_directory(config.object_dir))
        self.gripper = Gripper(self.looker, self.objects) if self.trained else None
        self._detector = load_detector(config, network.backend.device)
        self.sighter = Sighter(self._detector.detector)
        self.tracker = Tracker(config.lost_timeout_ms / 1e3)
        self._registration = Registration()

    def __call__(self, frame: Frame) -> Estimate:
        """Estimate everything that can be placed in metres.

        Hands without a wrist position, or that nothing confirms, are left out and named in the
        notes; nothing is invented.
        """
        watch = Stopwatch()
        self.tracker.forget(frame.stamp)
        sightings = self.sighter(frame, self.tracker.tracks, self.config)
        times = [StageTimes(detect_ms=watch.lap())]
        hands: list[HandEstimate] = []
        objects: list[ObjectEstimate] = []
        frame, unfit = self._with_fit_depth(frame, sightings)
        notes = [*self._without_detector(sightings), *unfit]
        for sighting in sightings:
            try:
                seen = self._looked(frame, sighting)
            except (RootError, ImageError) as error:
                notes.append(f"{sighting.name}: {error}")
                continue
            times.append(seen.done.times)
            watch.lap()
            box = self._box(sighting, seen)
            reason = self._doubt(sighting, seen, box, hands)
            notes += [f"{sighting.name}: {note}" for note in (seen.note, reason) if note]
            if not reason:
                hand, held = self._followed(sighting, seen, box)
                hands.append(hand)
                objects += [held] if held is not None else []
            times.append(StageTimes(postprocess_ms=watch.lap()))
        return Estimate(tuple(hands), tuple(objects), total(times), tuple(notes))

    def estimate(
        self, frame: Frame, region: HandRegion, root: Root
    ) -> tuple[HandEstimate, ObjectEstimate | None, StageTimes]:
        """Estimate one hand whose wrist is known, and the object it holds; the wrist stays.

        Args:
            frame: The image.
            region: Boxes of hand and object.
            root: The wrist.
        """
        done = self.looker(Look(frame, region, root))
        watch = Stopwatch()
        hand, held = self.place(done.raw, done.look)
        return hand, held, replace(done.times, postprocess_ms=watch.lap())

    def inputs(self, look: Look) -> NetworkInput:
        """As `Looker.inputs`."""
        return self.looker.inputs(look)

    def read(self, output: NetworkOutput, looks: Sequence[Look]) -> list[tuple[RawHand, RawObject]]:
        """As `Looker.read`."""
        return self.looker.read(output, looks)

    def place(
        self, raw: tuple[RawHand, RawObject], look: Look, track: int = 0
    ) -> tuple[HandEstimate, ObjectEstimate | None]:
        """Put what the network says into the camera frame, on the hand's own side.

        Args:
            raw: Hand and object.
            look: What they are of.
            track: The hand's id.
        """
        region = look.region
        score, box = region.hand.score, region.hand.box
        seen = Seen(track, region.side, region.side_score, score, look.root, box)
        hand = estimate_hand(raw[0], seen, look.frame.camera)
        if region.held is None:
            return hand, None
        known = self.objects.get(region.held.label)
        return hand, estimate_object(raw[1], known, region.held, hand)

    def faces(self, side: Side) -> NDArray[np.int64]:
        """(1538, 3) triangles of that side's hand mesh, anticlockwise seen from outside."""
        model = self.looker.hand_model
        return (model.mirrored() if side is Side.LEFT else model).faces

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
    def network(self) -> LoadedNetwork:
        """What runs; another one may be put in its place."""
        return self.looker.network

    @network.setter
    def network(self, network: LoadedNetwork) -> None:
        self.looker.network = network

    @property
    def hand_model(self) -> HandModel:
        """Right hands."""
        return self.looker.hand_model

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
            detector=self._detector.words,
            notes=backend.notes,
        )

    def update(self, config: EstimatorConfig) -> None:
        """Take over the settings that may change while running."""
        self.config = config
        self.tracker.timeout = config.lost_timeout_ms / 1e3

    def reset(self) -> None:
        """Forget every track."""
        self.tracker.reset()
        self._registration = Registration()

    @property
    def _refines(self) -> bool:
        return self.config.refine_root and self.trained  # else masks and poses mean nothing

    @property
    def _follows(self) -> bool:
        """Whether the landmark network looks where each hand was."""
        return self.config.hand_detector == "builtin" and self.sighter.detector is not None

    def _without_detector(self, sightings: Sequence[Sighting]) -> list[str]:
        """The note that hands are not found, while no box comes from outside either."""
        lacking = self._detector.missing and not any(sighting.given for sighting in sightings)
        return [f"hands are not found: {self._detector.words}"] if lacking else []

    def _with_fit_depth(
        self, frame: Frame, sightings: Sequence[Sighting]
    ) -> tuple[Frame, list[str]]:
        """The frame, without its depth where that does not lie on the image, and what is wrong."""
        if frame.depth is None or not sightings or self.config.depth_mode != "aligned":
            return frame, []
        wrong = self._registration(frame, sightings[0].region.hand.box)
        return (replace(frame, depth=None), [wrong]) if wrong else (frame, [])

    def _looked(self, frame: Frame, sighting: Sighting) -> Refined:
        """The hand as the network sees it, at the best wrist there is.

        Raises:
            RootError: Nothing says how far the hand is.
            ImageError: Its box lies outside the image.
        """
        config = self.config
        root, measured = first_root(frame, sighting, config, refined=self._refines)
        region = replace(sighting.region, around=what_may_be_held(frame, sighting, root))
        done = self.looker(Look(frame, region, root))
        if not self._refines:
            return Refined(done, confirmed=measured is not None)
        landmarks = sighting.landmarks
        pixels = None if landmarks is None else landmarks.landmarks
        if config.depth_mode == "aligned" and frame.depth is not None:
            missed = pixels is None and not sighting.given and self._follows
            return self.by_depth(done, measured, config, pixels, missed=missed)
        if config.depth_mode == "none" and pixels is not None and measured is not None:
            return self.by_size(done, pixels, measured, config)
        return Refined(done, confirmed=False)

    def _doubt(
        self, sighting: Sighting, seen: Refined, box: Box, others: Sequence[HandEstimate]
    ) -> str:
        """Why the hand is not to be believed; empty when it is."""
        if not self.trained:
            return ""
        known = sighting.given or sighting.track is not None
        witness = Witness(
            mask=mask_share(seen.done, self.looker.crop(seen.done.look)),
            box=sighting.given or sighting.landmarks is not None,
            wrist=seen.confirmed,
            known=known,
        )
        reason = doubt(witness)
        placed = self.config.depth_mode == "aligned"  # by depth; else only pixels tell hands apart
        twin = double_of(joints_of(seen.done), others, None if placed else box)
        if not reason and twin is not None:
            reason = f"left out: the same hand as number {twin.id}"
            self.tracker.drop(sighting.track)
        return reason

    def _followed(
        self, sighting: Sighting, seen: Refined, around: Box
    ) -> tuple[HandEstimate, ObjectEstimate | None]:
        """The hand and its object, under the id of its track, which goes on from here."""
        done, config = seen.done, self.config
        root, region = done.look.root, done.look.region
        pose = joints_of(done) - root.position if self.trained else None
        grasp = self._grasp(sighting, done)
        box = region.around if grasp is None else grasp.box
        if grasp is not None and grasp.placed is not None:
            done = with_placed(done, grasp.placed.pose)
        outcome = Outcome(done.look.frame.stamp, root, pose, around, box, grasp)
        track = self.tracker.keep(sighting, outcome)
        if config.smoothing:
            done = steadied(self.looker, done, track.smoother)
        thing, naming = held_object(region, grasp, config.object_id)
        region = replace(region, hand=replace(region.hand, box=around), held=thing)
        look = replace(done.look, region=region)
        hand, held = self.place(done.raw, look, track.id)
        if held is not None:
            held = replace(held, naming=naming)
            if grasp is not None and naming.source is NameSource.UNKNOWN:
                held = as_surface(held, grasp, look.root.position)
        return hand, held

    def _box(self, sighting: Sighting, seen: Refined) -> Box:
        """Around the hand: as it is given, else by mask and pose, else where it was looked for."""
        known = sighting.region.hand.box
        if sighting.given or not self.trained:
            return known
        return self.looker.box_of(seen.done, posed=seen.confirmed) or known

    def _grasp(self, sighting: Sighting, done: Pass) -> Grasp | None:
        """What the hand holds; None while masks and fields mean nothing."""
        if self.gripper is None:
            return None
        before = None if sighting.track is None else sighting.track.grasp
        held = sighting.region.held
        given = self.config.object_id or (held.label if held is not None else "")
        limits = self.config.min_depth_m, self.config.max_depth_m
        return self.gripper(done, before, limits, given=given, at_once=sighting.given)
