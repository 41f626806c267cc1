import numpy as np
import pytest

from tachylite.analysis.check import stratified, summarise
from tachylite.physics.chemical_systems import chemistry_of
from tachylite.schemas.screen import CompositionRow


def row(system: str, number: int, energy: float, second: float | None) -> CompositionRow:
    first, other = system.split("-")
    return CompositionRow(
        formula=f"{first}{number}{other}",
        sample=0,
        system=system,
        chemistry=chemistry_of((first, other)),
        fractions={first: number / (number + 1), other: 1 / (number + 1)},
        material_id=f"{system} {number}",
        status="completed",
        n_atoms=number + 1,
        energy_ev_per_atom=energy,
        formation_energy_ev_per_atom=energy,
        check_formation_energy_ev_per_atom=second,
    )


SYSTEMS = ("Al-O", "Li-O", "Li-Si", "Cu-Zr", "B-Fe")


def test_an_affine_difference_is_found_and_corrected() -> None:
    rng = np.random.default_rng(0)
    energies = rng.normal(-1, 0.5, (len(SYSTEMS), 6))
    rows = [
        row(s, n, e, 0.03 + 1.1 * e) for s, own in zip(SYSTEMS, energies, strict=True) for n, e in enumerate(own, 1)
    ]
    summary = summarise(rows)
    assert summary is not None
    assert summary.slope == pytest.approx(1.1)
    assert summary.offset_ev_per_atom == pytest.approx(0.03)
    everything, *kinds = summary.differences
    assert (everything.chemistry, everything.count) == ("all", 30)
    assert everything.mae_ev_per_atom.value == pytest.approx(np.abs(0.03 + 0.1 * energies).mean())
    assert everything.mae_corrected_ev_per_atom is not None
    assert everything.mae_corrected_ev_per_atom.value == pytest.approx(0, abs=1e-12)
    assert {kind.chemistry: kind.count for kind in kinds} == {"oxides": 12, "silicides": 6, "alloys": 6, "borides": 6}


def test_a_correction_is_tested_on_systems_that_it_has_not_seen() -> None:
    """A shift of one system alone cannot be learned from the others."""
    rows = [row(s, n, -n / 10, -n / 10 + (0.5 if s == "Al-O" else 0.0)) for s in SYSTEMS for n in range(1, 7)]
    summary = summarise(rows)
    assert summary is not None
    oxides = next(d for d in summary.differences if d.chemistry == "oxides")
    assert oxides.mae_corrected_ev_per_atom is not None
    assert oxides.mae_corrected_ev_per_atom.value > 0.2


def test_two_systems_are_too_few_for_a_correction() -> None:
    summary = summarise([row(s, n, -n / 10, -n / 9) for s in SYSTEMS[:2] for n in range(1, 4)])
    assert summary is not None
    assert (summary.slope, summary.differences[0].mae_corrected_ev_per_atom) == (None, None)


def test_nothing_checked_is_no_summary() -> None:
    assert summarise([row("Li-Si", 1, -0.2, None)]) is None


def test_a_sample_gives_every_kind_and_every_system_its_turn() -> None:
    rows = [row(system, number, -0.1, None) for system in SYSTEMS for number in range(1, 10)]
    four = stratified(rows, 4)
    assert {r.chemistry for r in four} == {"oxides", "silicides", "alloys", "borides"}
    assert {r.system for r in stratified(rows, 8)} == set(SYSTEMS)
    assert stratified(rows, 8)[:4] == four
    assert len(stratified(rows, 1000)) == 45
