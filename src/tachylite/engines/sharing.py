"""The share of a machine that one of several processes takes."""

import os


def take_share(number: int, n_processes: int) -> None:
    """Compute with a share of the cores from here on, and on a GPU of its own where there are several."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // n_processes))
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())
