"""Contributions keep the limits that MPContribs documents and its client and server check (version 5)."""

import json
from pathlib import Path
from string import punctuation, whitespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monty.serialization import loadfn
from pint import UnitRegistry
from pymatgen.core import Structure
from tests.report.report_pieces import Case
from tests.stores.store_samples import make_hold, make_material

from tachylite.errors import InputError
from tachylite.report.mpcontribs import (
    COLUMNS,
    CONTRIBUTIONS,
    column_name,
    contribution_of,
    unit_of,
    write_contributions,
)
from tachylite.schemas import Material, Measured
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.columns import Cell

NOT_IN_NAMES = set(punctuation) - {"*", "|"} | set(whitespace)
LEVELS_AT_MOST = 4


@pytest.fixture
def material(phosphate_case: Case) -> Material:
    return phosphate_case.material


def check_names(content: dict[str, Any], level: int = 1) -> None:
    """Names of columns, levels of nesting, and nothing but text at the ends."""
    assert level <= LEVELS_AT_MOST
    for name, value in content.items():
        assert name
        assert name.isascii()
        assert not NOT_IN_NAMES & set(name)
        assert name.count("|") <= 1
        if isinstance(value, dict):
            check_names(value, level + 1)
        else:
            assert isinstance(value, str)


def paths_of(content: dict[str, Any]) -> dict[str, str]:
    return {f"{group}.{name}": text for group, names in content.items() for name, text in names.items()}


def test_contributions_keep_the_limits(material: Material, tmp_path: Path) -> None:
    assert write_contributions([material], tmp_path) == 1
    (contribution,) = loadfn(tmp_path / CONTRIBUTIONS)
    columns = json.loads((tmp_path / COLUMNS).read_text())
    check_names(contribution["data"])
    assert contribution["identifier"] == contribution["formula"] == material.formula
    assert 0 < len(contribution["structures"]) <= 10
    assert all(isinstance(structure, Structure) for structure in contribution["structures"])
    assert columns.keys() == paths_of(contribution["data"]).keys()
    assert {name.split(".")[0] for name, unit in columns.items() if unit is None} == {"computed"}
    quantities = [text for name, text in paths_of(contribution["data"]).items() if columns[name] is not None]
    assert all(text.count(" ") <= 1 for text in quantities), "with two blanks it would not be read as a quantity"


def test_numbers_are_those_of_the_results(material: Material) -> None:
    contribution, columns = contribution_of(material)
    assert contribution is not None
    melt = contribution["data"]["melt"]
    number, unit = melt["density"].split()
    density = material.result("melt").density_g_cm3  # type: ignore[attr-defined]  # of a hold
    assert [float(text) for text in number.split("+/-")] == pytest.approx([density.value, density.error], rel=1e-5)
    assert columns["melt.density"] == unit == "g/cm^3"
    low, value, high = (float(melt[name].removesuffix(" cm^2/s")) for name in ("Dlow|Li", "D|Li", "Dhigh|Li"))
    assert low < value < high


def test_every_unit_of_a_column_is_known_to_pint() -> None:
    units = UnitRegistry()
    units.define("atom = 1")
    known = [column for result in RESULTS.values() for column in result.columns]
    for column in known:
        unit = unit_of(Cell(column, column.quantity, column.heading, 1.5))
        assert unit == "" or unit in units, unit
    assert len(known) > 20


def test_a_structure_comes_once(material: Material, tmp_path: Path) -> None:
    assert write_contributions([material, material], tmp_path) == 2
    first, second = json.loads((tmp_path / CONTRIBUTIONS).read_text())
    assert first["data"] == second["data"]
    assert "structures" not in second


def test_a_material_without_results_is_no_contribution(tmp_path: Path) -> None:
    assert write_contributions([make_material(results=[])], tmp_path) == 0
    assert json.loads((tmp_path / CONTRIBUTIONS).read_text()) == []


def test_results_whose_columns_would_be_one_are_refused() -> None:
    density = Measured(value=2.0, error=0.1)
    results = [make_hold(name=name, density_g_cm3=density) for name in ("hot-melt", "hot_melt")]
    with pytest.raises(InputError, match="'hot_melt' would have the columns hotMelt of another one"):
        contribution_of(make_material(results=results))


@given(st.text())
def test_names_have_no_marks(text: str) -> None:
    assert column_name(text).isascii()
    assert not set(column_name(text)) & (NOT_IN_NAMES | {"*", "|"})
