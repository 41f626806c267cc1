"""Networks that are trained: on a property that is known, from seeds, and from what another property taught."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.learning.crystals.crystal_samples import rock_salts
from tests.learning.crystals.test_training import value

from tachylite.learning.crystals.graph import Graph
from tachylite.learning.crystals.property_network import (
    FINE_TUNING,
    PropertyNetwork,
    Schedule,
    fit_network,
    graphs_of,
    network_settings,
)

SETTINGS = network_settings("small", (3, 8, 9, 11, 12, 16, 17, 19, 20, 35, 38), 6.0).model_copy(
    update={"cutoff_a": 4.0}
)
QUICK = Schedule(learning_rate=5e-3, batch=16, epochs=12, patience=12)
SHORT = Schedule(learning_rate=5e-3, batch=16, epochs=5, patience=5)
STATES = rock_salts(120)
VALUES = np.array([value(state) for state in STATES])
SYSTEMS = np.array(["-".join(sorted(state.elements)) for state in STATES])
NOTHING = np.empty((120, 0))


def error_of(predicted: np.ndarray) -> float:
    return float(np.abs(predicted - VALUES).mean() / np.abs(VALUES - VALUES.mean()).mean())


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    return graphs_of(STATES, SETTINGS)


def test_it_learns_and_the_same_seed_gives_the_same(graphs: list[Graph]) -> None:
    told: list[tuple[int, float]] = []

    def fitted() -> np.ndarray:
        network = fit_network(
            SETTINGS, graphs, NOTHING, VALUES, SYSTEMS, QUICK, seed=5, report=lambda *line: told.append(line)
        )
        return network.predict(graphs, NOTHING)

    first, second = fitted(), fitted()
    assert error_of(first) < 0.5
    np.testing.assert_array_equal(first, second)
    assert [epoch for epoch, _ in told[: len(told) // 2]] == list(range(1, len(told) // 2 + 1))


def test_interrupted_it_goes_on_to_the_same_weights(graphs: list[Graph], tmp_path: Path) -> None:
    def fitted(checkpoint: Path, *, until: int | None = None) -> np.ndarray:
        def report(epoch: int, error: float) -> None:
            if epoch == until:
                raise KeyboardInterrupt

        network = fit_network(
            SETTINGS, graphs, NOTHING, VALUES, SYSTEMS, SHORT, seed=2, checkpoint=checkpoint, report=report
        )
        return network.predict(graphs, NOTHING)

    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "interrupted.pt", until=3)
    np.testing.assert_array_equal(fitted(tmp_path / "interrupted.pt"), fitted(tmp_path / "whole.pt"))


def test_inputs_beside_the_structure_are_used(graphs: list[Graph]) -> None:
    inputs = np.random.default_rng(0).normal(size=(120, 1))
    network = fit_network(SETTINGS, graphs, inputs, 3 * inputs[:, 0], SYSTEMS, QUICK, seed=0)
    assert np.corrcoef(network.predict(graphs, inputs), inputs[:, 0])[0, 1] > 0.9


def test_a_start_from_another_property_is_taken_over(graphs: list[Graph]) -> None:
    torch.manual_seed(8)
    start = PropertyNetwork(SETTINGS).state_dict()
    unmoved = Schedule(learning_rate=0.0, batch=32, epochs=1, patience=1)
    network = fit_network(SETTINGS, graphs, NOTHING, VALUES, SYSTEMS, unmoved, seed=1, start=start).network
    weights = network.state_dict()
    assert all(torch.equal(weights[name], start[name]) for name in start if not name.startswith("head"))
    assert not torch.equal(weights["head.0.weight"], start["head.0.weight"])


def test_it_ends_early_where_nothing_is_learned(graphs: list[Graph]) -> None:
    epochs: list[int] = []
    still = Schedule(learning_rate=0.0, batch=32, epochs=50, patience=3)
    fit_network(SETTINGS, graphs, NOTHING, VALUES, SYSTEMS, still, seed=1, report=lambda epoch, _: epochs.append(epoch))
    assert epochs[-1] == 4


def test_the_published_size() -> None:
    settings = network_settings("yu2025", (3, 8), 60.0)
    assert (settings.cutoff_a, settings.n_radial, settings.l_max, settings.n_layers) == (8.0, 10, 2, 3)
    assert PropertyNetwork(settings).atoms.hidden.dim == 2 * 32 * (1 + 3 + 5)
    assert (FINE_TUNING.learning_rate, FINE_TUNING.batch) == (3e-4, 32)
