"""The hands of a frame: boxes from outside, tracks that go on, and hands that are new.

A box from outside wins over whatever is known here; a track that no box is given for is followed
by the landmark network, or where that sees nothing, by its own pose; and while there are fewer
hands than wanted, the detector looks for more.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Frame
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import Region
from hoisdf_ros.detection.suppression import share
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.preprocessing.boxes import given_hands, scaled, with_objects
from hoisdf_ros.tracking.search import Search
from hoisdf_ros.tracking.sighting import Sighting, region_of
from hoisdf_ros.tracking.track import ALIKE, Track

SAME = 0.3
"""Boxes that share more than this (intersection over union) show one hand."""

_FOLLOWED = 0.1  # a hand whose box shares less with what was expected is another one
_ASTRAY = 0.5  # landmarks whose box shares less with the hand's lie on what it holds, too
_WIDER = 2.0  # where a hand is looked for again, as a multiple of its box


class Detector(Protocol):
    """What is needed of `detection.hand_detector.HandDetector`."""

    def windows(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """The whole image, then its tiles."""

    def find(self, image: NDArray[np.uint8], windows: Sequence[Box]) -> tuple[DetectedHand, ...]:
        """Hands in parts of an image, best first."""

    def follow(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> tuple[DetectedHand | None, ...]:
        """For each region its hand, or None."""


class Sighter:
    """Says where to look for hands.

    Args:
        detector: Finds and follows hands; None when there is none.
    """

    def __init__(self, detector: Detector | None) -> None:
        self.detector = detector
        self._search = Search()

    def __call__(
        self, frame: Frame, tracks: Sequence[Track], config: EstimatorConfig
    ) -> list[Sighting]:
        """The hands worth a forward pass, at most ``config.max_hands``, surest first.

        Args:
            frame: The image, with the boxes given from outside.
            tracks: Hands followed so far.
            config: Where hands come from, side, threshold and number.
        """
        sightings = self._given(frame, tracks, config)
        if config.hand_detector != "external":
            sightings += self._followed(frame, _rest(frame, tracks, sightings), config)
        if config.hand_detector == "builtin" and self.detector is not None:
            sightings = self._found(frame, sightings, config)
        sightings = sightings[: config.max_hands]
        regions = with_objects([one.region for one in sightings], frame.detections, config)
        return [replace(one, region=region) for one, region in zip(sightings, regions, strict=True)]

    def _given(
        self, frame: Frame, tracks: Sequence[Track], config: EstimatorConfig
    ) -> list[Sighting]:
        """Hands with a box from outside, each with the track that it goes on."""
        free, sightings = list(tracks), []
        for region in given_hands(frame.detections, config):
            expected = [track.expected_box(frame.camera, frame.stamp) for track in free]
            shares = [
                share(region.hand.box, box) if track.side is region.side else 0.0
                for track, box in zip(free, expected, strict=True)
            ]
            best = int(np.argmax(shares)) if shares else 0
            track = free.pop(best) if shares and shares[best] > _FOLLOWED else None
            votes = Votes() if track is None else track.votes
            votes = votes.plus(float(region.side is Side.RIGHT), region.hand.score)
            sightings.append(Sighting(region, votes, track=track, given=True))
        if config.depth_mode == "none":
            sightings = [self._with_landmarks(frame, one, config) for one in sightings]
        return sightings

    def _with_landmarks(
        self, frame: Frame, sighting: Sighting, config: EstimatorConfig
    ) -> Sighting:
        """The joints' pixels in a box from outside, without which nothing says how far it is."""
        if self.detector is None:
            return sighting
        box = sighting.region.hand.box
        found = self.detector.find(frame.image, [scaled(box, _WIDER)])
        best = max(found, key=lambda hand: share(hand.box, box), default=None)
        if best is None or share(best.box, box) < SAME:
            return sighting
        return sighting.with_landmarks(best, config)

    def _followed(
        self, frame: Frame, tracks: Sequence[Track], config: EstimatorConfig
    ) -> list[Sighting]:
        """Tracks that go on; those that nothing speaks for in this frame are left out."""
        landmarks = self._landmarks(frame, tracks, config)
        sightings = []
        for track, hand in zip(tracks, landmarks, strict=True):
            box = track.expected_box(frame.camera, frame.stamp)
            region = region_of(box, track.score, track.votes, config)
            sighting = Sighting(region, track.votes, track=track)
            if hand is not None and share(hand.box, box) > _FOLLOWED:
                sightings.append(sighting.with_landmarks(hand, config, _astray(track, hand)))
            elif track.joints is not None:
                sightings.append(sighting)
        # of two tracks that have come to lie on one hand, what is seen best is kept
        return sorted(sightings, key=_presence, reverse=True)

    def _landmarks(
        self, frame: Frame, tracks: Sequence[Track], config: EstimatorConfig
    ) -> list[DetectedHand | None]:
        if self.detector is None or (
            config.hand_detector == "track" and config.depth_mode == "aligned"
        ):
            return [None] * len(tracks)
        regions = [track.expected_region(frame.camera, frame.stamp) for track in tracks]
        known = [region for region in regions if region is not None]
        found = iter(self.detector.follow(frame.image, known) if known else ())
        return [None if region is None else next(found) for region in regions]

    def _found(
        self, frame: Frame, sightings: list[Sighting], config: EstimatorConfig
    ) -> list[Sighting]:
        """Hands found again or for the first time, after those that are there."""
        assert self.detector is not None
        sightings = list(sightings)
        for hand in self.detector.find(frame.image, self._windows(frame, sightings, config)):
            shares = [share(hand.box, one.region.hand.box) for one in sightings]
            best = int(np.argmax(shares)) if shares else 0
            if not shares or shares[best] < SAME:
                votes = Votes().plus(hand.right_score, hand.presence)
                region = region_of(hand.box, hand.presence, votes, config)
                sightings.append(Sighting(region, votes, hand))
            elif sightings[best].landmarks is None:
                sightings[best] = sightings[best].with_landmarks(hand, config)
        return sightings

    def _windows(
        self, frame: Frame, sightings: Sequence[Sighting], config: EstimatorConfig
    ) -> list[Box]:
        assert self.detector is not None
        windows = self.detector.windows(frame.image)
        if not sightings:
            return self._search.idle(windows, frame.stamp)
        doubtful = [
            scaled(one.region.hand.box, _WIDER)
            for one in sightings
            if one.landmarks is None and not one.given
        ]
        more = [] if len(sightings) >= config.max_hands else list(windows)
        return self._search.beside(doubtful or more, frame.stamp, config.search_rate_hz)


def _rest(frame: Frame, tracks: Sequence[Track], given: Sequence[Sighting]) -> list[Track]:
    """Tracks of hands for which no box is given, not even by another side's name."""
    left = []
    for track in tracks:
        box = track.expected_box(frame.camera, frame.stamp)
        if not any(one.track is track or share(one.region.hand.box, box) > ALIKE for one in given):
            left.append(track)
    return left


def _astray(track: Track, hand: DetectedHand) -> Box | None:
    """The hand's own box, where its landmarks have come to lie on something else; else None."""
    box = track.box_at(hand.region)
    return box if box is not None and share(hand.box, box) < _ASTRAY else None


def _presence(sighting: Sighting) -> float:
    return 0.0 if sighting.landmarks is None else sighting.landmarks.presence
