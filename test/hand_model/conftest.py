"""A complete random hand model under MANO's names, and chumpy classes that never were."""

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.hand_model.assets import PARENTS
from hoisdf_ros.hand_model.stand_in import load_stand_in

Stored = dict[str, Any]


@pytest.fixture(scope="session")
def _stored_once() -> Stored:
    rng = np.random.default_rng(7)
    hand = load_stand_in(Side.RIGHT)
    kintree = np.array([PARENTS, range(16)])
    kintree[0, 0] = 2**32 - 1  # as MANO writes "no parent"
    return {
        "v_template": hand.v_template,
        "f": hand.faces.astype(np.uint32),
        "J_regressor": hand.joint_regressor,
        "weights": hand.weights,
        "shapedirs": hand.shapedirs,
        "posedirs": 1e-3 * rng.normal(size=hand.posedirs.shape),
        "hands_mean": rng.normal(size=45),
        "hands_components": rng.normal(size=(45, 45)),
        "kintree_table": kintree.astype(np.uint32),
        "bs_style": "lbs",
    }


@pytest.fixture
def stored(_stored_once: Stored) -> Stored:
    """The arrays of a right hand file; a test may replace entries."""
    return dict(_stored_once)


def _chumpy_state(self: object) -> Stored:
    """chumpy pickles its attributes, among them sets of its book-keeping."""
    book: Stored = {
        "_dirty_vars": {"x"},
        "_itr": None,
        "_depends_on_deps": {},
        "_make_dense": False,
    }
    return {**book, **vars(self)}


@pytest.fixture
def fake_chumpy(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """Classes that pickle like chumpy's, in modules that a test may delete."""
    classes = {}
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
        fake = types.ModuleType(module)
        made = type(name, (), {"__module__": module, "__getstate__": _chumpy_state})
        setattr(fake, name, made)
        monkeypatch.setitem(sys.modules, module, fake)
        classes[name] = made
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    return classes


@pytest.fixture
def as_mano(fake_chumpy: dict[str, type]) -> Callable[[Stored], Stored]:
    """Wrap arrays as MANO's pickle does: Ch template, Select shapes, csc regressor."""

    def ch(array: NDArray[Any]) -> object:
        made: Any = fake_chumpy["Ch"]()
        made.x = np.asarray(array, np.float64)
        return made

    def wrap(plain: Stored) -> Stored:
        shapes = plain["shapedirs"]
        padded = np.concatenate([shapes, np.ones_like(shapes)], axis=2)
        select = fake_chumpy["Select"]()
        select.a = ch(padded)
        select.idxs = np.arange(padded.size).reshape(padded.shape)[:, :, :10].ravel()
        select.preferred_shape = shapes.shape
        return {
            **plain,
            "v_template": ch(plain["v_template"]),
            "shapedirs": select,
            "posedirs": np.asfortranarray(plain["posedirs"]),
            "J_regressor": scipy.sparse.csc_matrix(plain["J_regressor"]),
            "bs_type": np.array("lrotmin"),
            "hands_coeffs": np.zeros((3, 45)),
        }

    return wrap
