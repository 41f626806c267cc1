"""Which members are computed together: requests with the same segments, up to a number of atoms."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby

from tachylite.engines.workdir import content_key
from tachylite.schemas import Request

BATCH_ATOMS_ON_CPU = 4000


def batches_of(requests: Sequence[Request], batch_atoms: int) -> list[list[int]]:
    """Group requests (by position) with the same segments into batches of at most so many atoms.

    Temperatures and pressures may differ.
    """

    def schedule_key(index: int) -> str:
        request, own = requests[index], {"temperature_k", "end_temperature_k", "pressure_gpa"}
        schedule = [s.model_dump(exclude=own) | {"fixed": s.pressure_gpa is None} for s in request.segments]
        return content_key(schedule, request.record_forces)

    sizes = [len(request.state.numbers) for request in requests]
    groups = groupby(sorted(range(len(requests)), key=schedule_key), key=schedule_key)
    return [batch for _, group in groups for batch in fill_batches(group, sizes, batch_atoms)]


def fill_batches(indices: Iterable[int], sizes: Sequence[int], batch_atoms: int) -> list[list[int]]:
    """Split indices, in order, into batches of at most so many atoms; `sizes` says how many each has.

    >>> fill_batches(range(4), [60, 30, 50, 200], 100)
    [[0, 1], [2], [3]]
    """
    batches: list[list[int]] = []
    atoms = math.inf
    for index in indices:
        if atoms + sizes[index] > batch_atoms:
            batches.append([])
            atoms = 0
        batches[-1].append(index)
        atoms += sizes[index]
    return batches
