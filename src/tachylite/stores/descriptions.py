"""Finding descriptors that were kept."""

from jobflow import JobStore

from tachylite.schemas.description import DescribedState, Descriptions
from tachylite.stores.queries import read_document


def find_described(store: JobStore, species: str, convention: str, version: str) -> dict[str, DescribedState]:
    """States that one version has described for a mobile species in a convention, by their trajectories."""
    criteria = {"kind": "descriptions", "species": species, "convention": convention, "version": version}
    entries = store.query({f"output.{name}": value for name, value in criteria.items()})
    found = [state for entry in entries for state in read_document(Descriptions, entry["output"]).states]
    return {state.trajectory_id: state for state in found if state.trajectory_id is not None}
