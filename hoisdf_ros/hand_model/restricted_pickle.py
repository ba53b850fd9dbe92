"""Reads the arrays of a ``.pkl`` (MANO, HO-3D) without running anything that the file asks for.

A pickle is a program: it names functions and has the reader call them. Here every name stands
for a recorder of ours that keeps what it is given, or is refused; no function of NumPy, SciPy
or chumpy is ever reached. The arrays are then built from what was recorded, with every length
checked before memory is taken.
"""

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.errors import HandModelError

MAX_BYTES = 64 * 1024**2
"""Largest file and largest array; MANO's file has 4 MB."""
MAX_MEMO = 1_000_000
MAX_DEPTH = 4
"""Arrays within arrays; MANO's deepest is a Ch in a Select."""
NUMERIC = re.compile(r"[fiub][1248]")
_Value = TypeVar("_Value")
GET_MANO = "get MANO_RIGHT.pkl from mano.is.tue.mpg.de, or use the packaged stand-in hand"


class _Recorder:
    """Stands for a global of the pickle: keeps arguments and state, does nothing with them."""

    __slots__ = ("args", "state")
    args: tuple[object, ...]
    state: object

    def __new__(cls, *args: object) -> "_Recorder":
        """Keep the arguments; made here, since a pickle may skip ``__init__``."""
        self = super().__new__(cls)
        self.args, self.state = args, None
        return self

    def __setstate__(self, state: object) -> None:
        """Keep the state: the pickle's BUILD reaches this and nothing else."""
        self.state = state


class _NdarrayType(_Recorder):
    """``numpy.ndarray`` itself, an argument of its reconstruction."""


class _Dtype(_Recorder):
    """``numpy.dtype(name, align, copy)``; the state holds the byte order."""


class _Ndarray(_Recorder):
    """``_reconstruct(ndarray, (0,), 'b')``; the state holds shape, type and bytes."""


class _Buffer(_Recorder):
    """``_frombuffer(bytes, dtype, shape, order)``, how protocol 5 stores an array."""


class _Scalar(_Recorder):
    """``scalar(dtype, bytes)``."""


class _Bytes(_Recorder):
    """``_codecs.encode(text, 'latin1')``, how Python 3 writes bytes in protocol 2."""


class _Csc(_Recorder):
    """A SciPy matrix in compressed columns; the state is its attributes."""


class _Csr(_Recorder):
    """A SciPy matrix in compressed rows; the state is its attributes."""


class _Ch(_Recorder):
    """chumpy's ``Ch``: an array ``x`` and book-keeping."""


class _Select(_Recorder):
    """chumpy's ``Select``: the entries ``idxs`` of the flat array ``a``, reshaped."""


class _Set(_Recorder):
    """A set within chumpy's book-keeping."""


def _known_globals() -> dict[tuple[str, str], type[_Recorder]]:
    """(module, name) of all that MANO's file may mention, by old and by new names."""
    known: dict[tuple[str, str], type[_Recorder]] = {
        ("numpy", "ndarray"): _NdarrayType,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _Bytes,
        ("chumpy.ch", "Ch"): _Ch,
        ("chumpy.reordering", "Select"): _Select,
        ("__builtin__", "set"): _Set,
        ("builtins", "set"): _Set,
    }
    for core in ("numpy.core", "numpy._core"):
        known[f"{core}.multiarray", "_reconstruct"] = _Ndarray
        known[f"{core}.multiarray", "scalar"] = _Scalar
        known[f"{core}.numeric", "_frombuffer"] = _Buffer
    for package in ("scipy.sparse.", "scipy.sparse._"):
        known[f"{package}csc", "csc_matrix"] = _Csc
        known[f"{package}csr", "csr_matrix"] = _Csr
    return known


