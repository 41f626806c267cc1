"""Errors against labels: what is put in as noise comes out as an error, and a shift of the zero does not matter."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from tachylite.analysis.evaluation import evaluate
from tachylite.errors import InputError
from tachylite.schemas import State
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.units import GPA_PER_EV_A3

RANDOM = np.random.default_rng(3)
CRYSTALS = (bulk("MgO", "rocksalt", a=4.2, cubic=True), bulk("Mg"), Atoms("O2", cell=[5.0] * 3, pbc=True))


def labelled(index: int, *, stress: bool = True) -> LabelledFrame:
    atoms = CRYSTALS[index % len(CRYSTALS)]
    forces = RANDOM.normal(size=(len(atoms), 3))
    return LabelledFrame(
        State.from_atoms(atoms), SinglePoint(-5.0 * len(atoms), forces, np.zeros((3, 3)) if stress else None)
    )


def computed(
    frame: LabelledFrame, *, noise: float = 0.0, shifts: dict[int, float] | None = None, stress: float = 0.0
) -> SinglePoint:
    """What an engine says with Gaussian noise on forces, other zeros of energy (eV by element) and a wrong stress."""
    forces = frame.label.forces_ev_a + noise * RANDOM.normal(size=frame.label.forces_ev_a.shape)
    energy = frame.label.energy_ev + sum((shifts or {}).get(number, 0.0) for number in frame.state.numbers)
    return SinglePoint(energy, forces, np.full((3, 3), stress))


def test_the_labels_themselves_have_no_error() -> None:
    frames = [labelled(i) for i in range(9)]
    evaluation = evaluate(frames, [frame.label for frame in frames], "x")
    assert (evaluation.n_frames, evaluation.n_atoms, evaluation.n_failed) == (9, 36, 0)
    assert evaluation.energy_mae_ev_per_atom == evaluation.force_mae_ev_a == evaluation.force_rmse_ev_a == 0
    assert evaluation.stress_mae_gpa == 0
    assert evaluation.errors == dict.fromkeys(evaluation.errors, 0.0)
    assert len(evaluation.errors) == 5


def test_gaussian_noise_comes_out_with_its_errors() -> None:
    """Mean absolute and root mean square of a Gaussian are sqrt(2/pi) and 1 standard deviations."""
    frames = [labelled(i) for i in range(900)]
    evaluation = evaluate(frames, [computed(frame, noise=0.1) for frame in frames], "x")
    mean, root = 0.1 * (2 / np.pi) ** 0.5, 0.1
    components = 3 * evaluation.n_atoms
    # the variances of |x| and of the square root of the mean square, over independent components
    expected = {
        "force_mae_ev_a": (mean, 0.1 * (1 - 2 / np.pi) ** 0.5 / components**0.5),
        "force_rmse_ev_a": (root, 0.1 / (2 * components) ** 0.5),
    }
    for name, (value, error) in expected.items():
        given = evaluation.errors[name]
        assert given == pytest.approx(error, rel=0.2)
        assert getattr(evaluation, name) == pytest.approx(value, abs=4 * error)
    assert evaluation.force_mae_by_element_ev_a == pytest.approx({"Mg": mean, "O": mean}, rel=0.05)


def test_other_zeros_of_the_elements_are_seen_and_taken_out() -> None:
    frames = [labelled(i) for i in range(9)]
    shifts = {12: 3.0, 8: -1.0}
    evaluation = evaluate(frames, [computed(frame, shifts=shifts) for frame in frames], "x")
    assert evaluation.energy_mae_ev_per_atom == pytest.approx((1.0 + 3.0 + 1.0) / 3)
    assert evaluation.energy_mae_shifted_ev_per_atom == pytest.approx(0.0, abs=1e-12)
    assert evaluation.n_shifts == 2


def test_one_composition_has_one_shift() -> None:
    frames = [labelled(3 * i) for i in range(4)]
    evaluation = evaluate(frames, [computed(frame, shifts={12: 3.0, 8: -1.0}) for frame in frames], "x")
    assert evaluation.n_shifts == 1
    assert evaluation.energy_mae_ev_per_atom == pytest.approx(1.0)
    assert evaluation.energy_mae_shifted_ev_per_atom == pytest.approx(0.0, abs=1e-12)


def test_too_few_frames_for_a_fit_or_for_an_error() -> None:
    frames = [labelled(i) for i in range(5)]
    assert evaluate(frames, [frame.label for frame in frames], "x").energy_mae_shifted_ev_per_atom is None
    alone = evaluate(frames[:1], [computed(frames[0], noise=0.1)], "x")
    assert alone.force_mae_ev_a > 0
    assert alone.errors["force_mae_ev_a"] is None


def test_stresses_are_compared_where_there_are_any() -> None:
    frames = [labelled(0), labelled(1, stress=False), labelled(2)]
    evaluation = evaluate(frames, [computed(frame, stress=0.01) for frame in frames], "x")
    assert evaluation.n_stresses == 2
    assert evaluation.stress_mae_gpa == pytest.approx(0.01 * GPA_PER_EV_A3)
    without = evaluate(frames[1:2], [computed(frames[1])], "x")
    assert (without.stress_mae_gpa, without.n_stresses) == (None, 0)


def test_frames_that_fail_are_counted_with_the_reason() -> None:
    frames = [labelled(i) for i in range(3)]
    failed = SinglePoint(float("nan"), np.full_like(frames[0].label.forces_ev_a, np.nan), None, "it burst")
    evaluation = evaluate(frames, [failed, frames[1].label, frames[2].label], "x")
    assert (evaluation.n_frames, evaluation.n_failed, evaluation.reasons) == (2, 1, ["it burst"])
    with pytest.raises(InputError, match="computed none of 1 frames: it burst"):
        evaluate(frames[:1], [failed], "frames.xyz")
