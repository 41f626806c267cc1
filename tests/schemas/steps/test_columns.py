"""Columns of tables: every one leads to a number that its kind of result has, and is read with its error."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tachylite.measured import Interval, Measured
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.columns import Cell, Column, cells, paths, value_at

PLAIN = Column("rate", "k_s", "rate_k_s", "rate", "K/s")
NESTED = Column("Tg", "k", "transition.energy.temperature_k", "Tg", "K", "error")
UNITLESS = Column("poisson_ratio", "", "poisson_ratio", "ν", "", "error")
DIFFUSIVITY = Column(
    "D_{}", "cm2_s", "value_cm2_s", "D({})", "cm²/s", "interval", interval_path="interval_cm2_s", each="diffusivities"
)


def fields(column: Column, result: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    return [field for cell in cells(column, result) for field in cell.fields()]


def types_of(model: Any, path: str) -> set[Any]:
    """What stands at a dotted path of models: each type that is possible there."""
    possible = {model}
    for name in path.split("."):
        owners = [kind for kind in possible if isinstance(kind, type) and issubclass(kind, BaseModel)]
        assert any(name in owner.model_fields for owner in owners), f"{path}: nothing has {name}"
        possible = {
            part
            for owner in owners
            if name in owner.model_fields
            for part in _parts(owner.model_fields[name].annotation)
        }
    return possible


def _parts(annotation: Any) -> set[Any]:
    return {annotation}.union(*(_parts(part) for part in get_args(annotation)))


def test_a_number_without_error_is_one_field() -> None:
    assert fields(PLAIN, {"rate_k_s": 3e13}) == [("rate_k_s", 3e13)]
    assert list(paths(PLAIN)) == ["rate_k_s"]


def test_a_measured_number_is_two_fields_from_wherever_it_stands() -> None:
    result = {"transition": {"energy": {"temperature_k": {"value": 700.0, "error": 25.0}}}}
    assert fields(NESTED, result) == [("Tg_k", 700.0), ("Tg_error_k", 25.0)]


def test_what_is_not_there_leaves_empty_fields() -> None:
    nothing: list[dict[str, Any]] = [{}, {"transition": None}, {"transition": {"energy": {}}}]
    for result in nothing:
        assert fields(NESTED, result) == [("Tg_k", None), ("Tg_error_k", None)]
    assert fields(PLAIN, {}) == [("rate_k_s", None)]
    assert fields(DIFFUSIVITY, {}) == fields(DIFFUSIVITY, {"diffusivities": None}) == []


def test_an_error_of_which_nothing_is_known_is_empty() -> None:
    assert fields(UNITLESS, {"poisson_ratio": {"value": 0.3, "error": None}}) == [
        ("poisson_ratio", 0.3),
        ("poisson_ratio_error", None),
    ]


def test_a_column_of_every_element() -> None:
    result = {
        "diffusivities": [
            {"species": "Li", "value_cm2_s": 2e-5, "interval_cm2_s": {"low": 1e-5, "high": 3e-5}},
            {"species": "O", "value_cm2_s": None, "interval_cm2_s": None},
        ]
    }
    lithium, oxygen = cells(DIFFUSIVITY, result)
    assert lithium == Cell(DIFFUSIVITY, "D_Li", "D(Li)", 2e-5, low=1e-5, high=3e-5)
    assert list(lithium.fields()) == [("D_Li_cm2_s", 2e-5), ("D_Li_low_cm2_s", 1e-5), ("D_Li_high_cm2_s", 3e-5)]
    assert [value for _, value in oxygen.fields()] == [None, None, None]
    assert list(paths(DIFFUSIVITY)) == [
        "diffusivities.value_cm2_s",
        "diffusivities.species",
        "diffusivities.interval_cm2_s",
    ]


def test_the_fields_that_paths_names_are_enough() -> None:
    """A store gives those alone."""
    result = {
        "diffusivities": [
            {"species": "Li", "value_cm2_s": 2e-5, "interval_cm2_s": {"low": 1e-5, "high": 3e-5}, "msd_a2": [1, 2]}
        ]
    }
    names = [path.partition(".")[2] for path in paths(DIFFUSIVITY)]
    part = {"diffusivities": [{name: result["diffusivities"][0][name] for name in names}]}
    assert fields(DIFFUSIVITY, part) == fields(DIFFUSIVITY, result)


def test_a_value_at_a_path_through_what_is_no_mapping() -> None:
    assert value_at({"a": {"b": 0.0}}, "a.b") == 0.0
    assert value_at({"a": 3.0}, "a.b") is None


COLUMNS = [(kind, column) for kind, result in RESULTS.items() for column in result.columns]


@pytest.mark.parametrize(("kind", "column"), COLUMNS, ids=[f"{kind}-{column.quantity}" for kind, column in COLUMNS])
def test_every_column_leads_to_a_number_of_its_result(kind: str, column: Column) -> None:
    """With the error or interval that it promises, and the unit that the field's name says."""
    before = f"{column.each}." if column.each else ""
    expected = {Measured} if column.spread == "error" else {float, int}
    assert expected & types_of(RESULTS[kind], f"{before}{column.path}")
    if column.spread == "interval":
        assert Interval in types_of(RESULTS[kind], f"{before}{column.interval_path}")
    if column.each:
        assert "{}" in column.quantity
        assert str in types_of(RESULTS[kind], f"{before}species")
    assert column.unit in column.path
    assert bool(column.unit) == bool(column.shown_unit)


@pytest.mark.parametrize("kind", RESULTS)
def test_columns_of_a_kind_have_names_of_their_own(kind: str) -> None:
    quantities = [column.quantity for column in RESULTS[kind].columns]
    assert len(quantities) == len(set(quantities))
