"""Reads the arrays of MANO's ``.pkl`` without running anything that the file asks for.

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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.errors import HandModelError

MAX_BYTES = 64 * 1024**2
"""Largest file and largest array; MANO's file has 4 MB."""
MAX_MEMO = 1_000_000
NUMERIC = re.compile(r"[<>|=]?[fiub][1248]")
REFUSED = "it is not MANO's file or has been tampered with; get it from mano.is.tue.mpg.de"


class _Recorder:
    """Stands for a global of the pickle: keeps arguments and state, does nothing with them."""

    __slots__ = ("args", "state")
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> "_Recorder":
        """Keep the arguments; made here, since pickles may skip ``__init__``."""
        self = super().__new__(cls)
        self.args, self.state = args, None
        return self

    def __setstate__(self, state: Any) -> None:
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
        ("chumpy", "Ch"): _Ch,
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
                f"the pickle asks for '{module}.{name}'; expected only NumPy arrays, SciPy "
                f"csc/csr matrices and chumpy's Ch and Select: {REFUSED}"
            ) from None


def read_pickled_arrays(path: Path) -> dict[str, Any]:
    """Read the arrays of a pickled hand model.

    Args:
        path: File of at most `MAX_BYTES`, holding a dictionary.

    Returns:
        The dictionary, in which NumPy, SciPy and chumpy objects have become dense arrays;
        every other entry is left out.

    Raises:
        HandModelError: The pickle asks for anything but arrays, or is malformed.
    """
    data = path.read_bytes()
    try:
        _check_memo(data)
        stored = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
        if not isinstance(stored, dict):
            raise HandModelError(f"the pickle holds a {type(stored).__name__}, expected a dict")
        recorded = {name: value for name, value in stored.items() if _is_array(value)}
        return {name: _array(value, depth=0) for name, value in recorded.items()}
    except HandModelError as error:
        raise HandModelError(f"hand model '{path}' refused: {error}") from error
    except Exception as error:  # a malformed pickle can raise nearly anything
        raise HandModelError(
            f"hand model '{path}' cannot be read as a pickle "
            f"({type(error).__name__}: {error}): {REFUSED}"
        ) from error


def _check_memo(data: bytes) -> None:
    """Refuse memo positions for which the unpickler would allocate gigabytes."""
    for opcode, argument, _ in pickletools.genops(data):
        if "PUT" in opcode.name and not 0 <= int(argument) <= MAX_MEMO:
            raise HandModelError(f"memo position {argument}, expected at most {MAX_MEMO}")


def _is_array(value: Any) -> bool:
    """Whether a value stands for an array."""
    return isinstance(value, (_Ndarray, _Buffer, _Csc, _Csr, _Ch, _Select))


def _array(value: Any, depth: int) -> NDArray[Any]:
    """The array that a recorder stands for."""
    if depth > 8:
        raise HandModelError("arrays nested more than 8 deep, expected 2 at most")
    match value:
        case _Ndarray(state=(_, shape, dtype, bool(fortran), raw)):
            return _from_bytes(raw, dtype, shape, "F" if fortran else "C")
        case _Buffer(args=(raw, dtype, shape, "C" | "F" as order)):
            return _from_bytes(raw, dtype, shape, order)
        case _Scalar(args=(dtype, raw)):
            return _from_bytes(raw, dtype, (), "C")
        case _Csc(state={**state}):
            return _dense(state, depth).T
        case _Csr(state={**state}):
            return _dense(state, depth)
        case _Ch(state={"x": content}):
            return _array(content, depth + 1)
        case _Select(state={"a": content, "idxs": indices, **rest}):
            chosen = _array(content, depth + 1).ravel()[_array(indices, depth + 1)]
            return chosen.reshape(_shape(rest.get("preferred_shape", chosen.shape)))
    raise HandModelError(
        f"a {type(value).__name__.lstrip('_')} with unexpected arguments or state where an "
        f"array was expected: {REFUSED}"
    )


def _from_bytes(raw: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """An array from its bytes, whose number must be what shape and type ask for."""
    content, kind, lengths = _bytes(raw), _dtype(dtype), _shape(shape)
    expected = math.prod(lengths) * kind.itemsize
    if len(content) != expected:
        raise HandModelError(
            f"an array of shape {lengths} and type {kind} with {len(content)} bytes, "
            f"expected {expected}"
        )
    return np.frombuffer(content, kind).reshape(lengths, order=order)


def _bytes(raw: Any) -> bytes:
    """Bytes as Python 2 (text by latin-1) or Python 3 pickle them."""
    match raw:
        case _Bytes(args=(str(text), "latin1")) | str(text):
            return text.encode("latin1")
        case bytes() | bytearray():
            return bytes(raw)
        case _Bytes(args=()):
            return b""
    raise HandModelError(f"an array's content is a {type(raw).__name__}, expected bytes")


def _dtype(recorded: Any) -> np.dtype[Any]:
    """A type of plain numbers; objects, records and text are refused."""
    match recorded:
        case _Dtype(args=(str(name), *_), state=(_, str(order), *_)) if NUMERIC.fullmatch(name):
            return np.dtype(name).newbyteorder("=" if order == "|" else order)
        case _Dtype(args=(str(name), *_)):
            raise HandModelError(f"an array of type '{name}', expected plain numbers: {REFUSED}")
    raise HandModelError(f"an array's type is a {type(recorded).__name__}, expected a dtype")


def _shape(recorded: Any) -> tuple[int, ...]:
    """Lengths of the axes; a flat array may give one integer."""
    axes = recorded if isinstance(recorded, (tuple, list)) else (recorded,)
    lengths = tuple(int(_array(n, 0)) if isinstance(n, _Scalar) else n for n in axes)
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in lengths):
        raise HandModelError(f"an array's shape is {lengths}, expected non-negative integers")
    return lengths


def _dense(state: Mapping[str, Any], depth: int) -> NDArray[Any]:
    """Dense (major, minor) array of a compressed one: its rows (csr) or its columns (csc).

    The last axis of the result is the one along which `indices` run.
    """
    parts = [_array(state.get(name), depth + 1) for name in ("data", "indices", "indptr")]
    data, indices, starts = parts
    shape = _shape(state.get("_shape", state.get("shape")))
    major = len(starts) - 1
    minor = math.prod(shape) // major if major > 0 else 0
    in_order = starts.ndim == 1 and major > 0 and starts[0] == 0 and (np.diff(starts) >= 0).all()
    fits = data.shape == indices.shape == (starts[-1],) if in_order else False
    if not (len(shape) == 2 and major in shape and fits and math.prod(shape) * 8 <= MAX_BYTES):
        raise HandModelError(f"a sparse matrix of shape {shape} does not fit its entries")
    if len(indices) and not 0 <= indices.min() <= indices.max() < minor:
        raise HandModelError(f"a sparse matrix of shape {shape} has entries outside it")
    dense = np.zeros((major, minor))
    np.add.at(dense, (np.repeat(np.arange(major), np.diff(starts)), indices), data)
    return dense
