from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.stores.fields import names_in, paths_of, pick

DOCUMENT: dict[str, Any] = {
    "_id": "a",
    "output": {"kind": "run", "runs": [{"kind": "x", "n": 1}, None, {"n": 2}], "melt": {"t": 1.5, "list": [1, 2]}},
    "name": None,
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["_id"], {"_id": "a"}),
        (["name", "absent"], {"name": None}),
        (["output.kind"], {"output": {"kind": "run"}}),
        (["output.runs.n"], {"output": {"runs": [{"n": 1}, None, {"n": 2}]}}),
        (["output.melt.t", "output.melt"], {"output": {"melt": {"t": 1.5, "list": [1, 2]}}}),
        (["output.melt", "output.melt.t"], {"output": {"melt": {"t": 1.5, "list": [1, 2]}}}),
        (["output.runs.0.n"], {"output": {"runs": [{"kind": "x", "n": 1}, None, {"n": 2}]}}),
        (["output.kind.deeper"], {"output": {"kind": "run"}}),
        ([], DOCUMENT),
    ],
)
def test_named_fields_are_decoded_and_no_others(names: list[str], expected: dict[str, Any]) -> None:
    assert pick(bson.encode(DOCUMENT), paths_of(names)) == expected


def test_the_names_in_a_query() -> None:
    query = {"a.b": 1, "$or": [{"c": {"$gt": 1}}, {"$and": [{"d": 1}]}]}
    assert sorted(names_in(query)) == ["a.b", "c", "d"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"$elemMatch": {"b": 1, "c.d": {"$gt": 1}}}, ["a.b", "a.c.d"]),
        (
            {"$elemMatch": {"$and": [{"$or": [{"b": 1}, {"c": 1}]}, {"d": {"$elemMatch": {"e": 1}}}]}},
            ["a.b", "a.c", "a.d.e"],
        ),
        ({"$elemMatch": {"$gt": 1, "$lt": 2}}, ["a"]),
        ({"$in": [1, 2]}, ["a"]),
    ],
)
def test_the_names_in_a_query_on_elements_of_a_list(condition: dict[str, Any], expected: list[str]) -> None:
    assert sorted(names_in({"a": condition})) == expected


values = st.recursive(
    st.none() | st.integers(-100, 100) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), values, max_size=3))
def test_naming_every_field_gives_the_document(document: dict[str, Any]) -> None:
    assert pick(bson.encode(document), paths_of(document)) == document