KNOWN_GLOBALS = _known_globals()


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler for which only `KNOWN_GLOBALS` exist."""

    def find_class(self, module: str, name: str) -> type[_Recorder]:
        """The recorder for a global.

        Raises:
            HandModelError: The global is none that MANO's file needs.
        """
        try:
            return KNOWN_GLOBALS[module, name]
        except KeyError:
            raise HandModelError(
                f"it asks for '{module}.{name}', expected only NumPy arrays, SciPy csc/csr "
                "matrices and chumpy's Ch and Select"
            ) from None


def read_pickled_arrays(path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays of a pickled hand model.

    Args:
        path: File of at most `MAX_BYTES`, holding a dictionary.
        names: Entries wanted; all others are left as they were recorded and dropped.

    Returns:
        The wanted entries that are there, NumPy, SciPy and chumpy objects alike as dense arrays.

    Raises:
        HandModelError: The pickle asks for anything but arrays, or is malformed.
    """
    what = f"It is damaged, not MANO's file, or has been tampered with: {GET_MANO}"
    return _read(path, names, _array, what)


def read_pickled_values(
    path: Path, names: Collection[str], advice: str
) -> dict[str, NDArray[Any] | str | None]:
    """Read the plain values of a pickled dictionary: what a data set's annotations hold.

    Args:
        path: File of at most `MAX_BYTES`, holding a dictionary.
        names: Entries wanted; all others are left as they were recorded and dropped.
        advice: What to do about a file that is refused.

    Returns:
        The wanted entries that are there: arrays, text or None; numbers and lists of numbers
        become float64 arrays.

    Raises:
        HandModelError: The pickle asks for anything but arrays, or is malformed or too large.
    """
    return _read(path, names, _value, f"It is damaged or has been tampered with: {advice}")


