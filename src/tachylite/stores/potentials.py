"""Potentials that were learned in a store."""

from jobflow import JobStore

from tachylite.errors import InputError
from tachylite.schemas.potential import LearnedPotential
from tachylite.stores.queries import read_document


def load_learned_potential(store: JobStore, campaign: str | None = None) -> tuple[LearnedPotential, dict[str, str]]:
    """The potential that was learned last, of all or of a campaign, and its files by name, in base64.

    `tachylite.schemas.potential.PotentialFiles` writes them. Raises InputError where the store holds none.
    """
    criteria = {"output.learned.kind": LearnedPotential.model_fields["kind"].default}
    if campaign is not None:
        criteria["metadata.campaign"] = campaign
    entries = store.query(criteria, properties=["uuid", "index", "completed_at"])
    newest = max(entries, key=lambda entry: str(entry.get("completed_at")), default=None)
    if newest is None:
        raise InputError(
            f"{store.name} holds no potential{f' of campaign {campaign}' if campaign else ''} that was learned while "
            "exploring; `tachylite train FORMULA --teacher NAME` makes one"
        )
    entry = store.query_one({"uuid": newest["uuid"], "index": newest["index"]}, load=True)
    assert entry is not None  # noqa: S101 - for the type checker: a query has just listed it
    return read_document(LearnedPotential, entry["output"]["learned"]), entry["output"]["archive"]
