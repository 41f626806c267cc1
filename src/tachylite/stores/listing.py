"""What a store holds, one by one: a document that cannot be read is named, and hides no other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.schemas.base import Document
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.learning import Model
from tachylite.schemas.potential import LearnedPotential
from tachylite.schemas.steps.columns import value_at
from tachylite.stores.queries import entry_fields, in_todays_form, read_document


@dataclass(frozen=True)
class Unreadable:
    """A document that is there and cannot be read."""

    uuid: str
    """Of its job."""
    reason: str


def count_materials(store: JobStore) -> int:
    """How many documents of materials a store holds, earlier ones of the same material included."""
    return int(store.count({"output.kind": "material"}))


def list_materials(
    store: JobStore, names: Sequence[str], since: str | None = None
) -> Iterator[dict[str, Any] | Unreadable]:
    """Entries of all materials in no order, as `newest_entries` gives them, also those of the same `material_id`.

    Each holds `uuid`, `completed_at`, `metadata` and `output` with `names`. With `since` (a time as in `completed_at`)
    only those that ended then or later are given.
    """
    criteria: dict[str, Any] = {"output.kind": "material"}
    if since is not None:
        criteria["completed_at"] = {"$gte": since}
    for entry in store.query(criteria, properties=[*entry_fields(names), "metadata"]):
        try:
            if not isinstance(value_at(entry, "output.material_id"), str):
                raise InputError("it has no material_id")
            yield in_todays_form(store, entry)
        except (InputError, KeyError, TypeError) as error:
            yield Unreadable(str(entry["uuid"]), str(error))


def list_campaigns(store: JobStore) -> list[Campaign | Unreadable]:
    """All campaigns of a store, newest first, those that cannot be read last."""
    return _newest_first(_documents(store, Campaign, "output"))


def list_models(store: JobStore) -> list[Model | Unreadable]:
    """The cards of all models that learned in a store, each once, newest first, those that cannot be read last."""
    models = _newest_first(_documents(store, Model, "output.model"))
    return list({m.model_id if isinstance(m, Model) else m.uuid: m for m in reversed(models)}.values())[::-1]


def list_potentials(store: JobStore) -> list[LearnedPotential | Unreadable]:
    """All potentials that were learned in a store while exploring, those that cannot be read last."""
    potentials = list(_documents(store, LearnedPotential, "output.learned"))
    return sorted(potentials, key=lambda potential: isinstance(potential, Unreadable))


def _documents[D: Document](store: JobStore, kind: type[D], place: str) -> Iterator[D | Unreadable]:
    """Documents of one kind that stand at a place of stored outputs."""
    wanted = kind.model_fields["kind"].default
    for entry in store.query({f"{place}.kind": wanted}, properties=["uuid", place]):
        content = value_at(entry, place)
        try:
            yield read_document(kind, content if isinstance(content, Mapping) else {})
        except InputError as error:
            yield Unreadable(str(entry["uuid"]), str(error))


def _newest_first[D: (Campaign, Model)](documents: Iterator[D | Unreadable]) -> list[D | Unreadable]:
    return sorted(documents, key=lambda d: 0.0 if isinstance(d, Unreadable) else d.created_at.timestamp(), reverse=True)
