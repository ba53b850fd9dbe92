"""MANO's pickle is read without chumpy; hostile pickles are refused and run nothing."""

import copyreg
import io
import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model import restricted_pickle
from hoisdf_ros.hand_model.assets import load_hand_arrays
from hoisdf_ros.hand_model.restricted_pickle import read_pickled_arrays, read_pickled_values

Stored = dict[str, Any]


def read(data: bytes, tmp_path: Path) -> Stored:
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(data)
    return read_pickled_arrays(path, ["a"])


def old_names(data: bytes) -> bytes:
    """A text-opcode pickle (protocol 2) with the module names of NumPy 1 and old SciPy."""
    return data.replace(b"numpy._core.", b"numpy.core.").replace(b"sparse._csc", b"sparse.csc")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_manos_pickle_is_read_without_chumpy(
    stored: Stored, as_mano: Callable[[Stored], Stored], protocol: int, tmp_path: Path
) -> None:
    data = pickle.dumps(as_mano(stored), protocol=protocol)
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        del sys.modules[name]
    path = tmp_path / "MANO_RIGHT.pkl"
    path.write_bytes(old_names(data) if protocol == 2 else data)
    hand = load_hand_arrays(path, Side.RIGHT)
    assert np.array_equal(hand.v_template, stored["v_template"])
    assert np.array_equal(hand.shapedirs, stored["shapedirs"])
    assert np.array_equal(hand.posedirs, stored["posedirs"])
    assert np.array_equal(hand.joint_regressor, stored["J_regressor"])
    assert np.array_equal(hand.faces, stored["f"])
    assert hand.parents.tolist() == [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14]


def test_python_2_text_is_read_as_the_arrays_bytes(tmp_path: Path) -> None:
    # Written by hand, since Python 3 has no way to write a Python 2 str.
    raw = np.array([[1.5, -2.0, 1e300]]).tobytes()
    state = b"(I1\n(K\x01K\x03tcnumpy\ndtype\n(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xff"
    state += b"J\xff\xff\xff\xffK\x00tb\x89U" + bytes([len(raw)]) + raw + b"tb"
    head = b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    found = read(head + state + b"s.", tmp_path)["a"]
    assert found.tolist() == [[1.5, -2.0, 1e300]]


@pytest.mark.parametrize("make", [scipy.sparse.csc_matrix, scipy.sparse.csr_matrix])
def test_sparse_and_big_endian_arrays(make: Callable[[Any], Any], tmp_path: Path) -> None:
    dense = np.where(np.arange(35).reshape(5, 7) % 3, 0, np.arange(35.0).reshape(5, 7))
    assert np.array_equal(read(pickle.dumps({"a": make(dense)}), tmp_path)["a"], dense)
    swapped = read(pickle.dumps({"a": dense.astype(">f4")}, 2), tmp_path)["a"]
    assert np.array_equal(swapped, dense)


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Callable[..., Any], *args: object) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.function, self.args


