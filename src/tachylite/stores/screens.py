"""How far a screen is: the table of its compositions, the stable phases beside them, and where its glasses are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobflow import JobStore

from tachylite.analysis.check import summarise, with_checks
from tachylite.analysis.screen import FIELDS, composition_rows, stable_phases
from tachylite.errors import InputError
from tachylite.schemas import Material
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.check import CheckSummary
from tachylite.schemas.screen import CompositionRow, StablePhase
from tachylite.stores.campaigns import find_checks, find_phases, member_entries
from tachylite.stores.queries import read_materials


@dataclass(frozen=True)
class ScreenResults:
    """What a screen has given so far."""

    rows: list[CompositionRow]
    stable: dict[str, list[StablePhase]]
    """By chemical system, like `Li-Si`."""
    summary: CheckSummary | None
    """Of a second engine, where one has computed some of the glasses."""
    entries: Mapping[str, Mapping[str, Any]]
    """The newest entry of every material."""

    def materials(self, store: JobStore, material_ids: Collection[str]) -> Iterator[Material]:
        """Read materials of the screen, some at a time."""
        return read_materials(store, [self.entries[identity] for identity in material_ids])

    @property
    def with_structure(self) -> Sequence[str]:
        """Materials that have a structure to look at."""
        return list(dict.fromkeys(row.material_id for row in self.rows if row.status != "failed"))


def load_screen(store: JobStore, campaign: Campaign) -> ScreenResults:
    """Collect what a screen has given so far; raises InputError for a campaign that is no screen."""
    if campaign.provenance is None:
        raise InputError(f"campaign {campaign.campaign_id} is no screen; its materials have reports of their own")
    phases = find_phases(store, campaign.provenance)
    entries = member_entries(store, campaign, FIELDS)
    repulsion = campaign.provenance.options.get("repulsion")
    rows = composition_rows([entry["output"] for entry in entries], phases, repulsion)
    checks = find_checks(store, material_ids={row.material_id for row in rows})
    if checks:
        rows = with_checks(rows, checks, find_phases(store, checks[-1].provenance))
    newest = {entry["output"]["material_id"]: entry for entry in entries}
    return ScreenResults(rows, stable_phases(phases, campaign.systems), summarise(rows), newest)