def _read(
    path: Path, names: Collection[str], convert: Callable[[object], _Value], advice: str
) -> dict[str, _Value]:
    """The wanted entries of a pickled dictionary, each converted from what was recorded."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise HandModelError(f"it has {size} bytes, expected at most {MAX_BYTES}")
        data = path.read_bytes()
        _check_opcodes(data)
        stored = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
        if not isinstance(stored, dict):
            raise HandModelError(f"it holds a {type(stored).__name__}, expected a dictionary")
        return {name: convert(stored[name]) for name in names if name in stored}
    except Exception as error:  # a malformed pickle can raise nearly anything
        detail = error if isinstance(error, HandModelError) else f"{type(error).__name__}: {error}"
        raise HandModelError(
            f"pickle '{path}' refused, nothing in it was run: {detail}. {advice}"
        ) from error


def _check_opcodes(data: bytes) -> None:
    """Refuse memo positions that would take gigabytes, and codes that may pass by find_class."""
    for opcode, argument, _ in pickletools.genops(data):
        if "PUT" in opcode.name and not 0 <= int(str(argument)) <= MAX_MEMO:
            raise HandModelError(f"memo position {argument}, expected at most {MAX_MEMO}")
        if opcode.name.startswith("EXT"):
            raise HandModelError(f"it asks for extension code {argument}, expected names only")


def _value(recorded: object) -> NDArray[Any] | str | None:
    """Text and None as they are, numbers and lists of numbers as float64, or an array."""
    if recorded is None or isinstance(recorded, str):
        return recorded
    if isinstance(recorded, list | tuple):
        return np.array([_number(item) for item in recorded])
    if isinstance(recorded, int | float):
        return np.array(_number(recorded))
    return _array(recorded)


def _number(recorded: object) -> float:
    """A number, Python's or NumPy's."""
    if isinstance(recorded, int | float):
        return float(recorded)
    return float(_array(recorded).item())


def _array(value: object, depth: int = 0) -> NDArray[Any]:
    """The array that a recorder stands for."""
    if depth > MAX_DEPTH:
        raise HandModelError(f"arrays within arrays, expected at most {MAX_DEPTH} levels")
    match value:
        case _Ndarray(state=(_, shape, dtype, bool(fortran), raw)):
            return _from_bytes(raw, dtype, shape, fortran=fortran)
        case _Buffer(args=(raw, dtype, shape, "C" | "F" as order)):
            return _from_bytes(raw, dtype, shape, fortran=order == "F")
        case _Scalar(args=(dtype, raw)):
            return _from_bytes(raw, dtype, (), fortran=False)
        case _Csc(state=dict(state)):
            return _dense(state, depth).T
        case _Csr(state=dict(state)):
            return _dense(state, depth)
        case _Ch(state={"x": content}):
            return _array(content, depth + 1)
        case _Select(state={"a": content, "idxs": indices, **rest}):
            flat: NDArray[Any] = _array(content, depth + 1).ravel()
            chosen: NDArray[Any] = flat[_array(indices, depth + 1)]
            return chosen.reshape(_shape(rest.get("preferred_shape", chosen.shape)))
    kind = type(value).__name__.lstrip("_")
    raise HandModelError(f"a {kind} with odd contents where an array was expected")


def _from_bytes(raw: object, dtype: object, shape: object, *, fortran: bool) -> NDArray[Any]:
    """An array from its bytes, whose number must be what shape and type ask for."""
    content, kind, lengths = _bytes(raw), _dtype(dtype), _shape(shape)
    expected = math.prod(lengths) * kind.itemsize
    if len(content) != expected:
        raise HandModelError(
            f"an array of shape {lengths} and type {kind} with {len(content)} bytes, "
            f"expected {expected}"
        )
    return np.frombuffer(content, kind).reshape(lengths, order="F" if fortran else "C")


def _bytes(raw: object) -> bytes:
    """Bytes as Python 2 (text by latin-1) or Python 3 pickle them."""
    match raw:
        case bytes() | bytearray():
            return bytes(raw)
        case str(text) | _Bytes(args=(str(text), "latin1")):
            return text.encode("latin1")
    raise HandModelError(f"a {type(raw).__name__} where the bytes of an array were expected")


def _dtype(recorded: object) -> np.dtype[Any]:
    """A type of plain numbers; objects, records and text are refused."""
    match recorded:
        case _Dtype(args=(str(name), *_), state=(_, "<" | ">" | "|" | "=" as order, *_)):
            if NUMERIC.fullmatch(name):
                return np.dtype(f"{order}{name}")
            raise HandModelError(f"an array of type '{name}', expected plain numbers")
    raise HandModelError(f"a {type(recorded).__name__} where the type of an array was expected")


def _shape(recorded: object) -> tuple[int, ...]:
    """Lengths of the axes; a single axis may be given as an integer."""
    axes = recorded if isinstance(recorded, tuple | list) else (recorded,)
    lengths = tuple(int(_array(n)) if isinstance(n, _Scalar) else n for n in axes)
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in lengths):
        raise HandModelError(f"an array of shape {lengths}, expected non-negative integers")
    return lengths


def _dense(state: Mapping[str, object], depth: int) -> NDArray[Any]:
    """Dense array of a compressed one, (rows, columns) for csr and (columns, rows) for csc."""
    data, indices, starts = (
        _array(state.get(name), depth + 1) for name in ("data", "indices", "indptr")
    )
    shape = _shape(state.get("_shape", state.get("shape")))
    major = starts.size - 1
    if len(shape) != 2 or major not in shape or math.prod(shape) * 8 > MAX_BYTES or major < 1:
        raise HandModelError(f"a sparse matrix of shape {shape} with {major} rows or columns")
    minor = math.prod(shape) // major
    counts = np.diff(starts)
    in_place = starts[0] == 0 and (counts >= 0).all() and (indices >= 0).all()
    if not in_place or data.shape != (starts[-1],) or (indices >= minor).any():
        raise HandModelError(f"a sparse matrix of shape {shape} with entries outside it")
    dense = np.zeros((major, minor))
    np.add.at(dense, (np.repeat(np.arange(major), counts), indices), data)
    return dense
