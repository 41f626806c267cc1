"""Numbers of results as the cells of a table."""

import json

import pytest
from tests.report.report_pieces import N_ATOMS, network
from tests.report.report_results import elasticity, glass, hold, limit, quench, skipped, volume_search

from tachylite.report.columns import cell_text, cells_of, heading_of, key_cells
from tachylite.schemas import Measured, Result
from tachylite.schemas.steps.columns import NETWORK, cells


def texts(result: Result) -> dict[str, str]:
    return {heading_of(cell): cell_text(cell) for cell in cells_of(result)}


@pytest.mark.parametrize(
    ("result", "cells"),
    [
        (volume_search("melt-volume", 15.92), {"V (Å³/atom)": "15.92 ± 0.31", "P (GPa)": "0.08 ± 0.21"}),
        (quench(), {"density (g/cm³)": "–", "cooling rate (K/s)": "9.400 × 10¹⁴", "crystallinity": "0.01000"}),
        (
            glass(),
            {
                "density (g/cm³)": "2.213",
                "formation energy (eV/atom)": "−2.655",
                "above the crystal (eV/atom)": "0.1130",
                "crystallinity": "0.02000",
            },
        ),
        (elasticity(), {"E (GPa)": "73.1 ± 3.2", "ν": "0.167 ± 0.020"}),
        (
            limit(),
            {
                "lowest (eV/atom)": "−2.641",
                "mean (eV/atom)": "−2.6162 ± 0.0074",
                "above the crystal (eV/atom)": "0.1270",
                "crystallised": "0",
            },
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Result) else "",
)
def test_every_kind_says_its_numbers_with_errors_and_units(result: Result, cells: dict[str, str]) -> None:
    assert texts(result) == cells


def test_diffusivities_have_a_column_for_each_element_with_their_intervals() -> None:
    cells = texts(hold("anneal-1500K", 12.7, {"Li": 8e-5, "P": None}))
    assert cells["density (g/cm³)"] == "1.894 ± 0.030"
    assert cells["D(Li) (cm²/s)"] == "8.0 [6.9, 9.4] × 10⁻⁵"
    assert cells["D(P) (cm²/s)"] == "not diffusive"


def test_volumes_are_those_of_an_atom() -> None:
    (volume, _) = cells_of(volume_search("melt-volume", 15.92))
    assert (volume.value, volume.error) == pytest.approx((15.92, 0.31))
    stored = volume_search("melt-volume", 15.92).model_dump(mode="json")
    assert stored["volume_a3"]["value"] == pytest.approx(15.92 * N_ATOMS)
    assert cell_text(key_cells(stored)[0], with_unit=True) == "15.92 ± 0.31 Å³/atom"


@pytest.mark.parametrize(("error", "text"), [(0.0, "1.511"), (float("inf"), "1.511 ± ?"), (0.03, "1.511 ± 0.030")])
def test_an_error_of_zero_is_exact_and_not_unknown(error: float, text: str) -> None:
    result = hold("melt", 15.92, {}).model_copy(update={"density_g_cm3": Measured(value=1.511, error=error)})
    assert texts(result)["density (g/cm³)"] == text
    # JSON has no infinity: an unknown error is null
    stored = json.loads(result.model_dump_json())
    assert (stored["density_g_cm3"]["error"] is None) == (error == float("inf"))
    assert cell_text(key_cells(stored)[0]) == text


def test_what_is_not_there_is_a_dash() -> None:
    assert texts(skipped("melt-volume", "no start")) == {"V (Å³/atom)": "–", "P (GPa)": "–"}
    nameless = skipped("melt-volume", "no start").model_copy(update={"n_atoms": 0})
    assert texts(nameless)["V (Å³/atom)"] == "–"
    assert texts(skipped("melt", "no start")) == {"density (g/cm³)": "–"}


def test_bridges_have_columns_for_each_element() -> None:
    stored = {"structure": {"network": network().model_dump(mode="json")}}
    fields = dict(field for column in NETWORK for cell in cells(column, stored) for field in cell.fields())
    assert fields == {"bridging_O": 0.2, "bridging_O_error": 0.02, "bridges_of_P": 0.2, "bridges_of_P_error": 0.02}
    assert [cell for column in NETWORK for cell in cells(column, {"structure": {"network": None}})] == []