CALLS: dict[str, tuple[Callable[..., Any], tuple[object, ...]]] = {
    "system": (os.system, ("touch ran",)),
    "eval": (eval, ("open('ran', 'w')",)),
    "exec": (exec, ("open('ran', 'w')",)),
    "open": (open, ("ran", "w")),
    "getattr": (getattr, (1, "denominator")),
    "__import__": (__import__, ("this",)),
    "fromfile": (np.fromfile, ("ran",)),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", CALLS)
def test_a_function_is_named_and_not_run(
    name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "this", raising=False)
    function, args = CALLS[name]
    data = pickle.dumps({"a": np.zeros(3), "b": Call(function, *args)}, protocol)
    with pytest.raises(HandModelError, match=rf"asks for '[\w.]+\.{name}'"):
        read(data, tmp_path)
    assert not Path("ran").exists()
    assert "this" not in sys.modules


FORBIDDEN = [
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy", "memmap"),
    ("numpy", "ndarray.tofile"),
    ("numpy", "matrix"),
    ("numpy.core.multiarray", "fromfile"),
    ("numpy._core.multiarray", "frombuffer"),
    ("numpy.core.multiarray", "_reconstruct.__globals__"),
    ("numpy.testing", "rundocs"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.f2py", "compile"),
    ("numpy.ctypeslib", "load_library"),
    ("scipy.sparse", "load_npz"),
    ("scipy.sparse.csc", "csc_matrix.__init__"),
    ("chumpy.ch", "depends_on"),
    ("chumpy.ch", "os"),
    ("chumpy.ch", "Ch.__class__"),
    ("chumpy", "ch"),
    ("builtins", "set.__class__"),
    ("_codecs", "lookup"),
    ("copyreg", "_reconstructor"),
    ("hoisdf_ros.hand_model.restricted_pickle", "os"),
]


def short(text: str) -> bytes:
    """A text opcode of protocol 4."""
    return b"\x8c" + bytes([len(text)]) + text.encode()


@pytest.mark.parametrize(("module", "name"), FORBIDDEN)
@pytest.mark.parametrize("as_text", [False, True])
def test_names_that_look_alike_are_refused(
    module: str, name: str, as_text: bool, tmp_path: Path
) -> None:
    call = (
        b"c" + f"{module}\n{name}\n".encode() if as_text else short(module) + short(name) + b"\x93"
    )
    with pytest.raises(HandModelError, match="expected only NumPy arrays") as caught:
        read(b"\x80\x04}" + short("a") + call + b")Rs.", tmp_path)
    assert f"'{module}.{name}'" in str(caught.value)


def array_pickle(shape: bytes, dtype: bytes, content: bytes) -> bytes:
    """A pickled array ``a`` whose parts are given as opcodes."""
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + shape + b"C\x01btR"
    kind = b"cnumpy\ndtype\n(" + dtype + b"K\x00K\x01tR(K\x03U\x01<NNNK\x00K\x00K\x00tb"
    return b"\x80\x04}U\x01a" + made + b"(K\x01" + shape + kind + b"\x89" + content + b"tbs."


HUGE = b"(\x8a\x06" + (2**46).to_bytes(6, "little") + b"t"
ODD_ARRAYS = {
    "huge shape": (array_pickle(HUGE, b"U\x02f8", b"U\x08abcdefgh"), "shape"),
    "too few bytes": (array_pickle(b"(K\x64t", b"U\x02f8", b"U\x08abcdefgh"), "expected 800"),
    "negative shape": (array_pickle(b"(J\xff\xff\xff\xfft", b"U\x02f8", b"U\x00"), "shape"),
    "float shape": (array_pickle(b"(G" + struct.pack(">d", 1.0) + b"t", b"U\x02f8", b"U\x00"), "n"),
    "objects": (array_pickle(b"(K\x01t", b"U\x02O8", b"U\x08abcdefgh"), "O8"),
    "text": (array_pickle(b"(K\x01t", b"U\x02U2", b"U\x08abcdefgh"), "U2"),
    "records": (array_pickle(b"(K\x01t", b"U\x05f8,f8", b"U\x08abcdefgh"), "f8,f8"),
    "no bytes": (array_pickle(b"(K\x01t", b"U\x02f8", b"]"), "list"),
}


@pytest.mark.parametrize("case", ODD_ARRAYS)
def test_odd_arrays_are_refused_before_memory_is_taken(case: str, tmp_path: Path) -> None:
    data, message = ODD_ARRAYS[case]
    with pytest.raises(HandModelError, match=message):
        read(data, tmp_path)


def test_huge_arguments_of_an_allowed_name_take_no_memory(tmp_path: Path) -> None:
    make = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" + HUGE + b"U\x01btR"
    with pytest.raises(HandModelError, match="Ndarray with odd contents"):
        read(b"\x80\x02}U\x01a" + make + b"s.", tmp_path)


@pytest.mark.parametrize("call", [b")R", b"(K\x01K\x02K\x03tR", b")\x81", b"U\x01xb"])
@pytest.mark.parametrize("name", restricted_pickle.KNOWN_GLOBALS)
def test_allowed_names_with_odd_arguments_make_no_array(
    name: tuple[str, str], call: bytes, tmp_path: Path
) -> None:
    data = b"\x80\x02}U\x01ac" + "\n".join(name).encode() + b"\n" + call + b"s."
    with pytest.raises(HandModelError, match="nothing in it was run"):
        read(data, tmp_path)


def test_a_pickle_cannot_change_the_recorders(tmp_path: Path) -> None:
    before = {cls: dict(vars(cls)) for cls in restricted_pickle.KNOWN_GLOBALS.values()}
    attack = b"\x80\x02}U\x01acchumpy.ch\nCh\nN}U\x0c__setstate__cchumpy.ch\nCh\ns\x86bs."
    with pytest.raises(HandModelError):
        read(attack, tmp_path)
    assert {cls: dict(vars(cls)) for cls in before} == before


def test_extension_codes_are_refused_even_when_registered(tmp_path: Path) -> None:
    copyreg.add_extension("os", "system", 0xF0)
    try:
        with pytest.raises(HandModelError, match="extension code 240"):
            read(b"\x80\x02}U\x01a\x82\xf0U\x04true\x85Rs.", tmp_path)
    finally:
        copyreg.remove_extension("os", "system", 0xF0)


def test_a_memo_bomb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match="memo position 4294967295"):
        read(b"\x80\x02}r\xff\xff\xff\xff.", tmp_path)


def ch_of(content: object, fake_chumpy: dict[str, type]) -> object:
    made: Any = fake_chumpy["Ch"]()
    made.x = content
    return made


def test_an_array_within_itself_is_refused(fake_chumpy: dict[str, type], tmp_path: Path) -> None:
    ring = ch_of(None, fake_chumpy)
    vars(ring)["x"] = ring
    with pytest.raises(HandModelError, match="arrays within arrays"):
        read(pickle.dumps({"a": ring}, 2), tmp_path)


def test_a_selection_outside_its_array_is_refused(
    fake_chumpy: dict[str, type], tmp_path: Path
) -> None:
    select = fake_chumpy["Select"]()
    select.a, select.idxs = ch_of(np.zeros(3), fake_chumpy), np.array([7])
    with pytest.raises(HandModelError, match="index 7"):
        read(pickle.dumps({"a": select}, 2), tmp_path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("indices", [-1, 1]),
        ("indices", [0, 5]),
        ("indptr", [0, 9, 2, 2]),
        ("indptr", [0, 1, 2, 3]),
        ("_shape", (2, 2**40)),
        ("_shape", (9, 9)),
        ("_shape", (2**24, 3)),
    ],
)
def test_a_sparse_matrix_must_fit_its_shape(
    part: str, value: list[int] | tuple[int, int], tmp_path: Path
) -> None:
    matrix = scipy.sparse.csc_matrix(([1.0, 2.0], [0, 1], [0, 1, 2, 2]), shape=(2, 3))
    setattr(matrix, part, np.array(value) if isinstance(value, list) else value)
    with pytest.raises(HandModelError, match=r"a sparse matrix|of shape"):
        read(pickle.dumps({"a": matrix}, 2), tmp_path)


