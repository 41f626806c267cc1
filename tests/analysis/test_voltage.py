"""Voltages of series of stages: levels of theory kept apart, and ensembles of cells with known scatter."""

from typing import Any

import pytest

from tachylite.analysis.voltage import Cell, gather_voltages, voltages_of
from tachylite.errors import InputError
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.steps.insert import InsertResult
from tachylite.schemas.steps.ions import IonStage
from tachylite.schemas.structure import Crystallinity

LEVEL = Provenance(engine="vasp", model="PBE", device="cpu", dtype="float64", options={"encut": 520})
METAL_EV = -1.9
CONTENTS = (0.0, 0.5, 1.0)


def relaxation(n_ions: int, energy_ev: float, **options: Any) -> Relaxation:
    """Of a cell of two silicon atoms with so many lithium atoms."""
    n_atoms = n_ions + 2
    return Relaxation(
        label="stage",
        status="converged",
        formula="Si" if not n_ions else "LiSi",
        n_atoms=n_atoms,
        relax_cell=True,
        steps=9,
        energy_ev_per_atom=energy_ev / n_atoms,
        max_force_ev_a=0.01,
        pressure_gpa=0.0,
        state=State(
            numbers=[14, 14, *[3] * n_ions],
            positions=[[0.0, 0.0, 1.2 * i] for i in range(n_atoms)],
            cell=[[5.0, 0, 0], [0, 5.0, 0], [0, 0, 5.0 + n_ions]],
        ),
        provenance=LEVEL.model_copy(update={"options": LEVEL.options | options}),
    )


def metal(**options: Any) -> Relaxation:
    return relaxation(0, 0.0, **options).model_copy(
        update={"formula": "Li", "n_atoms": 1, "energy_ev_per_atom": METAL_EV}
    )


def stages(voltages: tuple[float, float], **options: Any) -> list[IonStage]:
    """Half a lithium atom to a silicon atom at the first voltage, another half at the second."""
    energies = [-10.0, -10.0 + METAL_EV - voltages[0], -10.0 + 2 * METAL_EV - sum(voltages)]
    return [
        IonStage(
            n_ions=n,
            content=CONTENTS[n],
            relaxation=relaxation(n, energies[n], **options),
            displacement_a=0.0,
            bonds_kept=1.0,
            bonds_new=0.0,
        )
        for n in range(3)
    ]


def cell(name: str, voltages: tuple[float, float], *, crystalline: bool = False, **changes: Any) -> Cell:
    fields = {
        "name": "charge",
        "step": "charge",
        "status": "completed",
        "formula": "LiSi",
        "n_atoms": 4,
        "element": "Li",
        "host": "Si",
        "host_units": 2.0,
        "first_order": Crystallinity(crystalline=crystalline),
        "charge": 1.0,
        "seed": 0,
    }
    voltages_fields = voltages_of(stages(voltages), 2.0, metal(), 1.0)
    return Cell(name, InsertResult(**(fields | voltages_fields | changes)))


def test_every_stage_has_the_voltage_since_the_one_before() -> None:
    fields = voltages_of(stages((0.5, 0.3)), 2.0, metal(), 1.0)
    assert [stage.voltage_v for stage in fields["stages"]] == [None, pytest.approx(0.5), pytest.approx(0.3)]
    assert [stage.is_stable for stage in fields["stages"]] == [True, True, True]
    assert fields["average_voltage_v"] == pytest.approx(0.4)
    out_again = voltages_of(stages((0.5, 0.3))[::-1], 2.0, metal(), 2.0)
    assert [stage.voltage_v for stage in out_again["stages"]] == [None, pytest.approx(0.15), pytest.approx(0.25)]


def test_a_content_above_the_hull_lies_within_a_plateau() -> None:
    fields = voltages_of(stages((0.2, 0.6)), 2.0, metal(), 1.0)
    (plateau,) = fields["plateaus"]
    assert (plateau.content_low, plateau.content_high, plateau.voltage_v) == (0, 1, pytest.approx(0.4))
    assert [stage.is_stable for stage in fields["stages"]] == [True, False, True]


