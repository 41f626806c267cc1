"""The members of a cohort before anything is computed: what each will be, and under which id it is stored."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pymatgen.core import Structure

from tachylite.errors import InputError
from tachylite.jobs.engine import EngineLike
from tachylite.jobs.material import material_ids
from tachylite.schemas import Protocol, State
from tachylite.schemas.run import reduced_formula
from tachylite.schemas.start import Start, as_start


@dataclass(frozen=True)
class Member:
    """One member of a cohort."""

    start: Start
    formula: str
    """Reduced."""
    elements: list[str]
    """Those of its start and those that its protocol brings in."""
    n_atoms: int
    material_id: str


def members_of(
    starts: Sequence[str | Structure | State | Start], *, protocol: Protocol, engine: EngineLike, seed: int = 0
) -> list[Member]:
    """What each start will be; raises InputError for a formula that cannot be read and an impossible substitution."""
    documents = [as_start(start) for start in starts]
    members = []
    for start, identity in zip(documents, material_ids(documents, protocol, engine, seed), strict=True):
        counts = start.counts(protocol.packing.n_atoms)
        elements = sorted({*counts, *protocol.added_elements})
        members.append(Member(start, reduced_formula(counts), elements, sum(counts.values()), identity))
    return members


def refuse_twice(members: Sequence[Member]) -> None:
    """Raise InputError where there are no members, or two that are the same."""
    if not members:
        raise InputError("there is nothing to begin with; give formulas, or structures with --structure")
    counts = Counter(member.material_id for member in members)
    twice = dict.fromkeys(member.start.title for member in members if counts[member.material_id] > 1)
    if twice:
        raise InputError(f"{' and '.join(twice)} would be the same material; another sample of it is another --seed")
