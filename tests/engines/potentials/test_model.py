import resource
import sys

import pytest
import torch

from tachylite.engines.potentials.model import keep_freed_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library offers this on Linux only")
def test_freed_arrays_are_used_again() -> None:
    if not keep_freed_memory():
        pytest.skip("this C library has no mallopt")

    def allocate() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        arrays = [torch.ones(2_000_000) for _ in range(4)]
        del arrays
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    allocate()
    pages_of_four_arrays = 4 * 8_000_000 // resource.getpagesize()
    assert min(allocate() for _ in range(5)) < pages_of_four_arrays / 10
