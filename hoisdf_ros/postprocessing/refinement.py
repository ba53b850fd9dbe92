"""The wrist, refined after the network: its posed hand is moved onto the depth it is seen in.

First moved, then turned as well: the network says how the hand is bent, and only roughly how it
is turned. What hides the hand must not pull at it, so measured points meet only the side of the
hand that is seen, and the hand's own points count only where nothing lies in front of them.
Matches of nearest points, most of each along the normal, are solved again and again while the
reach of a match shrinks (ICP: Besl and McKay 1992; point to plane: Chen and Medioni 1991).
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import cKDTree

from hoisdf_ros.conventions import MIRROR, RootSource
from hoisdf_ros.datatypes import Array, Root
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.clues import Clues
from hoisdf_ros.postprocessing.sight import Sight
from hoisdf_ros.postprocessing.skin import Samples, Skin

MIN_PIXELS = 30
"""Fewer map pixels of the hand with depth than this say nothing."""

MIN_AGREEING = 0.45
"""Share of the hand's pixels that must lie on the moved hand, and of what would be seen of that
hand on the pixels; else pose or mask are wrong."""

MAX_DEVIATIONS = 4.0
"""A wrist farther from the first one than so many of its standard deviations is another thing's."""

_COARSE_ROUNDS = 2
_REACH_M = (0.05, 0.04, 0.04, 0.025, 0.012)
_FARTHEST_M = 0.04  # a point farther off than this is off by so much
_SLIDING = 0.1  # share of a match that holds along the surface, too, where normals say nothing
_STDDEV_FLOOR_M = 0.003
_PARTS = 8
"""A pose error shifts whole fingers, so residuals of neighbours are no independent witnesses:
the hand counts as so many, however many pixels it covers. Matched to the errors on pictures of the
validation split."""

_APART_M, _ANOTHER_M = 0.04, 0.15
"""A wrist so far from the end of the forearm is not to be believed, unless that is so far off that
it is another one's: between the two, on videos of training and validation splits, it is 35 to 55 mm
off in the median."""

_DISAGREEING_M = 0.09
"""More standard deviation of a wrist where nothing agrees; in proportion where a part does not. On
those videos wrists are 8 mm off (root mean square) where nine tenths agree, 25 at two thirds."""

