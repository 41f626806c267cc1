"""What commands print and write of a material: the tables after a run, the structures of a query."""

import io
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import read
from rich.console import Console
from tests.report.report_pieces import Case, moved
from tests.report.report_results import hold, volume_search

from tachylite.cli.campaigns.summary import show_summary
from tachylite.cli.query import export_structures
from tachylite.schemas import Failure, Material


def summary(material: Material) -> str:
    console = Console(file=io.StringIO(), width=300)
    show_summary(material, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def table_rows(text: str) -> list[list[str]]:
    """Cells of every row, heads included."""
    lines = [line for line in text.splitlines() if line[:1] in "│┃"]
    return [[cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")] for line in lines]


def test_there_is_a_table_for_every_kind_of_step(phosphate_case: Case) -> None:
    text = summary(phosphate_case.material)
    assert text.startswith("Li₃PO₄, 104 atoms, protocol zheng2024, engine chgnet (CHGNet 0.3.0, thermostat_damping_fs=")
    assert text.splitlines()[0].endswith("seed 42: completed")
    rows = table_rows(text)
    heads = [row[0] for row in rows if row[0] in {"volume", "hold", "ramp", "relax", "strain", "snapshots"}]
    assert heads == ["volume", "hold", "ramp", "relax", "strain", "snapshots"]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["volume"] == ["V (Å³/atom)", "P (GPa)"]
    assert by_name["anneal-volume, 1500 K"] == ["12.70 ± 0.31", "0.08 ± 0.21"]
    assert by_name["hold"] == ["density (g/cm³)", "D(Li) (cm²/s)", "D(O) (cm²/s)", "D(P) (cm²/s)"]
    assert by_name["anneal, 1500 K"][-1] == "not diffusive"
    assert by_name["quench"] == ["–", "9.400 × 10¹⁴", "0.01000"]
    assert by_name["glass"][-1] == "0.02000"
    assert by_name["amorphous-limit"] == ["−2.641", "−2.6162 ± 0.0074", "0.1270", "0"]
    assert by_name["activation energy, Li"] == ["0.420 ± 0.050 eV"]
    assert by_name["activation energy, P"] == ["P diffuses measurably at 2 of 3 temperatures; three are needed"]
    assert text.splitlines()[-1] == "id 6f0e8a1c2b3d4e5f"


def test_failures_are_named_and_what_was_skipped_has_no_row(partial_case: Case) -> None:
    material = partial_case.material.model_copy(
        update={"failures": [*partial_case.material.failures, Failure(stage="anneal, 1500K", reason="too [hot]")]}
    )
    text = summary(material)
    assert "failed: quench: temperature 41200 K at step 812\n" in text
    assert "failed: amorphous-limit: no snapshot has both converged and references" in text
    assert "failed: anneal, 1500 K: too [hot]\n" in text
    names = [row[0] for row in table_rows(text)]
    assert "quench" in names
    assert not {"glass", "elasticity"} & set(names)


def test_elements_that_only_some_results_measured_are_dashes_for_the_others(phosphate_case: Case) -> None:
    results = [hold("melt", 15.92, {"Li": 9e-4, "O": 4e-4}), hold("anneal-1500K", 12.7, {"Li": 8e-5})]
    rows = table_rows(summary(phosphate_case.material.model_copy(update={"results": results})))
    assert {row[0]: row[-1] for row in rows}["anneal, 1500 K"] == "–"


@pytest.fixture
def names(phosphate_case: Case, tmp_path: Path) -> list[str]:
    return [path.name for path in export_structures(phosphate_case.material, tmp_path)]


def test_the_structure_of_every_step_is_exported_once(names: list[str], phosphate_case: Case, tmp_path: Path) -> None:
    steps = ("melt", "anneal-1500K", "anneal-2000K", "anneal-2500K", "quench", "glass", "amorphous-limit")
    assert names == [f"Li3PO4-6f0e8a1c-{step}.extxyz" for step in steps]
    glass = phosphate_case.material.result("glass").final
    assert glass is not None
    atoms = read(tmp_path / "Li3PO4-6f0e8a1c-glass.extxyz")
    assert isinstance(atoms, Atoms)
    assert atoms.get_volume() == pytest.approx(glass.volume_a3)
    assert atoms.get_positions() == pytest.approx(glass.atoms.get_positions(), abs=1e-6)


def test_any_sequence_of_steps_is_exported(phosphate_case: Case, tmp_path: Path) -> None:
    searched = volume_search("melt-volume", 15.92)
    alone = phosphate_case.material.model_copy(update={"results": [searched]})
    assert [path.name for path in export_structures(alone, tmp_path)] == ["Li3PO4-6f0e8a1c-melt-volume.extxyz"]
    # two holds after one another, the second from where the first ended
    first = hold("melt", 15.92, {})
    assert first.run is not None
    later = first.run.model_copy(update={"final": moved(15.92, seed=7)})
    second = first.model_copy(update={"name": "again", "step": "again", "source": "melt", "run": later})
    holds = phosphate_case.material.model_copy(update={"results": [first, second]})
    assert [path.stem for path in export_structures(holds, tmp_path)] == [
        "Li3PO4-6f0e8a1c-melt",
        "Li3PO4-6f0e8a1c-again",
    ]


def test_a_failed_run_leaves_its_last_good_frame(partial_case: Case, vapour_case: Case, tmp_path: Path) -> None:
    stems = [path.stem for path in export_structures(partial_case.material, tmp_path)]
    assert stems == ["Li3PO4-6f0e8a1c-melt", "Li3PO4-6f0e8a1c-quench"]
    assert export_structures(vapour_case.material, tmp_path) == []
