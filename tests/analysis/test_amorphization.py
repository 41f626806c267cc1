"""Amorphization enthalpies over independent quenches."""

import numpy as np
import pytest
from tests.report.report_pieces import N_ATOMS, PROVENANCE
from tests.report.report_results import glass, protocol

from tachylite.analysis.amorphization import amorphization_enthalpies
from tachylite.schemas import Material
from tachylite.schemas.structure import Crystallinity

CRYSTAL = Crystallinity(crystalline=True, crystallinity=0.9, diffraction_contrast=9.0)


def quench(energy: float | None) -> Material:
    """With a glass so far above its crystal, or with a crystal."""
    changes = {"above_crystal_ev_per_atom": energy} | ({} if energy is not None else {"order": CRYSTAL})
    return Material(
        material_id="x",
        formula="Li3PO4",
        elements=["Li", "O", "P"],
        n_atoms=N_ATOMS,
        status="completed",
        failures=[],
        results=[glass().model_copy(update=changes)],
        protocol=protocol(),
        provenance=PROVENANCE,
    )


def test_the_error_is_that_of_independent_quenches() -> None:
    energies = (0.10, 0.13, 0.11, 0.14)
    (enthalpy,) = amorphization_enthalpies([quench(energy) for energy in energies])
    assert enthalpy.mean is not None
    assert enthalpy.mean.value == pytest.approx(np.mean(energies))
    assert enthalpy.mean.error == pytest.approx(np.std(energies, ddof=1) / 2)
    assert (enthalpy.formula, enthalpy.quenches, enthalpy.crystallised) == ("Li3PO4", 4, 0)


def test_what_has_crystallised_is_counted_and_left_out() -> None:
    (enthalpy,) = amorphization_enthalpies([quench(0.1), quench(None), quench(0.2)])
    assert (enthalpy.quenches, enthalpy.crystallised) == (2, 1)
    (nothing,) = amorphization_enthalpies([quench(None)])
    assert (nothing.mean, nothing.crystallised) == (None, 1)


def test_of_a_single_quench_the_error_is_not_known() -> None:
    (enthalpy,) = amorphization_enthalpies([quench(0.1)])
    assert enthalpy.mean is not None
    assert enthalpy.mean.error == float("inf")
