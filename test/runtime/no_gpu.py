"""Lets Torch-TensorRT for RTX be imported, and build engines, where there is no GPU.

TensorRT-RTX builds engines on the CPU alone; only Torch-TensorRT's import, and its habit of loading
what it has built, ask for a GPU. Engines cannot be run like this.
"""

import contextlib
import os
from collections.abc import Iterator
from types import ModuleType
from unittest import mock

import pytest
import torch


class _Unloaded:
    """An engine that gives back the bytes it was made of."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def serialize(self, *_: object) -> bytes:
        return self._content

    serialize_with_config = serialize

    def get_aliased_input_tensor(self, _: str) -> str:
        return ""


class _Runtime:
    def __init__(self, *_: object) -> None:
        pass

    def deserialize_cuda_engine(self, content: bytes) -> _Unloaded:
        return _Unloaded(content)


@contextlib.contextmanager
def torch_tensorrt_without_gpu() -> Iterator[ModuleType]:
    """The module; skips the test, and says why, where the wheels cannot be had."""
    pytest.importorskip("tensorrt_rtx", reason="no wheel of TensorRT-RTX for this platform")
    is_file = os.path.isfile
    with contextlib.ExitStack() as stack:

        def replaced(owner: object, name: str, value: object) -> None:
            stack.enter_context(
                mock.patch.object(owner, name, value, create=not hasattr(owner, name))
            )

        replaced(torch.cuda, "get_device_capability", lambda *_, **__: (8, 6))
        replaced(torch.cuda, "current_device", lambda: 0)
        replaced(torch.cuda, "mem_get_info", lambda *_, **__: (1 << 40, 1 << 40))
        replaced(torch._C, "_CudaDeviceProperties", object)
        if torch.version.cuda is None:  # its C++ part cannot be loaded
            replaced(
                os.path, "isfile", lambda path: "libtorchtrt" not in str(path) and is_file(path)
            )
        import torch_tensorrt
        from torch_tensorrt.dynamo.conversion import _TRTInterpreter

        replaced(_TRTInterpreter.trt, "Runtime", _Runtime)
        yield torch_tensorrt
