"""Voltages where they are known: two phases, sums of steps, and the hull of pymatgen."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

from tachylite.errors import InputError
from tachylite.physics.thermodynamics.voltage import stable_contents, voltage_steps

METAL_EV = -1.9

SERIES = st.lists(
    st.tuples(st.integers(0, 40), st.floats(-30, 10, allow_nan=False)), min_size=2, max_size=9, unique_by=lambda p: p[0]
)
"""Contents in twentieths, and energies of a formula unit."""


def test_two_phases_have_one_voltage() -> None:
    """Between H and AH every content is a mixture: E = (1 - x) E(H) + x E(AH), V = -(E(AH) - E(H) - E(A)) / z."""
    contents = np.linspace(0, 1, 6)
    energies = -50.0 * (1 - contents) - 54.4 * contents
    steps = voltage_steps(contents.tolist(), energies.tolist(), METAL_EV, 2.0)
    assert [step.voltage_v for step in steps] == pytest.approx([(4.4 - 1.9) / 2] * 5)
    assert [step.content_low for step in steps] == pytest.approx(contents[:-1])


@settings(max_examples=60)
@given(series=SERIES, charge=st.floats(0.5, 3))
def test_the_energy_of_the_steps_sums_to_that_of_the_whole(series: list[tuple[int, float]], charge: float) -> None:
    """The charge that flows times the voltage is what the reaction gives, step by step or at once."""
    contents, energies = [x / 20 for x, _ in series], [e for _, e in series]
    steps = voltage_steps(contents, energies, METAL_EV, charge)
    work = sum(step.voltage_v * charge * (step.content_high - step.content_low) for step in steps)
    low, high = int(np.argmin(contents)), int(np.argmax(contents))
    span = contents[high] - contents[low]
    assert work == pytest.approx(-(energies[high] - energies[low] - span * METAL_EV), abs=1e-9)
    (whole,) = voltage_steps([contents[low], contents[high]], [energies[low], energies[high]], METAL_EV, charge)
    assert work == pytest.approx(whole.voltage_v * charge * span, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(series=SERIES)
def test_the_hull_of_contents_is_that_of_pymatgen(series: list[tuple[int, float]]) -> None:
    """Of a host Xe that takes up Li: between host and fullest phase the same phases are stable."""
    series = sorted(series)
    low, high = series[0][0], series[-1][0]
    assume(high > low)
    x = [(content - low) / (high - low) for content, _ in series]
    energies = [energy for _, energy in series]
    # the fullest content is one end of the diagram of pseudo-elements, the emptiest the other
    entries = [
        PDEntry(Composition({"Xe": 1 - fraction, "Li": fraction}), energy)
        for fraction, energy in zip(x, energies, strict=True)
    ]
    diagram = PhaseDiagram(entries)
    above = np.array([diagram.get_e_above_hull(entry) for entry in entries])
    ours = stable_contents([content for content, _ in series], energies)
    assert above[ours] == pytest.approx(0, abs=1e-6)
    others = np.setdiff1d(np.arange(len(entries)), ours)
    assert (above[others] >= -1e-6).all()
    # and no other is below the line through them
    assert np.interp(np.array(x)[others], np.array(x)[ours], np.array(energies)[ours]) == pytest.approx(
        np.array(energies)[others] - above[others], abs=1e-6
    )


def test_voltages_along_the_hull_fall_with_the_content() -> None:
    contents = [0.0, 1.0, 0.25, 0.5, 0.75]
    energies = [0.0, -3.0, -1.2, -1.0, -2.6]
    stable = stable_contents(contents, energies)
    assert stable == [0, 2, 4, 1]
    steps = voltage_steps([contents[i] for i in stable], [energies[i] for i in stable], METAL_EV, 1.0)
    voltages = [step.voltage_v for step in steps]
    assert voltages == sorted(voltages, reverse=True)


def test_what_has_no_voltage_is_one_line() -> None:
    with pytest.raises(InputError, match="charge -1 of the ion must be positive"):
        voltage_steps([0, 1], [0, 1], METAL_EV, -1)
    with pytest.raises(InputError, match="content 1 is given twice"):
        voltage_steps([1, 1], [0, 1], METAL_EV, 1)
    with pytest.raises(InputError, match="must be finite and equally many"):
        stable_contents([0, 1], [0, float("nan")])
    with pytest.raises(InputError, match="energy nan eV of the metal is not finite"):
        voltage_steps([0, 1], [0, 1], float("nan"), 1)
