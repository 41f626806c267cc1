from typing import Any

import pytest
from jobflow import JobStore
from tests.schemas.test_version1 import stored
from tests.stores.store_samples import (
    PROVENANCE,
    later,
    make_hold,
    make_material,
    make_run,
    make_trajectory,
    put,
)

from tachylite.errors import InputError
from tachylite.schemas import Protocol
from tachylite.stores import find_materials, find_runs, iter_materials, load_trajectory
from tachylite.stores.queries import newest_entries, read_materials
from tachylite.stores.tables import find_rows

LI3PO4 = make_material()
NACL = make_material(
    "NaCl",
    elements=["Cl", "Na"],
    status="failed",
    created_at=later(2),
    protocol=Protocol.model_validate(
        {
            "name": "zheng2024",
            "steps": [{"kind": "hold", "name": "melt", "temperature_k": 5000}, {"kind": "hold", "temperature_k": 1500}],
        }
    ),
    provenance=PROVENANCE.model_copy(update={"engine": "vasp"}),
    results=[make_hold(name="hold", step="hold", source="melt", formula="NaCl", temperature_k=1500)],
)
LI2O = make_material("Li2O", elements=["Li", "O"], status="partial", created_at=later(1))


@pytest.fixture
def filled(store: JobStore) -> JobStore:
    put(store, LI3PO4, NACL, {"some": "output"}, None, [1, 2], LI2O)
    return store


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["NaCl", "Li2O", "Li3PO4"]),
        ({"formula": "PO4Li3"}, ["Li3PO4"]),
        ({"formula": "Li6 (PO4)2"}, ["Li3PO4"]),
        ({"formula": "Li₃PO₄"}, ["Li3PO4"]),
        ({"formula": "LiO"}, []),
        ({"elements": ["O"]}, ["Li2O", "Li3PO4"]),
        ({"elements": ["P", "Li"]}, ["Li3PO4"]),
        ({"engine": "vasp"}, ["NaCl"]),
        ({"protocol": "quickstart"}, ["Li2O", "Li3PO4"]),
        ({"status": "partial"}, ["Li2O"]),
        ({"temperature_k": 3000}, ["Li2O", "Li3PO4"]),
        ({"temperature_k": 1500}, ["NaCl"]),
        ({"material_id": "Li2O"}, ["Li2O"]),
        ({"limit": 2}, ["NaCl", "Li2O"]),
        ({"elements": ["O"], "status": "completed", "engine": "chgnet"}, ["Li3PO4"]),
    ],
)
def test_materials_are_found_newest_first(filled: JobStore, asked: dict[str, Any], expected: list[str]) -> None:
    assert [material.formula for material in find_materials(filled, **asked)] == expected


def test_materials_come_back_as_they_were(filled: JobStore) -> None:
    assert find_materials(filled) == [NACL, LI2O, LI3PO4]


def test_of_one_material_the_newest_is_shown(store: JobStore) -> None:
    newest = make_material(created_at=later(5), status="partial")
    put(store, newest, make_material(created_at=later(3)), make_material())
    assert find_materials(store) == [newest]


@pytest.mark.parametrize(
    "asked", [{"formula": "Xx2O"}, {"formula": "li3"}, {"formula": ""}, {"formula": "2+2"}, {"elements": ["Li", "Q"]}]
)
def test_chemistry_that_does_not_exist_is_refused(store: JobStore, asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"formula|element") as caught:
        find_materials(store, **asked)
    assert "\n" not in str(caught.value)


def test_a_document_of_another_version_is_named(store: JobStore) -> None:
    put(store, LI3PO4.model_dump() | {"novelty": 1})
    with pytest.raises(InputError, match=r"schema version 2.*novelty"):
        find_materials(store)


def test_materials_of_an_earlier_version_are_found_and_read(store: JobStore) -> None:
    """By what both versions keep in a place of their own; conditions on results know today's form only."""
    old = stored("argon")
    put(store, old, LI3PO4)
    assert {material.formula for material in find_materials(store)} == {"Ar", "Li3PO4"}
    by_name: list[dict[str, Any]] = [{"formula": "Ar"}, {"elements": ["Ar"]}, {"protocol": old["protocol"]["name"]}]
    for filters in by_name:
        assert [material.formula for material in find_materials(store, **filters)] == ["Ar"], filters
    (argon,) = find_materials(store, temperature_k=old["melt"]["temperature_k"])
    melt = argon.result("melt")
    assert melt is not None
    assert melt.temperature_k == old["melt"]["temperature_k"]
    (row,) = find_rows(store, formula="Ar")
    assert row["melt_density_g_cm3"] == old["melt"]["density_g_cm3"]["value"]
    assert find_materials(store, where=["melt.temperature_k>0"]) == [LI3PO4]


def test_runs_are_found_with_their_trajectories(store: JobStore) -> None:
    first, second = make_trajectory(1), make_trajectory(2)
    failed = make_run(status="failed", reason="too hot", formula="NaCl")
    put(store, {"runs": [None, make_run(first)], "trajectories": [None, first]})
    put(store, {"runs": [failed, make_run(second)], "trajectories": [None, second]})
    assert find_runs(store, formula="OLi") == [make_run(first), make_run(second)]
    assert find_runs(store, status="failed") == [failed]
    assert find_runs(store, engine="vasp") == []
    assert len(find_runs(store, limit=1)) == 1
    assert load_trajectory(store, first.sha256) == first
    assert load_trajectory(store, second.sha256) == second
    with pytest.raises(InputError, match="no trajectory 123 "):
        load_trajectory(store, "123")


def test_a_trajectory_stored_inside_its_document_is_found_too(store: JobStore) -> None:
    trajectory = make_trajectory(1)
    output = {"runs": [make_run(trajectory)], "trajectories": [trajectory]}
    store.update({"uuid": "a", "index": 1, "output": output})
    assert load_trajectory(store, trajectory.sha256) == trajectory


def test_materials_are_read_some_at_a_time(store: JobStore) -> None:
    put(store, *(make_material(formula) for formula in ("Li2O", "LiF", "LiCl", "Li3N", "Li2S")))
    entries = newest_entries(store)
    found = [material.material_id for material in read_materials(store, entries, at_once=2)]
    assert found == [entry["output"]["material_id"] for entry in entries]
    assert found == [material.material_id for material in find_materials(store)]
    assert list(iter_materials(store, limit=3)) == find_materials(store, limit=3)
    assert len(found) == 5