@pytest.mark.parametrize("data", [b"", b".", b"hello", b"\x80\x04K", pickle.dumps([1, 2])])
def test_what_is_no_dictionary_of_arrays_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match=r"MANO_RIGHT\.pkl"):
        read(data, tmp_path)


def test_persistent_ids_and_cut_files_are_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pickle.dump({"a": np.zeros(1000)}, whole, 2)
    for data in (whole.getvalue()[:500], b"\x80\x02}U\x01aU\x01xQs."):
        with pytest.raises(HandModelError, match="refused"):
            read(data, tmp_path)


def values(data: bytes, tmp_path: Path) -> Stored:
    path = tmp_path / "0000.pkl"
    path.write_bytes(data)
    return read_pickled_values(path, list("abcdefg"), "download it again")


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_read_as_they_are(protocol: int, tmp_path: Path) -> None:
    stored = {
        "a": np.array([[1.5, -2]], np.float32),
        "b": None,
        "c": "003_cracker_box",
        "d": 4,
        "e": [1, 2.5, np.float64(3)],
        "g": np.float64(0.25),
    }
    found = values(
        old_names(pickle.dumps(stored, protocol))
        if protocol < 3
        else pickle.dumps(stored, protocol),
        tmp_path,
    )
    assert found["a"].dtype == np.float32
    assert found["a"].tolist() == [[1.5, -2.0]]
    assert found["b"] is None
    assert found["c"] == "003_cracker_box"
    assert (found["d"], found["g"]) == (4.0, 0.25)
    assert found["e"].tolist() == [1.0, 2.5, 3.0]
    assert "f" not in found


@pytest.mark.parametrize(
    "odd", [{}, [{}], [[1.0]], [None], ["1", "2"], 10**400, b"x", [Call(os.system, "true")]]
)
def test_other_values_are_refused(odd: object, tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match=r"refused, nothing in it was run.*download it again"):
        values(pickle.dumps({"a": odd}, 2), tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restricted_pickle, "MAX_BYTES", 100)
    with pytest.raises(HandModelError, match="expected at most 100"):
        values(pickle.dumps({"a": np.zeros(100)}), tmp_path)
