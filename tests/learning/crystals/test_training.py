"""A property that is known, learned from crystals: scores, intervals, files, and where the model is not to be asked."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from tests.learning.crystals.crystal_samples import rock_salts, state_of
from tests.learning.crystals.test_embedding import small_embedding

from tachylite.errors import InputError
from tachylite.learning.crystals.model import CrystalPropertyModel, find_crystal_model, load_crystal_model
from tachylite.learning.crystals.training import Crystals, mean_over_systems, train_crystal_property
from tachylite.schemas import State

NOISE = 0.01


def value(state: State) -> float:
    """A function of the volume and of which anion there is."""
    return 0.2 + 0.02 * (state.volume_a3 - 40) / 10 + 0.1 * ("O" in state.elements)


@cache
def trained() -> CrystalPropertyModel:
    states = rock_salts(150)
    noise = np.random.default_rng(1).normal(scale=NOISE, size=150)
    values = np.array([value(state) for state in states]) + noise
    return train_crystal_property(Crystals(states, values, "a property", "eV/atom", "made up"), small_embedding())


def test_it_learns_what_is_there_and_its_error_is_that_on_new_systems() -> None:
    model, new = trained(), rock_salts(60, seed=9)
    predictions = model.predict(new, ["x"] * 60)
    errors = np.array([p.value_ev_per_atom for p in predictions], dtype=float) - [value(state) for state in new]
    assert np.abs(errors).mean() < 1.5 * model.card.score.mae.value
    assert model.card.score.mae.value < 0.5 * np.std([value(state) for state in new])
    assert model.card.score.r2 > 0.6


def test_intervals_hold_what_they_promise() -> None:
    """Conformal intervals cover at least what they promise, and no more than by one in their G + 1 systems."""
    for coverage in trained().card.score.coverage:
        most = coverage.level + 1 / (0.8 * trained().card.chemical_systems + 1)
        measured = coverage.coverage
        assert coverage.level - 2 * measured.error < measured.value < most + 2 * measured.error
    lower, higher = (coverage.coverage.value for coverage in trained().card.score.coverage)
    assert lower < higher


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    trained().save(tmp_path / "model.npz")
    again, new = load_crystal_model(tmp_path / "model.npz"), rock_salts(5, seed=3)
    assert again.card == trained().card
    for first, second in zip(trained().predict(new, "abcde"), again.predict(new, "abcde"), strict=True):
        assert first.value_ev_per_atom == pytest.approx(second.value_ev_per_atom, abs=1e-6)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    trained().save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["process_target"] = arrays["process_target"] + 1
    np.savez(tmp_path / "changed.npz", **arrays)
    with pytest.raises(InputError, match="was changed after it was made"):
        load_crystal_model(tmp_path / "changed.npz")
    (tmp_path / "none.npz").write_bytes(b"hello")
    with pytest.raises(InputError, match="is not a model of a crystal property"):
        load_crystal_model(tmp_path / "none.npz")


def test_it_warns_of_crystals_unlike_the_training_set() -> None:
    strange = [state_of(bulk("MgO", "rocksalt", a=2.6)), state_of(bulk("Mg", "fcc", a=4.5))]
    unknown = state_of(bulk("TiN", "rocksalt", a=4.2))
    far, metal, without = trained().predict([*strange, unknown], ["far", "metal", "unknown"])
    assert "from the nearest training crystal" in (far.warning or "")
    assert "the training crystals are compounds with" in (metal.warning or "")
    assert without.value_ev_per_atom is None
    assert without.warning == "the model does not know N, Ti"
    assert all(p.warning is None for p in trained().predict(rock_salts(3), "abc"))


def test_few_chemical_systems_are_refused() -> None:
    states = rock_salts(150)[:12]
    with pytest.raises(InputError, match="12 chemical systems are too few"):
        train_crystal_property(Crystals(states, np.zeros(12), "a", "b", "c"), small_embedding())


def test_the_error_of_a_mean_counts_systems() -> None:
    values = np.random.default_rng(0).normal(size=400)
    single = mean_over_systems(values, np.arange(400).astype(str))
    doubled = mean_over_systems(np.repeat(values, 2), np.repeat(np.arange(400), 2).astype(str))
    assert single.error == pytest.approx(1 / 20, rel=0.15)
    assert doubled.error == pytest.approx(single.error)


def test_a_property_without_a_model() -> None:
    with pytest.raises(InputError, match="there is no model of 'colour'; there is one of amorphization-enthalpy, or"):
        find_crystal_model("colour")
    with pytest.raises(InputError, match=r"nowhere.npz is not a model of a crystal property: .*No such file"):
        find_crystal_model("nowhere.npz")
