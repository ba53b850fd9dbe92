"""An object on a table, and an empty hand over the table beside it."""

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.synthetic_backdrop import Table, table_frame
from hoisdf_ros.data.synthetic_scene import PlacedObject, with_forearm
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_TILT_RAD = np.radians([25.0, 65.0])
_DISTANCE_M = 0.5, 0.75
_HOVER_M, _GAP_M = (0.005, 0.04), (0.008, 0.03)


def draw_table(rng: np.random.Generator) -> Table:
    """A table at which the camera looks, so that its optical axis meets it where hands reach."""
    tilt, distance = float(rng.uniform(*_TILT_RAD)), float(rng.uniform(*_DISTANCE_M))
    frame = table_frame(tilt, rng)
    return Table(frame, distance * float(frame[2, 1]))


def lain(
    name: str, meshes: dict[str, Mesh], table: Table, rng: np.random.Generator
) -> PlacedObject:
    """An object that stands or lies on the table near the middle of the picture.

    Args:
        name: Which.
        meshes: By id; z is up in them.
        table: The table.
        rng: Where the chance comes from.
    """
    lying = rng.uniform() < 0.5
    down = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # table-from-mesh
    fallen = matrix_from_rotation_vector(np.array([np.pi / 2 * lying, 0.0, 0.0]))
    turned = matrix_from_rotation_vector(np.array([0.0, rng.uniform(0, 2 * np.pi), 0.0]))
    rotation = table.frame @ turned @ fallen @ down
    shape = meshes[name].vertices @ rotation.T
    middle = (shape.max(axis=0) + shape.min(axis=0)) / 2
    place = table.height / table.frame[2, 1] * np.array([0.0, 0.0, 1.0]) - middle
    place = place + table.frame[:, [0, 2]] @ rng.uniform(-0.06, 0.06, size=2)
    normal = table.frame[:, 1]
    lowest = float((shape @ normal).max())
    place = place + (table.height - lowest - float(place @ normal)) * normal
    return PlacedObject(name, rotation, place)


def palm_down(side: Side, table: Table, rng: np.random.Generator) -> Array:
    """(3, 3) camera-from-hand of a hand that reaches over the table from the camera's side."""
    right, down, ahead = table.frame.T
    lean, lift = rng.normal(scale=np.radians(25)), np.radians(rng.uniform(5, 30))
    flat = np.sin(lean) * right - np.cos(lean) * ahead
    forearm = np.cos(lift) * flat - np.sin(lift) * down
    roll = matrix_from_rotation_vector(forearm * rng.normal(scale=np.radians(30)))
    palm = roll @ down  # the palm looks along -y of the hand, of both sides
    thumb = np.cross(forearm, -palm)
    return with_forearm(side, forearm, thumb)


def beside(
    skin: Array, shape: Array, table: Table, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Where a hand is over the table, close to an object, and the way away from it.

    Args:
        skin: (N, 3) the hand around its middle, camera axes, metres.
        shape: (V, 3) the object where it is, camera frame.
        table: The table.
        rng: Where the chance comes from.

    Returns:
        (3,) place of the middle, metres, camera frame, and (3,) unit vector.
    """
    normal = table.frame[:, 1]
    angle = rng.uniform(-0.25 * np.pi, 1.25 * np.pi)  # from the right over near to the left
    away = np.cos(angle) * table.frame[:, 0] - np.sin(angle) * table.frame[:, 2]
    hand, thing = skin @ table.frame, shape @ table.frame  # axes of the table
    middle = (thing.max(axis=0) + thing.min(axis=0)) / 2
    low, high = thing.min(axis=0), thing.max(axis=0)
    gap, height = rng.uniform(*_GAP_M), table.height - rng.uniform(*_HOVER_M)
    place = np.array([middle[0], height - hand[:, 1].max(), middle[2]])
    for step in np.arange(0.0, 0.5, 0.005):
        moved = hand + place + step * (away @ table.frame)
        if not ((moved > low - gap) & (moved < high + gap)).all(axis=1).any():
            place = place + step * (away @ table.frame)
            break
    world: Array = table.frame @ place
    assert abs(float(normal @ away)) < 1e-6
    return world, away
