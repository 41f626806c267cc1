import pytest
from ase import Atoms
from ase.build import bulk

from tachylite.analysis.phases import hull_of
from tachylite.errors import InputError
from tachylite.jobs.phases import candidate_element
from tachylite.schemas import Provenance, State
from tachylite.schemas.phases import CandidatePhase, RelaxedPhase
from tachylite.schemas.relaxation import Relaxation

LEVEL = Provenance(engine="none", model="none", device="cpu", dtype="float64")


def relaxed(candidate: CandidatePhase, energy: float, *, swollen: float = 1.0) -> RelaxedPhase:
    """A candidate with an energy in eV/atom, and a volume that changed by a factor."""
    state = candidate.state.scaled_to(candidate.state.volume_a3 * swollen)
    relaxation = Relaxation(
        label=candidate.source,
        status="converged",
        formula=state.formula,
        n_atoms=len(state.numbers),
        relax_cell=True,
        steps=1,
        energy_ev_per_atom=energy,
        max_force_ev_a=0.0,
        pressure_gpa=0.0,
        state=state,
        provenance=LEVEL,
    )
    return RelaxedPhase.of(candidate, relaxation)


def crystal(atoms: Atoms, source: str = "file") -> CandidatePhase:
    return CandidatePhase(source=source, state=State.from_atoms(atoms))


MAGNESIUM = relaxed(candidate_element("Mg"), -1.5)
OXYGEN = relaxed(candidate_element("O"), -4.9)
MAGNESIA = relaxed(crystal(bulk("MgO", "rocksalt", a=4.2)), -6.1)


def test_a_gas_counts_as_its_molecule_whatever_crystals_there_are() -> None:
    solid = relaxed(crystal(bulk("O", "fcc", a=3.0), "solid oxygen"), -5.5)
    assert OXYGEN.is_molecule
    hull = hull_of([MAGNESIUM, OXYGEN, MAGNESIA, solid], ("Mg", "O"))
    assert hull.formation_energy({"Mg": 1, "O": 1}, -6.1) == pytest.approx(-6.1 + (1.5 + 4.9) / 2)
    assert {phase.name for phase in hull.vertices} == {"element Mg", "molecule O2", "file"}


def test_a_gas_takes_the_volume_of_its_solid_and_not_that_of_the_empty_cell() -> None:
    hull = hull_of([MAGNESIUM, OXYGEN, MAGNESIA], ("Mg", "O"))
    oxygen = hull.volume({"O": 1})
    assert 8 < oxygen < 20  # solid oxygen has 11 to 13 A^3 per atom; the cell of the molecule 1,372
    assert hull.volume({"Mg": 1, "O": 9}) == pytest.approx(0.2 * 4.2**3 / 8 + 0.8 * oxygen)


def test_phases_of_other_systems_are_no_part_of_a_hull() -> None:
    lithium = relaxed(candidate_element("Li"), -1.9)
    assert len(hull_of([MAGNESIUM, OXYGEN, lithium], ("Mg", "O")).phases) == 2


def test_what_is_another_structure_after_relaxation_is_left_out() -> None:
    """A hole of a potential may be deep; a crystal that fell into it is none."""
    collapsed = relaxed(crystal(bulk("MgO", "zincblende", a=4.6)), -40.0, swollen=0.3)
    assert collapsed.status == "failed"
    assert "its volume changed by a factor of 0.30" in str(collapsed.reason)
    hull = hull_of([MAGNESIUM, OXYGEN, MAGNESIA, collapsed], ("Mg", "O"))
    assert hull.energy({"Mg": 1, "O": 1}) == pytest.approx(-6.1)


def test_an_element_without_a_relaxed_phase_is_named_with_the_reason() -> None:
    failed = MAGNESIUM.model_copy(update={"status": "failed", "reason": "not converged"})
    with pytest.raises(InputError, match="no relaxed crystal of Mg to compare energies with: not converged"):
        hull_of([failed, OXYGEN], ("Mg", "O"))
    with pytest.raises(InputError, match="of Mg to compare energies with: none given"):
        hull_of([OXYGEN], ("Mg", "O"))


def test_two_structures_of_one_name_are_two_candidates() -> None:
    first, second = (crystal(bulk("Cu", structure, a=3.6), "POSCAR") for structure in ("fcc", "bcc"))
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == crystal(bulk("Cu", "fcc", a=3.6), "copper.cif").fingerprint


@pytest.mark.parametrize(("symbol", "source"), [("N", "molecule N2"), ("Cl", "molecule Cl2"), ("Fe", "element Fe")])
def test_the_reference_of_a_gas_is_its_molecule(symbol: str, source: str) -> None:
    candidate = candidate_element(symbol)
    assert candidate.source == source
    assert set(candidate.state.elements) == {symbol}
