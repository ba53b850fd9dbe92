"""The packaged hand: free of licence conditions, in MANO's layout, made by `make_stand_in`.

It is not MANO: the same layout and sizes, another hand. Poses carry over, shape values do not.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import MIRROR, NUM_MANO_JOINTS, Side
from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model.assets import HandArrays, load_hand_arrays
from hoisdf_ros.npz import read_npz

Array = NDArray[np.float64]

ASSET_DIR = Path(__file__).resolve().parents[1] / "assets" / "hand"


def stand_in_path() -> Path:
    """The packaged right hand, an ``.npz``."""
    return ASSET_DIR / "stand_in_right.npz"


def load_stand_in(side: Side) -> HandArrays:
    """The packaged hand; the left one is the right one mirrored.

    Raises:
        HandModelError: The side is UNKNOWN, or the file is missing.
    """
    if side is Side.UNKNOWN:
        raise HandModelError("stand-in hand: side is UNKNOWN; say LEFT or RIGHT")
    right = load_hand_arrays(stand_in_path(), Side.RIGHT)
    return right if side is Side.RIGHT else right.mirrored()


def load_right_hand(directory: str) -> HandArrays:
    """The right hand of a user's folder, or the packaged one.

    Args:
        directory: Folder that holds ``MANO_RIGHT.pkl`` or ``MANO_RIGHT.npz``; empty: packaged.

    Raises:
        HandModelError: The folder holds neither file, or the file cannot be used.
    """
    if not directory:
        return load_stand_in(Side.RIGHT)
    folder = Path(directory).expanduser()
    candidates = [folder / f"MANO_RIGHT{suffix}" for suffix in (".pkl", ".npz")]
    found = [path for path in candidates if path.is_file()]
    if not found:
        raise HandModelError(
            f"hand_model_dir '{folder}' holds neither MANO_RIGHT.pkl nor MANO_RIGHT.npz: get MANO "
            "from its authors, or leave hand_model_dir empty for the packaged stand-in hand"
        )
    return load_hand_arrays(found[0], Side.RIGHT)


def load_stand_in_bend_axes(side: Side) -> Array:
    """The axes about which the stand-in's joints bend.

    Args:
        side: LEFT or RIGHT.

    Returns:
        (16, 3) unit axes in MANO's joint order and the zero pose's axes; turning a finger's
        joint about its axis by a positive angle closes the finger. The wrist's is zero.
    """
    axes: Array = read_npz(stand_in_path())["bend_axes"].astype(np.float64)
    if axes.shape != (NUM_MANO_JOINTS, 3):
        raise HandModelError(
            f"{stand_in_path()}: bend_axes has shape {axes.shape}, expected "
            f"({NUM_MANO_JOINTS}, 3); make the file again with make_stand_in"
        )
    mirrored: Array = -axes @ MIRROR  # an axis is a pseudovector
    return axes if side is Side.RIGHT else mirrored
