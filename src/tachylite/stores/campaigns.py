"""Campaigns in a store: keeping and finding them, and what of their members is there."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.schemas import Provenance
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.check import EnergyCheck
from tachylite.schemas.phases import RelaxedPhase
from tachylite.stores.queries import read_document

_INDEX = 1
_STATUSES = ("completed", "partial", "failed")


def find_campaigns(store: JobStore) -> list[Campaign]:
    """All campaigns of a store, newest first."""
    campaigns = [read_document(Campaign, entry["output"]) for entry in store.query({"output.kind": "campaign"})]
    return sorted(campaigns, key=lambda campaign: campaign.created_at, reverse=True)


def find_campaign(store: JobStore, campaign_id: str | None = None) -> Campaign:
    """The campaign whose id begins with `campaign_id`, or the newest; raises InputError for none or several."""
    campaigns = find_campaigns(store)
    if campaign_id is None and campaigns:
        return campaigns[0]
    matching = [campaign for campaign in campaigns if campaign.campaign_id.startswith(campaign_id or "")]
    if len(matching) == 1:
        return matching[0]
    ids = ", ".join(c.campaign_id for c in matching or campaigns) or "none; `tachylite submit` and `screen` make some"
    raise InputError(f"{len(matching)} campaigns are named {campaign_id or ''!r}; in this store: {ids}")


def keep_campaign(store: JobStore, campaign: Campaign) -> None:
    """Store a campaign, replacing one of the same id."""
    document: dict[str, Any] = {"uuid": campaign.campaign_id, "index": _INDEX, "name": "campaign", "output": campaign}
    document["metadata"] = {"campaign": campaign.campaign_id}
    document["completed_at"] = campaign.created_at.isoformat()
    store.update(document)


def member_entries(store: JobStore, campaign: Campaign, names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Entries of all materials that were made for a campaign, or answer its members; oldest first.

    Each holds `uuid`, `metadata` and `output` with `names`, `material_id` and `created_at`.
    """
    of_member = {"output.material_id": {"$in": sorted(set(campaign.material_ids))}}
    criteria = {"output.kind": "material", "$or": [{"metadata.campaign": campaign.campaign_id}, of_member]}
    fields = ["uuid", "completed_at", "metadata", *(f"output.{name}" for name in {"material_id", "created_at", *names})]
    entries = store.query(criteria, properties=fields)
    return sorted(entries, key=lambda entry: str(entry["output"]["created_at"]))


def count_members(store: JobStore, campaign: Campaign) -> dict[str, int]:
    """Members by the status of their materials; those that have none are `not yet`.

    Of a member that failed and was run again, what became of it counts.
    """
    best: dict[str, str] = {}
    own = set(campaign.material_ids)
    for entry in member_entries(store, campaign, ("status", "formula", "start.kind", "start.sample")):
        output = entry["output"]
        start = output.get("start") or {}
        # a packed composition that was run again has another id
        packed = start.get("kind") == "packed"
        if not packed and output["material_id"] not in own:
            continue
        member = f"{output['formula']} {start.get('sample', 0)}" if packed else output["material_id"]
        best[member] = min(best.get(member, "failed"), output["status"], key=_STATUSES.index)
    counts = Counter(best.values())
    counts["not yet"] = campaign.n_members - len(best)
    return {status: counts[status] for status in (*_STATUSES, "not yet") if counts[status]}


def find_checks(
    store: JobStore, level: Provenance | None = None, *, material_ids: Collection[str] | None = None
) -> list[EnergyCheck]:
    """Structures (of these materials) that were computed again at a level of theory, each once.

    If no level is given, it is that of the newest of them.
    """
    entries = store.query({"output.kind": "check"}, properties=["completed_at", "output"])
    in_order = sorted(entries, key=lambda entry: str(entry.get("completed_at") or ""))
    checks = [read_document(EnergyCheck, check) for entry in in_order for check in entry["output"]]
    if material_ids is not None:
        checks = [check for check in checks if check.material_id in material_ids]
    if not checks:
        return []
    chosen = level or checks[-1].provenance
    return list({c.material_id: c for c in checks if c.provenance.is_comparable_with(chosen)}.values())


def find_phases(store: JobStore, level: Provenance) -> list[RelaxedPhase]:
    """All phases that were relaxed at a level of theory, each once."""
    entries = store.query({"output.kind": "phase"}, properties=["output"])
    phases = [read_document(RelaxedPhase, phase) for entry in entries for phase in entry["output"]]
    comparable = [phase for phase in phases if phase.relaxation.provenance.is_comparable_with(level)]
    return list({phase.fingerprint: phase for phase in comparable}.values())
