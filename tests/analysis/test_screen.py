from typing import Any

from tachylite.analysis.screen import composition_rows


def material(text: str, energy: float | None, *, repulsion: str | None = None) -> dict[str, Any]:
    """Fields of a material of CuAu."""
    relaxed = {"kind": "relax", "relaxation": {"status": "converged", "energy_ev_per_atom": energy}}
    return {
        "material_id": f"{text} {repulsion}",
        "formula": "CuAu",
        "n_atoms": 10,
        "start": {"kind": "packed", "formula": text},
        "failures": [] if energy is not None else [{"stage": "melt", "reason": "overlapping atoms"}],
        "provenance": {"options": {} if repulsion is None else {"repulsion": repulsion}},
        "results": [] if energy is None else [relaxed],
    }


def test_a_composition_is_one_row_however_it_was_written_and_run_again() -> None:
    """A screen that found it in the store, written otherwise by another one, and ran it again as it had failed."""
    (row,) = composition_rows([material("CuAu", None), material("AuCu", -3.5, repulsion="zbl")], [])
    assert (row.formula, row.repulsion) == ("CuAu", True)


def test_without_relaxed_elements_there_is_no_energy_and_the_reason_is_said() -> None:
    (row,) = composition_rows([material("CuAu", -3.5)], [])
    assert row.status == "failed"
    assert "no relaxed crystal of Au" in str(row.reason)


def test_what_has_dispersed_has_no_energy() -> None:
    gas = material("CuAu", -3.5)
    reason = "is no solid: its volume is 60 times that of a dense phase"
    gas["results"][0]["relaxation"]["status"] = "failed"
    gas["failures"] = [{"stage": "glass", "reason": reason}]
    (row,) = composition_rows([gas], [])
    assert (row.status, row.energy_ev_per_atom, row.reason) == ("failed", None, f"glass: {reason}")
