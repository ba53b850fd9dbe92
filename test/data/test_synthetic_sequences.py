"""Sequences: the same each time, smooth, true to their kind, and none like another."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest

from hoisdf_ros.data.sequence_story import STORY_KINDS, Story, StoryKind, cloud_of, moment_of
from hoisdf_ros.data.sequence_truth import TrueFrame
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.data.synthetic_scene import SceneMaker
from hoisdf_ros.data.synthetic_sequences import SyntheticSequences
from hoisdf_ros.data.synthetic_streams import Split
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.mesh import nearest_distances, transform
from hoisdf_ros.geometry.signed_distance import Surface

TIMES = np.linspace(0.0, 2.0, 21)


@pytest.fixture(scope="module")
def sequences(synthetic: SyntheticData) -> Iterator[SyntheticSequences]:
    """One of each kind, two seconds long, with the grasps of the single pictures."""
    made = SyntheticSequences("train", len(STORY_KINDS), 7, seconds=2.0, grasps=CHUNK)
    made.__dict__["bank"], made.__dict__["meshes"] = synthetic.bank, synthetic.meshes
    yield made
    made.close()


@pytest.fixture(scope="module")
def maker(synthetic: SyntheticData) -> SceneMaker:
    return SceneMaker(synthetic.bank, synthetic.meshes)


@pytest.fixture(scope="module")
def stories(sequences: SyntheticSequences) -> dict[StoryKind, Story]:
    return {kind: sequences.story(index) for index, kind in enumerate(STORY_KINDS)}


def drawn(sequences: SyntheticSequences, kind: StoryKind, every: int) -> list[TrueFrame]:
    return list(sequences.frames(STORY_KINDS.index(kind), every))


def fingerprint(frame: TrueFrame) -> str:
    assert frame.frame.depth is not None
    joints = b"".join(hand.joints.tobytes() for hand in frame.hands)
    pictures = frame.frame.image.tobytes() + frame.frame.depth.tobytes()
    return sha256(pictures + joints).hexdigest()


def test_frames_are_the_same_whatever_was_drawn_before(sequences: SyntheticSequences) -> None:
    some = drawn(sequences, StoryKind.MOVING, 20)
    fewer = drawn(sequences, StoryKind.MOVING, 40)
    assert [frame.number for frame in some] == [0, 20, 40]
    assert [fingerprint(frame) for frame in some[::2]] == [fingerprint(f) for f in fewer]
    assert len({fingerprint(frame) for frame in some}) == 3
    assert some[1].frame.stamp == pytest.approx(20 / 30)


def test_a_hand_at_rest_differs_by_noise_alone(sequences: SyntheticSequences) -> None:
    first, last = drawn(sequences, StoryKind.REST, 59)
    (one,), (other,) = first.hands, last.hands
    assert (one.joints == other.joints).all()
    assert one.visible == other.visible > 0.3
    assert fingerprint(first) != fingerprint(last)
    apart = first.frame.image.astype(float) - last.frame.image
    assert abs(apart.mean()) < 0.5  # the same exposure
    assert 1.0 < apart.std() < 20.0


def test_the_hand_comes_and_goes(sequences: SyntheticSequences) -> None:
    frames = drawn(sequences, StoryKind.ENTERING, 6)
    there = [bool(frame.hands) for frame in frames]
    changes = sum(a != b for a, b in pairwise(there))
    assert not there[0]
    assert changes == 3
    assert max(hand.visible for frame in frames for hand in frame.hands) > 0.3


def test_something_hides_the_hand(sequences: SyntheticSequences) -> None:
    frames = drawn(sequences, StoryKind.OCCLUDED, 10)
    seen = [hand.visible for frame in frames for hand in frame.hands]
    assert len(seen) == len(frames)
    assert min(seen) < 0.7 * max(seen)


def test_both_hands_of_a_crossing_are_seen(sequences: SyntheticSequences) -> None:
    (first,) = drawn(sequences, StoryKind.CROSSING, 60)
    assert {hand.number for hand in first.hands} == {0, 1}
    assert len({hand.side for hand in first.hands}) == 2
    assert min(hand.visible for hand in first.hands) > 0.3
    assert max(hand.visible for hand in first.hands) <= 1.0


def test_hands_move_smoothly(stories: dict[StoryKind, Story], maker: SceneMaker) -> None:
    """No joint is faster than a quick hand, and no step differs much from the one before."""
    times = np.arange(60) / 30
    for story in stories.values():
        for actor in story.actors:
            joints = np.stack([moment_of(actor, story.camera, t, maker).joints for t in times])
            steps = np.diff(joints, axis=0)
            assert np.linalg.norm(steps, axis=2).max() < 4.0 / 30
            assert np.linalg.norm(np.diff(steps, axis=0), axis=2).max() < 0.05


def test_the_grasp_is_kept(stories: dict[StoryKind, Story], maker: SceneMaker) -> None:
    story = stories[StoryKind.MOVING]
    places = []
    for time in TIMES:
        moment = moment_of(story.actors[0], story.camera, float(time), maker)
        assert moment.thing is not None
        back = moment.thing.rotation.T
        places.append((moment.joints - moment.thing.translation) @ back.T)
    np.testing.assert_allclose(places, np.tile(places[0], (len(places), 1, 1)), atol=1e-9)


def test_crossing_hands_never_touch(stories: dict[StoryKind, Story], maker: SceneMaker) -> None:
    story, order = stories[StoryKind.CROSSING], []
    for time in TIMES:
        one, other = (moment_of(a, story.camera, float(time), maker) for a in story.actors)
        assert nearest_distances(cloud_of(one, maker), cloud_of(other, maker)).min() > 0.005
        order.append(np.sign(one.joints[:, 0].mean() - other.joints[:, 0].mean()))
    assert sum(a != b for a, b in pairwise(order)) == 2


def test_the_hand_leaves_the_object_beside_it_alone(
    sequences: SyntheticSequences, stories: dict[StoryKind, Story], maker: SceneMaker
) -> None:
    story = stories[StoryKind.NEAR]
    (prop,), (actor,) = story.props, story.actors
    surface, nearest = Surface(sequences.meshes[prop.object_id]), []
    placed = prop.at(0.0)
    assert actor.held is None
    assert story.table is not None
    down = story.table.frame[:, 1]
    shape = sequences.meshes[prop.object_id].vertices
    height = (transform(shape, placed.rotation, placed.translation) @ down).max()
    assert height == pytest.approx(story.table.height, abs=1e-6)
    for time in TIMES[::4]:
        moment = moment_of(actor, story.camera, float(time), maker)
        own = (moment.vertices - placed.translation) @ placed.rotation
        nearest.append(surface.signed_distance(own[::8]).min())
        assert (moment.vertices @ down).max() < story.table.height
    assert min(nearest) > 0.0
    assert min(nearest) < 0.08


def test_what_is_held_has_a_name(stories: dict[StoryKind, Story]) -> None:
    held = {kind: [a.held for a in story.actors] for kind, story in stories.items()}
    assert held[StoryKind.EMPTY] == held[StoryKind.NEAR] == [None]
    for kind in (StoryKind.MOVING, StoryKind.REST, StoryKind.OCCLUDED):
        (thing,) = held[kind]
        assert thing is not None
        assert not thing.object_id.startswith("shape_")


def test_splits_and_seeds_share_nothing(
    sequences: SyntheticSequences, stories: dict[StoryKind, Story]
) -> None:
    others: tuple[tuple[Split, int], ...] = (("test", 7), ("train", 8))
    for split, seed in others:
        other = SyntheticSequences(split, 7, seed, seconds=2.0, grasps=CHUNK)
        other.__dict__["bank"], other.__dict__["meshes"] = sequences.bank, sequences.meshes
        empty = other.story(STORY_KINDS.index(StoryKind.EMPTY))
        mine = stories[StoryKind.EMPTY]
        assert empty.camera != mine.camera
        assert not set(empty.actors[0].betas) & set(mine.actors[0].betas)
        assert set(other.keys).isdisjoint(sequences.keys)


def test_what_cannot_be_asked_for_is_refused(sequences: SyntheticSequences) -> None:
    assert len(sequences) == 7
    assert sequences.num_frames == 60
    with pytest.raises(IndexError):
        sequences.story(7)
    with pytest.raises(DataError, match="0 sequences; ask for at least one"):
        SyntheticSequences("test", 0)
    with pytest.raises(DataError, match="sequences of 0 s"):
        SyntheticSequences("test", 1, seconds=0)
    with pytest.raises(DataError, match="every 0 frames"):
        next(sequences.frames(0, every=0))