def test_a_host_alone_has_no_voltage() -> None:
    fields = voltages_of(stages((0.5, 0.3))[:1], 2.0, metal(), 1.0)
    assert (fields["average_voltage_v"], fields["plateaus"]) == (None, [])


def test_corrected_energies_are_not_mixed_with_others() -> None:
    both = "MaterialsProject2020Compatibility"
    assert voltages_of(stages((0.5, 0.3), corrections=both), 2.0, metal(corrections=both), 1.0)["plateaus"]
    with pytest.raises(InputError, match="corrected and uncorrected energies are not compared"):
        voltages_of(stages((0.5, 0.3), corrections=both), 2.0, metal(), 1.0)
    mixed = [*stages((0.5, 0.3))[:2], *stages((0.5, 0.3), corrections=both)[2:]]
    with pytest.raises(InputError, match="corrected and uncorrected energies are not compared"):
        voltages_of(mixed, 2.0, metal(), 1.0)


def test_energies_of_another_level_are_refused() -> None:
    with pytest.raises(InputError, match=r"Li is computed with vasp: PBE, encut=400, the host with .*encut=520"):
        voltages_of(stages((0.5, 0.3)), 2.0, metal(encut=400), 1.0)
    with pytest.raises(InputError, match="no relaxed crystal of the ion's element"):
        voltages_of(stages((0.5, 0.3)), 2.0, None, 1.0)
    failed = metal().model_copy(update={"status": "failed", "reason": "it never settled"})
    with pytest.raises(InputError, match="the crystal of Li did not relax: it never settled"):
        voltages_of(stages((0.5, 0.3)), 2.0, failed, 1.0)


def test_the_error_of_an_ensemble_is_the_scatter_of_its_cells() -> None:
    glasses = [cell("a", (0.40, 0.20)), cell("b", (0.44, 0.26)), cell("c", (0.48, 0.20))]
    left_out = cell("d", (9.0, 9.0), status="failed", reason="crystallised")
    (ensemble,) = gather_voltages([*glasses, left_out])
    assert ensemble.order == "amorphous"
    assert ensemble.material_ids == ["a", "b", "c"]
    first = ensemble.steps[0]
    assert first.voltage_v.value == pytest.approx(0.44)
    assert first.scatter_v == pytest.approx(0.04)
    assert first.voltage_v.error == pytest.approx(0.04 / 3**0.5)
    assert ensemble.average is not None
    assert ensemble.average.voltage_v.value == pytest.approx((0.30 + 0.35 + 0.34) / 3)
    assert ensemble.over_crystal is None


def test_glasses_stand_beside_their_crystal() -> None:
    found = gather_voltages([cell("a", (0.40, 0.20)), cell("b", (0.36, 0.16)), cell("c", (0.5, 0.1), crystalline=True)])
    glass, crystal = found
    assert (glass.order, crystal.order) == ("amorphous", "crystalline")
    assert glass.over_crystal is not None
    assert glass.over_crystal.value == pytest.approx(0.28 / 0.3)
    assert glass.over_crystal.error == pytest.approx(0.02 / 0.3)
    assert crystal.steps[0].scatter_v is None
    assert crystal.steps[0].voltage_v.error == float("inf")


def test_cells_share_the_contents_that_all_have_and_plateaus_are_of_the_lowest() -> None:
    shorter = cell("b", (0.44, 0.26))
    ends = [stage for stage in shorter.result.stages if stage.content != 0.5]
    shorter = Cell("b", shorter.result.model_copy(update={"stages": ends}))
    (ensemble,) = gather_voltages([cell("a", (0.40, 0.20)), shorter])
    assert [(step.content_low, step.content_high) for step in ensemble.steps] == [(0, 1)]
    (lowest,) = ensemble.plateaus
    assert lowest.voltage_v == pytest.approx(0.35)
