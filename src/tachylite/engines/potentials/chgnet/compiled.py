"""The gated perceptron on the CPU: gated.c, compiled at first use by the C compiler of the machine."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from tachylite.engines.potentials.chgnet.gated import WIDTH, GatedMLP

SOURCE = Path(__file__).with_name("gated.c")
_FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-shared", "-fPIC")
_COMPILERS = ("cc", "gcc", "clang")


@dataclass(frozen=True)
class CompiledTape:
    """Intermediate values of the forward pass that the backward pass needs."""

    x: Tensor
    normalized: Tensor
    inverse_deviation: Tensor


@dataclass(frozen=True)
class CompiledGatedMLP:
    """`GatedMLP` in single precision on the CPU, fused into one pass over the rows; the same function.

    `second_transposed` is for the backward pass. The result does not depend on the number of threads.
    """

    library: ctypes.CDLL
    second: Tensor | None
    second_transposed: Tensor | None
    second_bias: Tensor | None
    scale: Tensor | None
    shift: Tensor | None

    @classmethod
    def of(cls, library: ctypes.CDLL, gated: GatedMLP) -> Self:
        """Take the weights of a `GatedMLP`."""
        transposed = None if gated.second is None else gated.second.mT.contiguous()
        return cls(library, gated.second, transposed, gated.second_bias, gated.scale, gated.shift)

    def forward(self, table: Tensor, index: Tensor, message: Tensor, extra: Tensor | None = None) -> CompiledTape:
        """As `GatedMLP.forward`; `extra` becomes part of the tape."""
        n, parts = index.shape
        x = table.new_empty(n, 2 * WIDTH) if extra is None else extra
        tape = CompiledTape(x, torch.empty_like(x), x.new_empty(n, 2))
        self.library.gated_forward(
            ctypes.c_int64(n),
            ctypes.c_int64(parts),
            _address(index),
            _address(table),
            ctypes.c_int(extra is not None),
            *map(_address, (self.second, self.second_bias, self.scale, self.shift)),
            *map(_address, (x, tape.normalized, tape.inverse_deviation, message)),
            ctypes.c_int(torch.get_num_threads()),
        )
        return tape

    def backward(self, gradient: Tensor, tape: CompiledTape) -> Tensor:
        """As `GatedMLP.backward`."""
        gradient, on_x = gradient.contiguous(), torch.empty_like(tape.x)
        self.library.gated_backward(
            ctypes.c_int64(len(gradient)),
            *map(_address, (gradient, tape.x, tape.normalized, tape.inverse_deviation)),
            *map(_address, (self.second_transposed, self.scale, self.shift, on_x)),
            ctypes.c_int(torch.get_num_threads()),
        )
        return on_x


def _address(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


@cache
def load_library() -> ctypes.CDLL | None:
    """Load the compiled gated.c, compiling it at first use on this processor; None without a compiler.

    It shares the threads of torch, as both use the same OpenMP library.
    """
    compiler = next(
        (program for name in (os.environ.get("CC", ""), *_COMPILERS) if name and (program := shutil.which(name))), None
    )
    if compiler is None:
        return None
    key = hashlib.sha256("\0".join([SOURCE.read_text(), compiler, _processor(), *_FLAGS]).encode()).hexdigest()[:16]
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "tachylite" / "compiled"
    path = cache_folder / f"gated-{key}.so"
    try:
        if not path.exists():
            cache_folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache_folder) as scratch:
                _compile(compiler, Path(scratch) / path.name).replace(path)
        library = ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError):
        return None
    library.gated_forward.restype = library.gated_backward.restype = None
    return library


def _compile(compiler: str, target: Path) -> Path:
    command = [compiler, *_FLAGS, str(SOURCE), "-o", str(target), "-lm"]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)  # noqa: S603 - our own source
    return target


def _processor() -> str:
    """Model and instruction sets of the processor: nodes of a cluster share a cache, but may have different ones."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(
        sorted({line for line in lines if line.startswith(("flags", "Features", "model name", "CPU part"))})
    )
