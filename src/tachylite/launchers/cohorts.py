"""How many formulas go through a flow together, so that no document outgrows what a database takes."""

from collections.abc import Sequence

from tachylite.errors import InputError
from tachylite.schemas import Protocol

DEFAULT_COHORT = 32

LARGEST_DOCUMENT = 8_000_000
"""Bytes: half of the 16 MB that MongoDB takes, since the sizes are estimates."""

_STATE_PER_ATOM = 95
_SAMPLE = 900
_ANALYSES = 60_000
"""Bytes of BSON: an atom's number, position and velocity; a sample of P(V); g(r), MSD and what is made of them."""


def bytes_per_member(protocol: Protocol, n_atoms: int) -> int:
    """An upper estimate of what one member adds to the largest document of a flow.

    That is the job which decides on volumes in the last round it may take: it holds a state and a sample for every
    run so far, at every temperature.
    """
    search, anneal = protocol.volume_search, protocol.anneal
    runs = 1 if search is None else len(search.fractions) + search.max_attempts
    temperatures = max(1, len(anneal.temperatures_k) if anneal is not None else 0)
    snapshots = protocol.snapshots.count if protocol.snapshots is not None else 0
    state = _STATE_PER_ATOM * n_atoms
    deciding = temperatures * runs * (state + _SAMPLE)
    described = temperatures * (2 * state + _ANALYSES + runs * _SAMPLE)
    return max(deciding, described, snapshots * state)


def split(formulas: Sequence[str], sizes: Sequence[int], protocol: Protocol, cohort: int | None) -> list[list[str]]:
    """Cut formulas, of so many atoms each, into cohorts: of `cohort` members, else of what fits, 32 at most.

    Raises InputError for a cohort, or a single formula, whose documents would be too large.
    """
    largest = max(bytes_per_member(protocol, n_atoms) for n_atoms in sizes)
    fitting = LARGEST_DOCUMENT // largest
    if fitting < 1:
        raise InputError(
            f"one member of {max(sizes)} atoms may need a document of {largest / 1e6:.0f} MB and databases take 16; "
            "take fewer atoms, temperatures or rounds of the volume search"
        )
    if cohort is not None and cohort > fitting:
        raise InputError(
            f"a cohort of {cohort} may need a document of {cohort * largest / 1e6:.0f} MB and databases take 16; "
            f"with this protocol {fitting} fit"
        )
    size = cohort or min(DEFAULT_COHORT, fitting)
    return [list(formulas[start : start + size]) for start in range(0, len(formulas), size)]
