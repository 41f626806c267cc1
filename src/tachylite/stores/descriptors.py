"""Descriptors of the states in a store: read where they were computed before, else computed."""

from collections.abc import Iterable, Iterator

from jobflow import JobStore

from tachylite.analysis.descriptors import compute_state_descriptors, descriptor_fingerprint, states_of
from tachylite.descriptors.registry import Convention
from tachylite.schemas import Material
from tachylite.schemas.descriptors import DescriptorSet, StateDescriptors
from tachylite.schemas.steps.hold import HoldResult
from tachylite.stores.queries import read_document
from tachylite.stores.runs import find_trajectory


def find_state_descriptors(
    store: JobStore, species: str, convention: Convention, fingerprint: str
) -> dict[str, StateDescriptors]:
    """Find stored descriptors around a mobile species in a convention, by the SHA-256 of their trajectories.

    `fingerprint` is that of the code which computed them (`descriptor_fingerprint`); those of other code are not given.
    """
    criteria = {"kind": "descriptions", "species": species, "convention": convention, "fingerprint": fingerprint}
    entries = store.query({f"output.{name}": value for name, value in criteria.items()})
    states = [state for entry in entries for state in read_document(DescriptorSet, entry["output"]).states]
    return {state.trajectory_id: state for state in states if state.trajectory_id is not None}


def iter_state_descriptors(
    store: JobStore, materials: Iterable[Material], species: str, convention: Convention
) -> Iterator[tuple[Material, HoldResult, StateDescriptors]]:
    """Give every state of materials with its descriptors, or with the reason why it has none.

    Those that the store does not hold yet are computed: from the trajectory where that is in the store, else from the
    last frame.
    """
    stored = find_state_descriptors(store, species, convention, descriptor_fingerprint())
    for material in materials:
        for state in states_of(material):
            trajectory_id = state.run.trajectory_id if state.run is not None else None
            descriptors = stored.get(trajectory_id or "")
            if descriptors is None:
                trajectory = find_trajectory(store, trajectory_id) if trajectory_id is not None else None
                descriptors = compute_state_descriptors(state, trajectory, species, convention)
            yield material, state, descriptors
