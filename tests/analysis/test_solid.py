"""Whether what was relaxed is a solid."""

from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from tests.report.report_pieces import PROVENANCE

from tachylite.analysis.structure import checked_to_be_solid
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation


def relaxation(growth: float, *, relax_cell: bool = True) -> Relaxation:
    """Of copper at so many times its volume."""
    state = State.from_atoms(bulk("Cu", "fcc", a=3.6, cubic=True))
    return Relaxation(
        label="copper",
        status="converged",
        formula="Cu",
        n_atoms=4,
        relax_cell=relax_cell,
        steps=3,
        energy_ev_per_atom=-3.7,
        max_force_ev_a=0.0,
        pressure_gpa=0.0,
        state=state.scaled_to(growth * state.volume_a3),
        provenance=PROVENANCE,
    )


@given(st.floats(0.7, 2.5))
def test_a_dense_structure_stays_as_it_is(growth: float) -> None:
    assert checked_to_be_solid(relaxation(growth)) == relaxation(growth)


@given(st.floats(3.5, 1e4))
def test_a_gas_has_failed_unless_its_cell_was_given(growth: float) -> None:
    gas = checked_to_be_solid(relaxation(growth))
    assert gas.status == "failed"
    assert str(gas.reason).startswith("is no solid: its volume is ")
    assert checked_to_be_solid(relaxation(growth, relax_cell=False)).status == "converged"
