"""Import of TorchSim without what it says."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path


def import_torch_sim() -> None:
    """Import TorchSim for the first time, in silence.

    On a machine without a GPU a library below it prints a warning from C, and its import uses deprecated
    parts of torch.
    """
    with _silent_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch_sim  # noqa: F401 - imported for its first time


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
