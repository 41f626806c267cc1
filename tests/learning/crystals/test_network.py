"""The network's features: unchanged however a crystal is described, and those of Nequix with its weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import make_supercell
from tests.learning.crystals.crystal_samples import rattled, rutile, state_of
from tests.reference_data import reference

from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.crystals.graph import Graph
from tachylite.learning.crystals.network import AtomNetwork, NetworkSettings, invariants
from tachylite.schemas import State

PARITIES = "8x0e + 4x0o + 4x1e + 4x1o + 2x2e + 2x2o"


def features(network: AtomNetwork, state: State) -> np.ndarray:
    graph = Graph.of(state, network.settings.cutoff_a)
    with torch.no_grad():
        means = [graph.mean(invariants(layer, network.hidden)) for layer in network(graph)]
    return np.asarray(torch.cat(means, dim=1)[0])


@pytest.fixture(params=["8x0e + 4x1o + 2x2e", PARITIES], ids=["natural parity", "both parities"])
def network(request: pytest.FixtureRequest) -> AtomNetwork:
    torch.manual_seed(1)
    return AtomNetwork(NetworkSettings(elements=(8, 22), hidden=request.param, cutoff_a=4.0, mean_neighbors=20)).eval()


def test_rotation_and_inversion_shift_and_order_change_nothing(network: AtomNetwork) -> None:
    atoms = rattled(rutile())
    expected = features(network, state_of(atoms))
    turned = atoms.copy()
    turned.rotate(50, (1, 2, 3), rotate_cell=True)
    mirrored = atoms.copy()
    mirrored.set_cell(-atoms.cell.array)
    mirrored.positions = -atoms.positions
    shifted = atoms.copy()
    shifted.positions += [1.3, -7.2, 0.4]
    shuffled = atoms[np.random.default_rng(0).permutation(len(atoms))]
    for same in (turned, mirrored, shifted, shuffled):
        np.testing.assert_allclose(features(network, state_of(same)), expected, atol=2e-5)


def test_the_choice_of_the_cell_changes_nothing(network: AtomNetwork) -> None:
    expected = features(network, state_of(rutile()))
    larger = make_supercell(rutile(), [[1, 1, 0], [-1, 1, 0], [0, 1, 2]])
    assert len(larger) > len(rutile())
    np.testing.assert_allclose(features(network, state_of(larger)), expected, atol=2e-5)


def test_moved_atoms_change_them(network: AtomNetwork) -> None:
    first, second = (features(network, state_of(rattled(rutile(), seed))) for seed in (0, 1))
    assert np.abs(first - second).max() > 1e-3


def test_equivalent_atoms_are_taken_together() -> None:
    graph = Graph.of(state_of(rutile()), 4.0)
    assert (graph.weights > 0).sum() == 2
    assert float(graph.weights.sum()) == pytest.approx(1)
    assert (Graph.of(state_of(rattled(rutile())), 4.0).weights > 0).all()


def test_joined_crystals_do_not_see_each_other(network: AtomNetwork) -> None:
    states = [state_of(rattled(rutile(), seed)) for seed in range(3)]
    graph = Graph.join([Graph.of(state, 4.0) for state in states])
    with torch.no_grad():
        together = graph.mean(invariants(network(graph)[-1], network.hidden)).numpy()
    apart = [features(network, state)[-together.shape[1] :] for state in states]
    np.testing.assert_allclose(together, apart, atol=2e-5)


@pytest.mark.reference("models/nequix")
def test_with_the_weights_of_nequix_they_are_its_own() -> None:
    package = pytest.importorskip("tachylite.engines.potentials.nequix")
    path = Path(reference("models/nequix/nequix-omat-1.pt"))
    theirs, config = package._torch_part().load_model(str(path), use_kernel=False)
    outputs: list[torch.Tensor] = []
    for layer in theirs.layers[:3]:
        layer.register_forward_hook(lambda module, inputs, output: outputs.append(output.detach()))
    state = state_of(rattled(rutile()))
    graph = Graph.of(state, config["cutoff"])
    column = {number: index for index, number in enumerate(sorted(config["atomic_numbers"]))}
    species = torch.tensor([column[number] for number in state.numbers])
    theirs.eval().node_energies(graph.vectors, species, graph.senders, graph.receivers)
    ours = Embedding.of_nequix(path, 3)
    irreps = ours._network.hidden
    expected = torch.cat([graph.mean(invariants(output, irreps)) for output in outputs], dim=1).numpy()
    np.testing.assert_allclose(ours.features([state]), expected, atol=1e-4)
