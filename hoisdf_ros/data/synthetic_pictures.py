"""Textures by chance: for walls, tables, cloth and skin."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Mesh

SIZE = 256
"""Edge of a picture, pixels."""

Picture = NDArray[np.uint8]


def draw_pictures(meshes: Sequence[Mesh], count: int, rng: np.random.Generator) -> list[Picture]:
    """So many different (SIZE, SIZE, 3) RGB pictures.

    Args:
        meshes: Their textures lend printed matter; may be empty.
        count: How many.
        rng: Where the chance comes from.
    """
    prints = [mesh.texture for mesh in meshes if mesh.texture is not None]
    kinds = [clouds, stripes, boards, tiles, shapes]
    pictures = []
    for number in range(count):
        if prints and number % 3 == 2:
            pictures.append(_printed(prints[int(rng.integers(len(prints)))], rng))
        else:
            pictures.append(kinds[int(rng.integers(len(kinds)))](rng))
    return pictures


def colour(rng: np.random.Generator, loud: float = 0.25) -> Array:
    """(3,) a colour, 0 to 255; ``loud`` is how far from grey it may be."""
    grey = rng.uniform(20, 235)
    tint: Array = np.clip(grey + 255 * loud * rng.uniform(-1, 1, size=3), 0, 255)
    return tint


def noise(cells: int, rng: np.random.Generator, octaves: int = 4) -> Array:
    """(SIZE, SIZE) smooth noise of about unit size, rough at several scales."""
    total: Array = np.zeros((SIZE, SIZE))
    for octave in range(octaves):
        side = min(cells * 2**octave, SIZE)
        coarse = rng.normal(scale=0.6**octave, size=(side, side)).astype(np.float32)
        smooth = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        total = total + smooth
    return total


def _mixed(share: Array, rng: np.random.Generator) -> Picture:
    """Two colours, mixed by (SIZE, SIZE) shares, with a little grain."""
    one, other = colour(rng), colour(rng)
    mixed = one + np.clip(share, 0, 1)[..., None] * (other - one)
    mixed += rng.normal(scale=rng.uniform(0, 6), size=(SIZE, SIZE, 1))
    return mixed.clip(0, 255).astype(np.uint8)


def clouds(rng: np.random.Generator) -> Picture:
    """Blotches, as of plaster, stone or leaves."""
    return _mixed(0.5 + rng.uniform(0.1, 0.6) * noise(int(rng.integers(2, 24)), rng), rng)


def stripes(rng: np.random.Generator) -> Picture:
    """Stripes or checks, as of cloth."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    steps = 2 * np.pi / rng.uniform(6, 60, size=2)
    wave = np.sin(x * steps[0])
    if rng.uniform() < 0.5:
        wave = wave * np.sin(y * steps[1])
    return _mixed(0.5 + rng.uniform(0.5, 3) * wave + 0.1 * noise(16, rng), rng)


def boards(rng: np.random.Generator) -> Picture:
    """The grain of wood."""
    _, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    stretched = cv2.resize(noise(4, rng), (SIZE * 4, SIZE))[:, :SIZE]
    rings = np.sin(y / rng.uniform(3, 12) + 3 * stretched)
    brown = np.array([150, 105, 65]) * rng.uniform(0.5, 1.5) + rng.normal(scale=10, size=3)
    grain = brown * (1 + 0.12 * rings + 0.05 * noise(64, rng))[..., None]
    return np.asarray(grain.clip(0, 255), dtype=np.uint8)


def tiles(rng: np.random.Generator) -> Picture:
    """Squares of their own colours, as of a shelf seen from afar."""
    cells = rng.integers(3, 14, size=2)
    base, loud = colour(rng), rng.uniform(0.05, 0.5)
    grid = base + 255 * loud * rng.normal(size=(*cells, 3))
    grid = grid.clip(0, 255).astype(np.uint8)
    return np.asarray(
        cv2.resize(grid, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST), dtype=np.uint8
    )


def shapes(rng: np.random.Generator) -> Picture:
    """Discs, bars and polygons one over another."""
    picture = np.empty((SIZE, SIZE, 3), np.uint8)
    picture[:] = colour(rng)
    for _ in range(int(rng.integers(5, 40))):
        paint = colour(rng, 0.5).tolist()
        a, b = (tuple(map(int, rng.integers(0, SIZE, size=2))) for _ in range(2))
        match rng.integers(4):
            case 0:
                cv2.circle(picture, a, int(rng.integers(4, 50)), paint, -1, cv2.LINE_AA)
            case 1:
                cv2.rectangle(picture, a, b, paint, -1)
            case 2:
                cv2.line(picture, a, b, paint, int(rng.integers(1, 12)), cv2.LINE_AA)
            case _:
                corners = rng.integers(0, SIZE, size=(int(rng.integers(3, 6)), 2))
                cv2.fillPoly(picture, [corners.astype(np.int32)], paint, cv2.LINE_AA)
    return picture


def _printed(texture: Picture, rng: np.random.Generator) -> Picture:
    """A part of a texture, turned, of any size, its colours moved."""
    turn, scale = rng.uniform(0, 360), np.exp(rng.uniform(-0.7, 1.2))
    height, width = texture.shape[:2]
    centre = (rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height)
    matrix: Array = np.array(cv2.getRotationMatrix2D(centre, turn, scale), dtype=float)
    matrix[:, 2] += SIZE / 2 - np.array(centre)
    part = cv2.warpAffine(texture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    order = rng.permutation(3)
    return np.asarray(part[..., order], dtype=np.uint8)


def skin(rng: np.random.Generator) -> Picture:
    """Nearly white, to be multiplied by a skin tone: blotches, pores, redder finger tips."""
    blotches = 0.045 * noise(8, rng) + 0.02 * noise(64, rng, octaves=2)
    picture = 0.9 + blotches[..., None] * [1.0, 1.1, 1.1]
    towards_tips = np.linspace(1.0, 0.0, SIZE)[None, :, None]
    redder = rng.uniform(0.0, 0.12) * np.array([0.0, 1.0, 0.9])
    return (255 * (picture - redder * towards_tips**2)).clip(0, 255).astype(np.uint8)
