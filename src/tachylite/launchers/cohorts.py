"""How many members go through a flow together, so that no document outgrows what a database takes."""

from collections.abc import Sequence

from tachylite.errors import InputError
from tachylite.schemas import Protocol

DEFAULT_COHORT = 32

LARGEST_DOCUMENT = 8_000_000
"""Bytes: half of the 16 MB that MongoDB takes, since the sizes are estimates."""


def bytes_per_member(protocol: Protocol, n_atoms: int) -> int:
    """An upper estimate of what one member adds to the largest document of a flow, that of the largest step."""
    return max(len(protocol.branches_of(step.name)) * step.document_bytes(n_atoms) for step in protocol.steps)


def split[Member](
    members: Sequence[Member], sizes: Sequence[int], protocol: Protocol, cohort: int | None
) -> list[list[Member]]:
    """Cut members, of so many atoms each, into cohorts: of `cohort` of them, else of what fits, 32 at most.

    Raises InputError for a cohort, or a single member, whose documents would be too large.
    """
    largest = max(bytes_per_member(protocol, n_atoms) for n_atoms in set(sizes))
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
    return [list(members[start : start + size]) for start in range(0, len(members), size)]
