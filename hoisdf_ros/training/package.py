"""Weights to hand on: a run's averaged weights in half precision, and where they come from.

``python -m hoisdf_ros.training.package runs/demo/best.pth hoisdf_ros/assets/weights/demo.pth``
made the packaged ones.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from hoisdf_ros.errors import CheckpointError, HoisdfError
from hoisdf_ros.network.checkpoint import read_entries, read_safely
from hoisdf_ros.training.checkpoints import write_checkpoint

LARGEST_MB = 40.0
"""A package is cloned and installed by everybody."""

_ORIGIN = ("preset", "network_config", "config", "code", "data", "seed", "step", "epoch")


def packaged(content: dict[str, Any], entries: dict[str, Tensor]) -> dict[str, Any]:
    """The content of a file to hand on.

    Args:
        content: Of a checkpoint that `hoisdf train` wrote.
        entries: Its weights.

    Returns:
        Matrices and kernels in half precision; vectors, which are small and hold the running
        variances, as they are; and the run's settings, without what only the run needs.

    Raises:
        CheckpointError: The file does not say where its weights come from, or a weight is too
            large for half precision.
    """
    lacking = [name for name in _ORIGIN if name not in content]
    if lacking:
        raise CheckpointError(
            f"the checkpoint lacks {', '.join(lacking)}: expected one that 'hoisdf train' wrote"
        )
    halved = {name: _halved(name, value) for name, value in entries.items()}
    config = dict(content["config"])
    started_from = str(config.get("weights", ""))
    config["weights"] = Path(started_from).name  # its folder means nothing elsewhere
    return {"network": halved, **{name: content[name] for name in _ORIGIN}, "config": config}


def _halved(name: str, value: Tensor) -> Tensor:
    if value.dim() < 2 or not value.is_floating_point():
        return value.clone()
    half = value.half()
    if not half.isfinite().all():
        raise CheckpointError(
            f"'{name}' reaches {float(value.abs().max()):.3g}, expected finite numbers below "
            "65504; the run went astray"
        )
    return half


def main(arguments: Sequence[str] | None = None) -> int:
    """Package a checkpoint; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hoisdf_ros.training.package")
    parser.add_argument("checkpoint", type=Path, help="best.pth or last.pth of a run")
    parser.add_argument("out", type=Path, help="file to write")
    options = parser.parse_args(arguments)
    try:
        content = read_safely(options.checkpoint)
        entries = read_entries(options.checkpoint)
        write_checkpoint(options.out, packaged(dict(_mapping(content)), entries))
    except HoisdfError as error:
        parser.exit(2, f"error: {error}\n")
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {size:.1f} MB, step {_mapping(content)['step']}")
    if size > LARGEST_MB:
        print(f"expected {LARGEST_MB:.0f} MB at most: too large to package")
        return 1
    return 0


def _mapping(content: object) -> dict[str, Any]:
    assert isinstance(content, dict)  # read_entries refuses anything else
    return content


if __name__ == "__main__":
    raise SystemExit(main())
