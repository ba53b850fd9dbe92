"""Weights in, by name: published checkpoints and our own, read without running anything."""

import hashlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from hoisdf_ros.config import PRESETS, NetworkConfig
from hoisdf_ros.errors import CheckpointError, reason
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.reference_weights import PublishedEntry, is_unused, published_entry

_KEY, _PRESET, _CONFIG = "network", "preset", "network_config"
_SHOWN = 8
_FREE = (
    *("lattice", "lattice_size", "hand_points", "object_points", "dropout", "field_dropout"),
    *("sampler", "hand_search", "object_search"),
)
"""Of a network's numbers, those that may differ from what it was trained with."""

_ADVICE = "fetch the file again, or save it anew with tensors only"
_FOREIGN = re.compile(r"GLOBAL (\S+)")  # as torch names what it would have to import


def load_checkpoint(path: Path, model: Hoisdf) -> None:
    """Fill ``model`` with the weights of a file, published or ours.

    Args:
        path: A `torch.save` dict whose key ``network`` holds the entries.
        model: Network of the preset that the weights belong to.

    Raises:
        CheckpointError: The file cannot be read safely, or an entry is missing, unexpected or
            of the wrong shape; each is named.
    """
    entries = read_entries(path)
    _check_shape(path, model.config)
    problems = assign(model, entries)
    if problems:
        shown = "; ".join(problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise CheckpointError(
            f"{path} does not fit preset '{model.config.name}': {shown}{more}. "
            f"{_advice(entries, model.config)}"
        )


def read_entries(path: Path) -> dict[str, Tensor]:
    """The named tensors of a checkpoint file, without ``module.`` in front.

    Raises:
        CheckpointError: Not a checkpoint, or one that only unpickling foreign code could read.
    """
    loaded = read_safely(path)
    entries = loaded.get(_KEY) if isinstance(loaded, Mapping) else None
    if not isinstance(entries, Mapping):
        found = (
            ", ".join(map(str, loaded)) if isinstance(loaded, Mapping) else type(loaded).__name__
        )
        raise CheckpointError(
            f"checkpoint {path} holds {found[:200]}: expected a dict with the key '{_KEY}'"
        )
    return {
        str(name).removeprefix("module."): value
        for name, value in entries.items()
        if isinstance(value, Tensor)
    }


def stored_preset(path: Path) -> str:
    """The preset that our training writes beside the weights; empty in published files.

    Raises:
        CheckpointError: As `read_entries`.
    """
    loaded = read_safely(path)
    stored = loaded.get(_PRESET) if isinstance(loaded, Mapping) else None
    return stored if isinstance(stored, str) else ""


def _check_shape(path: Path, config: NetworkConfig) -> None:
    """Refuse weights of the same shapes that were trained with other numbers.

    Raises:
        CheckpointError: Our training wrote beside the weights that, say, the scale was another.
    """
    loaded = read_safely(path)
    stored = loaded.get(_CONFIG) if isinstance(loaded, Mapping) else None
    if not isinstance(stored, Mapping) or stored.get("name") != config.name:
        return  # a published file, which does not say; or another preset's, whose shapes tell
    ours = asdict(config)
    changed = [
        f"{name} {stored[name]} (now {value})"
        for name, value in ours.items()
        if name in stored and name not in _FREE and stored[name] != value
    ]
    if changed:
        raise CheckpointError(
            f"{path} was trained as preset '{config.name}' with {'; '.join(changed[:_SHOWN])}: "
            "the preset is another network now; train it anew, or use the version of this package "
            "that it was trained with"
        )


def read_safely(path: Path, advice: str = _ADVICE) -> object:
    """What `torch.save` put into a file, on the CPU; nothing in it is executed.

    Args:
        path: The file.
        advice: What to do about one that cannot be read.

    Raises:
        CheckpointError: There is no such file, it is damaged, or only unpickling foreign code
            could read it. The message says which in our words: torch's advise to unpickle it.
    """
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path}: no such file; give the path of a .pth file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are read or refused all the same
            loaded: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a malformed pickle can raise nearly anything
        raise CheckpointError(
            f"checkpoint {path} cannot be read: {_fault(path, error)}; {advice}"
        ) from error
    return loaded


def _fault(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or reason(error)
    if not path.stat().st_size:
        return "it is empty"
    foreign = _FOREIGN.search(str(error))
    if foreign:
        return f"it holds Python objects ({foreign[1]}), which are never loaded"
    return "it is damaged, cut short, or not made by torch.save"


def assign(model: nn.Module, entries: Mapping[str, Tensor]) -> list[str]:
    """Copy entries into a model where they all fit.

    Args:
        model: The network.
        entries: Named tensors, under published names or ours.

    Returns:
        What is missing, unexpected or wrongly shaped, in words; the model is untouched then.
    """
    wanted = _wanted(model, entries)
    targets = model.state_dict()
    missing, misshapen, values = {}, {}, {}
    for name, entry in wanted.items():
        expected = entry.stored_shape(targets[name].shape)
        if entry.name not in entries:
            missing[entry.name] = f"'{entry.name}' {expected} is missing"
        elif (found := tuple(entries[entry.name].shape)) != expected:
            misshapen[entry.name] = f"'{entry.name}' is {found}, expected {expected}"
        else:
            values[name] = entry.read(entries)
    known = {entry.name for entry in wanted.values()}
    unknown = [
        f"'{name}' is not expected" for name in entries if name not in known and not is_unused(name)
    ]
    problems = [*unknown, *misshapen.values(), *missing.values()]
    if not problems:
        model.load_state_dict(values, strict=False)
    return problems


def weights_hash(model: nn.Module) -> str:
    """A short name for the weights, the same on every machine: 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _wanted(model: nn.Module, entries: Mapping[str, Tensor]) -> dict[str, PublishedEntry]:
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    ours = sum(name in entries for name in names) > len(names) // 2
    return {name: PublishedEntry(name) if ours else published_entry(name) for name in names}


def _advice(entries: Mapping[str, Tensor], config: NetworkConfig) -> str:
    for name in PRESETS:
        if name == config.name or PRESETS[name] == config:
            continue
        with torch.device("meta"):
            other = Hoisdf(PRESETS[name])
        if not _misfits(other, entries):
            return f"It fits preset '{name}': use that"
    return "Use the preset it was trained with, or fetch the file again"


def _misfits(model: nn.Module, entries: Mapping[str, Tensor]) -> bool:
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    return any(
        entry.name not in entries
        or tuple(entries[entry.name].shape) != entry.stored_shape(shapes[name])
        for name, entry in _wanted(model, entries).items()
    )