TURN_STDDEV, _POSE_STDDEV_M = np.radians(40.0), 0.006
"""How far the network's turn is to be trusted, and the posed skin where it is turned rightly."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """Where the wrist is after all.

    Args:
        root: The better wrist, or the one it started from.
        turn: (3, 3) what the hand is to be turned by around it, camera axes of the crop.
        note: Why both were kept, or are not to be believed; empty when neither.
    """

    root: Root
    turn: Array = field(default_factory=lambda: np.eye(3))
    note: str = ""


@dataclass(frozen=True, eq=False)
class _Pose:
    """Where the posed hand is, camera frame of the crop.

    Args:
        turn: (3, 3) around the wrist.
        place: (3,) of the wrist, metres.
    """

    turn: Array
    place: Array

    def moved(self, step: Array, center: Array) -> "_Pose":
        """After a step, and a turn around a point.

        Args:
            step: (6,) metres, then a rotation vector.
            center: (3,) of the turn, from the wrist.
        """
        turn = matrix_from_rotation_vector(step[3:])
        return _Pose(turn @ self.turn, self.place + step[:3] + center - turn @ center)


@dataclass(frozen=True, eq=False)
class _Fit:
    """One round's matches.

    Args:
        matrix, pull: (6, 6) and (6,) of the least squares for a step and a turn.
        weight: Sum of the matches' weights.
        square: Mean square distance of all, matched or not, square metres.
        agreeing: Share of all that is matched.
    """

    matrix: Array
    pull: Array
    weight: float
    square: float
    agreeing: float

    def with_(self, back: "_Fit") -> "_Fit":
        """Matches in both directions; the distances are those of this one."""
        return _Fit(
            self.matrix + back.matrix,
            self.pull + back.pull,
            self.weight + back.weight,
            self.square,
            min(self.agreeing, back.agreeing),
        )


def refine_by_depth(
    sight: Sight, skin: Skin, vertices: Array, root: Root, clues: Clues
) -> Refinement:
    """Move the hand that the network posed onto the depth in its mask.

    Args:
        sight: Depth and masks.
        skin: The hand's surface.
        vertices: (V, 3) of the posed hand around its wrist, metres, camera axes of the crop.
        root: Where its wrist was taken to be, camera frame of the image, its covariance known.
        clues: What else is known of where the hand is.

    Returns:
        The wrist, with a covariance from how well and how firmly the hand lies on the depth, and
        with a note when the forearm contradicts it; or the one that was given, with a note, when
        the depth says too little.
    """
    flip = MIRROR if sight.mirrored else np.eye(3)
    seen = sight.hand_points()
    if len(seen) < MIN_PIXELS:
        return _kept(root, f"{len(seen)} map pixels of hand with depth", f"{MIN_PIXELS} or more")
    surface = skin.at(vertices)
    if not (np.isfinite(surface.areas).all() and surface.areas.any()):
        return _kept(root, "a posed hand without a surface", "finite vertices")
    if seen[:, 2].min() <= np.ptp(vertices[:, 2]):
        return _kept(root, f"hand at {seen[:, 2].min():.2f} m", "one farther off than it is deep")
    place = _coarse(sight, surface, seen, root.position @ flip)
    half = surface.pick(np.arange(len(surface.areas)) % 2 == 0)  # says the same in half the time
    pose, fit, covariance = _fine(sight, half, seen, place, clues)
    place = pose.place
    step = place @ flip - root.position
    moved, deviations = np.linalg.norm(step), np.sqrt(step @ np.linalg.solve(root.covariance, step))
    if fit.agreeing < MIN_AGREEING:
        fits = f"{fit.agreeing:.0%} of the hand's depth and of the posed hand agree"
        return _kept(root, fits, f"{MIN_AGREEING:.0%} or more")
    if not deviations <= MAX_DEVIATIONS:
        far = f"it would move by {moved:.2f} m, {deviations:.1f} standard deviations"
        return _kept(root, far, f"{MAX_DEVIATIONS:g} or less")
    better = Root(place @ flip, flip @ covariance @ flip, RootSource.DEPTH)
    return Refinement(better, pose.turn, _contradiction(clues.wrist(pose.turn), place))


def _contradiction(wrist: Array | None, place: Array) -> str:
    """What the end of the forearm (3,) says against a wrist (3,); empty when nothing."""
    apart = np.inf if wrist is None else float(np.linalg.norm(wrist - place))
    if not _APART_M < apart < _ANOTHER_M:
        return ""
    return (
        f"wrist not sure: {apart:.2f} m from the end of the forearm, expected {_APART_M:g} or less"
    )


def _kept(root: Root, found: str, expected: str) -> Refinement:
    return Refinement(root, note=f"wrist not refined: {found}, expected {expected}")


def _coarse(sight: Sight, surface: Samples, seen: Array, place: Array) -> Array:
    """Depth onto depth and outline onto outline, where nothing hides the hand.

    Again, since what of the hand is seen depends on where it is.
    """
    place = place * (np.median(seen[:, 2]) / place[2])
    for number in range(_COARSE_ROUNDS):
        visible = surface.visible(place)
        unhidden = visible.pick(sight.unhidden(visible.points + place))
        # while the hand is far off, what lies where its points are says nothing about them
        alike = unhidden if number and len(unhidden.points) >= MIN_PIXELS else visible
        depth = np.average(alike.points[:, 2], weights=alike.projected(place))
        place = place * ((seen[:, 2].mean() - depth) / place[2])
        place = place + _across(sight, visible, place)
    return place


def _across(sight: Sight, visible: Samples, place: Array) -> Array:
    """(3,) the step across the view that lays the hand's outline on its mask best.

    Hand counts for it, background against it, and the held object or what is nearer, behind
    which hand may be, neither way: the largest correlation over all shifts of whole pixels.
    """
    size = len(sight.hand)
    outline = np.zeros((2 * size, 2 * size))  # twice as large, so that shifts do not wrap around
    x, y = sight.pixels(visible.points + place).clip(-size // 2, size + size // 2 - 1).T
    np.add.at(outline, (y, x), visible.projected(place))
    scores = np.zeros_like(outline)
    background = ~sight.unsaid & (sight.points[..., 2] > place[2])
    scores[:size, :size] = np.where(sight.hand, 1.0, np.where(background, -1.0, 0.0))
    spectrum = np.fft.rfft2(scores) * np.conj(np.fft.rfft2(outline))
    best = np.argmax(np.fft.irfft2(spectrum, s=outline.shape))
    shift = np.array(np.unravel_index(best, outline.shape), dtype=float)[::-1]
    shift -= 2 * size * (shift >= size)
    focal = sight.intrinsics[[0, 1], [0, 1]]
    return np.append(shift / focal * place[2], 0.0)


def _fine(
    sight: Sight, surface: Samples, seen: Array, place: Array, clues: Clues
) -> tuple[_Pose, _Fit, Array]:
    """Nearest points onto nearest points, in both directions.

    Returns:
        The pose, how well it fits, and the wrist's covariance (3, 3).
    """
    measured, pose = cKDTree(seen), _Pose(np.eye(3), place)
    for reach in _REACH_M:
        turned = surface.turned(pose.turn)
        visible = turned.visible(pose.place)
        center = visible.points.mean(axis=0)
        forth = _forth(visible, center, seen - pose.place, reach)
        back = _back(sight, visible, center, measured, pose.place, reach)
        both = forth.with_(back)
        told, pull = clues.at(pose.turn, pose.place, center)
        if min(forth.weight, back.weight) < 1.0:
            break
        # in units of the clues, of as many measurements as the hand counts for
        scale = _PARTS / (both.weight * _POSE_STDDEV_M**2)
        matrix, pull = scale * both.matrix + told, scale * both.pull + pull
        pose = pose.moved(np.linalg.solve(matrix, pull).astype(np.float64), center)
    return pose, both, _covariance(both, told, center)


def _forth(visible: Samples, center: Array, seen: Array, reach: float) -> _Fit:
    """Every measured point to the hand's nearest, in the hand's frame."""
    distance, nearest = cKDTree(visible.points).query(seen)
    # beyond the rim comes the forearm, which the hand has no surface for
    weights = _tukey(distance, reach) * ~visible.rim[nearest]
    points = visible.points[nearest]
    matrix, pull = _equations(points - center, seen - points, visible.normals[nearest], weights)
    square = float((np.minimum(distance, _FARTHEST_M) ** 2).mean())
    return _Fit(matrix, pull, float(weights.sum()), square, float((weights > 0).mean()))


def _back(
    sight: Sight, visible: Samples, center: Array, measured: cKDTree, place: Array, reach: float
) -> _Fit:
    """Every point of the hand that nothing hides to the nearest measured one.

    Without these the hand could slide along itself to where the measured part would still lie
    on it.
    """
    visible = visible.pick(sight.unhidden(visible.points + place))
    points, areas = visible.points + place, visible.projected(place)
    areas /= max(float(areas.sum()), 1e-12)
    distance, nearest = measured.query(points)
    weights = _tukey(distance, reach) * areas * measured.n  # both directions weigh the same
    offsets = measured.data[nearest] - points
    matrix, pull = _equations(visible.points - center, offsets, visible.normals, weights)
    square = float((areas * np.minimum(distance, _FARTHEST_M) ** 2).sum())
    return _Fit(matrix, pull, float(weights.sum()), square, float(areas[distance < reach].sum()))


def _equations(arms: Array, offsets: Array, normals: Array, weights: Array) -> tuple[Array, Array]:
    """Matrix (6, 6) and right side (6,) of the least squares for a step and a turn.

    Args:
        arms: (N, 3) points of the hand from where it is turned around.
        offsets: (N, 3) to where they should be.
        normals: (N, 3) there.
        weights: (N,).
    """
    along = np.concatenate([normals, np.cross(arms, normals)], axis=1)
    matrix = (1 - _SLIDING) * (weights[:, None] * along).T @ along
    pull = (1 - _SLIDING) * (weights * (offsets * normals).sum(axis=1)) @ along
    for axis in np.eye(3):
        any_way = np.concatenate([np.broadcast_to(axis, arms.shape), np.cross(arms, axis)], axis=1)
        matrix += _SLIDING * (weights[:, None] * any_way).T @ any_way
        pull += _SLIDING * (weights * (offsets @ axis)) @ any_way
    return matrix, pull


def _tukey(distance: Array, reach: float) -> Array:
    weights: Array = np.maximum(1 - (distance / reach) ** 2, 0.0) ** 2
    return weights


def _covariance(fit: _Fit, told: Array, center: Array) -> Array:
    """Of the wrist: residuals over normals, as if the hand were `_PARTS` measurements.

    Args:
        fit: The last round.
        told: (6, 6) information of the clues.
        center: (3,) what the hand was turned around, from the wrist, which a turn moves the more
            the farther off it is.
    """
    independent = min(fit.weight, _PARTS)
    told = told + independent / fit.square * fit.matrix / max(fit.weight, 1e-9) + 1e-9 * np.eye(6)
    lever = np.concatenate([np.eye(3), np.cross(center, np.eye(3)).T], axis=1)
    unsure = _STDDEV_FLOOR_M**2 + (_DISAGREEING_M * (1 - fit.agreeing)) ** 2
    covariance: Array = lever @ np.linalg.inv(told) @ lever.T + unsure * np.eye(3)
    return covariance
