"""Formulas of a table whose law is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.learning.learning_samples import known_law, make_sample

from tachylite.learning.formulas import INVERSE_TEMPERATURE, find_formulas, sisso_models
from tachylite.learning.sisso import load_models, save_models
from tachylite.units import KB_EV

pytest.importorskip("sklearn")


def test_the_law_of_the_sample_is_found(tmp_path: Path) -> None:
    """ln D = ln 0.005 + 0.2 x1 - 0.25 / kT - 0.05 x0 / kT, in three terms of one rung."""
    dataset = make_sample(noise=0.0)
    best = find_formulas(dataset)[0]
    assert best.target == "ln D"
    assert {term.descriptor for term in best.terms} == {"x1", INVERSE_TEMPERATURE, f"x0 * {INVERSE_TEMPERATURE}"}
    coefficients = {term.descriptor: term.coefficient for term in best.terms}
    assert coefficients["x1"] == pytest.approx(0.2)
    assert coefficients[INVERSE_TEMPERATURE] == pytest.approx(-0.25)
    assert coefficients[f"x0 * {INVERSE_TEMPERATURE}"] == pytest.approx(-0.05)
    assert best.intercept == pytest.approx(np.log(5e-3))
    assert best.held_out_rmse == pytest.approx(0, abs=1e-9)

    save_models(sisso_models([best]), tmp_path / "formulas.json")
    (model,) = load_models(tmp_path / "formulas.json")
    features, kelvin = np.array([[0.3, -0.7, 0.1]]), np.array([1200.0])
    table = dict(zip(dataset.names, features.T, strict=True)) | {INVERSE_TEMPERATURE: 1 / (KB_EV * kelvin)}
    assert np.exp(model.predict(table)) == pytest.approx(1e-3 * known_law(features, kelvin))


def test_the_formula_with_the_least_held_out_error_comes_first() -> None:
    formulas = find_formulas(make_sample(noise=0.3))
    errors = [formula.held_out_rmse for formula in formulas if formula.held_out_rmse is not None]
    assert errors == sorted(errors)
    assert formulas[0].held_out_rmse == pytest.approx(0.3, rel=0.25)  # nothing beats the noise


def test_a_target_that_is_not_positive_is_learned_as_it_is() -> None:
    dataset = make_sample(noise=0.0)
    shifted = replace(dataset, target=dataset.target - dataset.target.min())
    assert {formula.target for formula in find_formulas(shifted)} == {"D"}
