"""Networks whose held-out chemical systems calibrate their intervals: scores, files, and what they warn of."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from tests.learning.crystals.crystal_samples import rock_salts, state_of
from tests.learning.crystals.test_property_network import SETTINGS
from tests.learning.crystals.test_training import value

from tachylite.learning.crystals.ensemble_training import train_ensemble
from tachylite.learning.crystals.model import CrystalPropertyModel, load_crystal_model
from tachylite.learning.crystals.property_network import Schedule
from tachylite.learning.crystals.training import Crystals

SCHEDULE = Schedule(learning_rate=5e-3, batch=16, epochs=15, patience=15)


@cache
def trained() -> CrystalPropertyModel:
    states = rock_salts(120)
    values = np.array([value(state) for state in states])
    return train_ensemble(Crystals(states, values, "a property", "eV/atom", "made up"), SETTINGS, SCHEDULE)


def test_its_error_is_that_on_new_crystals_and_its_intervals_hold() -> None:
    score, new = trained().card.score, rock_salts(60, seed=9)
    predictions = trained().predict(new, ["x"] * 60)
    truth = np.array([value(state) for state in new])
    errors = np.array([p.value_ev_per_atom for p in predictions], dtype=float) - truth
    assert np.abs(errors).mean() < 1.5 * score.mae.value
    assert score.mae.value < 0.7 * np.abs(truth - truth.mean()).mean()
    inside = [
        p.interval_ev_per_atom.low <= y <= p.interval_ev_per_atom.high
        for p, y in zip(predictions, truth, strict=True)
        if p.interval_ev_per_atom is not None
    ]
    assert len(inside) == 60
    assert np.mean(inside) > 0.85
    assert {coverage.level for coverage in score.coverage} == {0.90, 0.95}


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    trained().save(tmp_path / "model.npz")
    again, new = load_crystal_model(tmp_path / "model.npz"), rock_salts(5, seed=3)
    assert again.card == trained().card
    assert again.predict(new, "abcde") == trained().predict(new, "abcde")


def test_it_warns_of_crystals_unlike_the_training_set() -> None:
    far, metal, unknown = trained().predict(
        [
            state_of(bulk("MgO", "rocksalt", a=2.6)),
            state_of(bulk("Mg", "fcc", a=4.5)),
            state_of(bulk("TiN", "rocksalt", a=4.2)),
        ],
        ["far", "metal", "unknown"],
    )
    assert "from the nearest training crystal" in (far.warning or "")
    assert "the training crystals are compounds with" in (metal.warning or "")
    assert unknown.warning == "the model does not know N, Ti"


def test_interrupted_it_goes_on_to_the_same_model(tmp_path: Path) -> None:
    states = rock_salts(60)
    crystals = Crystals(states, np.array([value(state) for state in states]), "a", "b", "c")
    short = Schedule(learning_rate=5e-3, batch=16, epochs=2, patience=2)

    def interrupt(line: str) -> None:
        if line.startswith("network 3, epoch 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ensemble(crystals, SETTINGS, short, checkpoints=tmp_path, log=interrupt)
    lines: list[str] = []
    resumed = train_ensemble(crystals, SETTINGS, short, checkpoints=tmp_path, log=lines.append)
    assert lines[0].startswith("network 3, epoch 1"), "the first two were done, the third had not been saved"
    assert resumed.card.model_id == train_ensemble(crystals, SETTINGS, short).card.model_id
