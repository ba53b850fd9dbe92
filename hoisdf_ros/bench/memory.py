"""How much memory the network needs while it runs."""

import re
from collections.abc import Callable
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"  # what clear_refs takes for it, proc(5)
_MB = 1e6


def memory_mb(task: Callable[[], object], device: str) -> dict[str, float | None]:
    """Memory while a task runs.

    Args:
        task: Something that has run before, so that nothing is loaded any more.
        device: Where it runs.

    Returns:
        ``resident`` is the process's largest size meanwhile and ``working`` how much of that came
        with the task; of a GPU, what torch allocated there. None where the system does not tell.
    """
    if device.startswith("cuda"):
        return _on_gpu(task, device)
    before = _status("VmRSS")
    try:
        (_PROCESS / "clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
    except OSError:
        before = None
    task()
    peak = _status("VmHWM")
    if before is None or peak is None:
        return {"resident": peak, "working": None}
    return {"resident": peak, "working": max(0.0, round(peak - before, 1))}


def _on_gpu(task: Callable[[], object], device: str) -> dict[str, float | None]:
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    task()
    torch.cuda.synchronize(device)
    peak = torch.cuda.max_memory_allocated(device)
    return {"resident": round(peak / _MB, 1), "working": round((peak - before) / _MB, 1)}


def _status(entry: str) -> float | None:
    """Megabytes of an entry of the process's status."""
    try:
        found = re.search(rf"{entry}:\s*(\d+) kB", (_PROCESS / "status").read_text())
    except OSError:
        return None
    return round(int(found[1]) * 1024 / _MB, 1) if found else None
