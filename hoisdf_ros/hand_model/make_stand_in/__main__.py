"""``python -m hoisdf_ros.hand_model.make_stand_in --out stand_in_right.npz``."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import NUM_MANO_JOINTS, NUM_VERTICES
from hoisdf_ros.hand_model.assets import PARENTS, Array
from hoisdf_ros.hand_model.make_stand_in import fit, rest_pose
from hoisdf_ros.hand_model.make_stand_in.decimate import Decimation, Goal
from hoisdf_ros.hand_model.make_stand_in.hands import SourceHands
from hoisdf_ros.hand_model.make_stand_in.source import sample_source
from hoisdf_ros.hand_model.poses import sample_poses

NUM_SHAPES, NUM_POSES, NUM_BOUNDARY = 600, 3000, 16
SEED = 0


def main() -> None:
    """Make the stand-in hand and write it."""
    parser = argparse.ArgumentParser(description="Make the packaged stand-in hand with anny.")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    out: Path = parser.parse_args().out
    np.savez_compressed(out, **make_stand_in(SEED))  # type: ignore[arg-type]
    print(f"wrote {out}, {out.stat().st_size} bytes")


def make_stand_in(seed: int) -> dict[str, NDArray[np.generic]]:
    """A right hand in MANO's layout, under MANO's names, plus ``bend_axes``."""
    rng = np.random.default_rng(seed)
    hands = sample_source(NUM_SHAPES, rng)
    rest_pose.align_axes(hands)
    tips = rest_pose.finger_tips(hands)
    rest_pose.straighten(hands, tips)
    rest_pose.rescale(hands, tips["middle"], rng)
    tips = _reduce(hands, tips)

    regressor = fit.joint_regressor(hands.vertices[::3], hands.joints[::3])
    errors = np.linalg.norm(regressor @ hands.vertices - hands.joints, axis=2)
    print(f"joint regressor: mean error {1e3 * errors.mean():.2f} mm, max {1e3 * errors.max():.2f}")
    mean, shapedirs = fit.shape_components(hands.vertices)
    axes = fit.bend_axes(regressor @ mean, mean[tips["thumb"]])
    pose_mean, pose_rows = fit.pose_components(sample_poses(axes, NUM_POSES, rng))
    arrays: dict[str, Array] = {
        "v_template": mean,
        "J_regressor": regressor,
        "J": regressor @ mean,
        "weights": hands.weights,
        "posedirs": np.zeros((len(mean), 3, 9 * (NUM_MANO_JOINTS - 1))),
        "shapedirs": shapedirs,
        "hands_mean": pose_mean,
        "hands_components": pose_rows,
        "bend_axes": axes,
    }
    return {
        **{name: array.astype(np.float32) for name, array in arrays.items()},
        "f": hands.faces.astype(np.uint16),
        "kintree_table": np.stack([PARENTS, range(NUM_MANO_JOINTS)]).astype(np.int16),
    }


def _reduce(hands: SourceHands, tips: dict[str, int]) -> dict[str, int]:
    """Cut the hands down to MANO's 778 vertices in an order that suits it; the new tips."""
    mean = hands.vertices.mean(axis=0)
    mesh = Decimation(mean, hands.faces, hands.weights, protected=set(tips.values()))
    kept, faces = mesh.run(Goal(NUM_VERTICES, NUM_BOUNDARY))
    place = {int(vertex): index for index, vertex in enumerate(kept)}
    small_tips = {finger: place[vertex] for finger, vertex in tips.items()}
    selected = kept[fit.vertex_order(mean[kept], small_tips)]
    number = np.full(len(mean), -1)
    number[selected] = np.arange(len(selected))
    hands.faces = number[faces]
    hands.vertices = hands.vertices[:, selected]
    hands.weights = hands.weights[selected]
    return {finger: int(number[vertex]) for finger, vertex in tips.items()}


if __name__ == "__main__":
    main()
