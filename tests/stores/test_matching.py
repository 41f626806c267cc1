"""Criteria answered as MongoDB answers them: a table of what it says, and MongoDB itself where there is one."""

import os
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from tests.stores.criteria_samples import CRITERIA, DOCUMENTS, SORTABLE

from tachylite.stores.matching import in_order, matcher

NAN = float("nan")
TIME = datetime(2026, 1, 1)
DENSE = {"$elemMatch": {"$and": [{"d": {"$gt": 2}}, {"$or": [{"step": "melt"}, {"name": "melt"}]}]}}


@pytest.mark.parametrize(
    ("criteria", "matching", "other"),
    [
        ({"a": 1}, [{"a": 1}, {"a": 1.0}, {"a": [3, 1]}], [{"a": True}, {"a": "1"}, {"a": [[1]]}, {}]),
        ({"a": True}, [{"a": True}], [{"a": 1}, {"a": "true"}]),
        ({"a": None}, [{}, {"a": None}, {"a": [None]}], [{"a": []}, {"a": 0}]),
        ({"a.b": None}, [{}, {"a": {}}, {"a": 1}, {"a": [{}]}], [{"a": [1]}, {"a": []}, {"a": {"b": 1}}]),
        ({"a.b": "x"}, [{"a": {"b": "x"}}, {"a": [{"b": "y"}, {"b": ["x"]}]}], [{"a": [[{"b": "x"}]]}, {"a": "x"}]),
        ({"a.0.b": 1}, [{"a": [{"b": 1}, {"b": 2}]}], [{"a": [{"b": 2}, {"b": 1}]}, {"a": {"b": 1}}]),
        ({"a": {"b": 1, "c": 2}}, [{"a": {"b": 1.0, "c": 2}}], [{"a": {"c": 2, "b": 1}}, {"a": {"b": 1}}]),
        ({"a": [1, 2]}, [{"a": [1, 2]}, {"a": [[1, 2]]}], [{"a": [2, 1]}, {"a": 1}]),
        ({"a": NAN}, [{"a": NAN}], [{"a": 1}, {"a": None}, {}]),
        ({"a": {"$ne": "x"}}, [{}, {"a": ["y"]}, {"a": 1}], [{"a": "x"}, {"a": ["y", "x"]}]),
        ({"a": {"$in": ["x", None]}}, [{}, {"a": "x"}, {"a": ["x"]}], [{"a": "y"}]),
        ({"a": {"$nin": ["x", 1]}}, [{}, {"a": "y"}], [{"a": "x"}, {"a": [1.0]}]),
        ({"a": {"$gt": 1, "$lt": 3}}, [{"a": 2}, {"a": [0, 2]}, {"a": [0, 5]}], [{"a": 1}, {"a": "2"}, {"a": True}]),
        ({"a": {"$lte": NAN}}, [{"a": NAN}], [{"a": 1}]),
        ({"a": {"$lt": 1}}, [{"a": 0}], [{"a": NAN}, {"a": None}, {}]),
        ({"a": {"$gte": "b"}}, [{"a": "b"}, {"a": "c"}], [{"a": "a"}, {"a": 3}]),
        ({"a": {"$lt": TIME.replace(tzinfo=UTC)}}, [{"a": datetime(2025, 1, 1)}], [{"a": TIME}, {"a": "2025"}]),
        ({"a": {"$exists": False}}, [{}, {"b": 1}], [{"a": None}, {"a": []}]),
        ({"a.b": {"$exists": True}}, [{"a": [1, {"b": None}]}], [{"a": [1]}, {"a": {}}]),
        ({"a": {"$all": ["x", "y"]}}, [{"a": ["y", "z", "x"]}], [{"a": ["x"]}, {"a": "x"}]),
        ({"a": {"$size": 1}}, [{"a": [1]}, {"a": [[1, 2]]}], [{"a": 1}, {"a": []}]),
        ({"a": {"$not": {"$gt": 1}}}, [{}, {"a": 1}, {"a": "x"}], [{"a": 2}, {"a": [0, 2]}]),
        ({"a": {"$regex": "^li", "$options": "i"}}, [{"a": "Li2O"}, {"a": ["NaCl", "LiF"]}], [{"a": "NaLi"}, {"a": 1}]),
        ({"a": {"$elemMatch": {"$gt": 1, "$lt": 3}}}, [{"a": [2]}], [{"a": [0, 5]}, {"a": 2}]),
        ({"a": DENSE}, [{"a": [{"d": 3, "name": "melt"}]}], [{"a": [{"d": 3}, {"d": 1, "step": "melt"}]}, {"a": []}]),
        ({"$or": [{"a": 1}, {"b": 1}]}, [{"a": 1}, {"b": 1}], [{"c": 1}]),
        ({"$nor": [{"a": 1}, {"b": 1}]}, [{"c": 1}], [{"a": 1}, {"b": 1}]),
        ({"$and": [{"a": 1}, {"a": 2}]}, [{"a": [1, 2]}], [{"a": 1}]),
        ({}, [{}, {"a": 1}], []),
    ],
)
def test_criteria_match_what_mongodb_says(criteria: dict[str, Any], matching: list[Any], other: list[Any]) -> None:
    test = matcher(criteria)
    assert [document for document in matching if not test(document)] == []
    assert [document for document in other if test(document)] == []


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"$where": "true"}, r"does not know \$where; it knows \$eq"),
        ({"a": {"$mod": [2, 0]}}, r"does not know \$mod"),
        ({"a": {"$elemMatch": {"$where": "x"}}}, r"does not know \$where"),
        ({"a": {"$gt": [1]}}, "compares numbers, words, times"),
        ({"a": {"$in": [bson.Regex("x")]}}, r"as \$regex only"),
    ],
)
def test_what_it_does_not_know_is_refused(criteria: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        matcher(criteria)


def test_values_are_sorted_by_type_then_value() -> None:
    values: list[Any] = [[], None, NAN, -1, 2.5, 10, "", "a", False, True, TIME]
    for descending in (False, True):
        backwards = [(value, {"a": value}) for value in reversed(values)]
        ordered = [value for value, _ in in_order(backwards, {"a": descending})]
        assert list(map(repr, ordered)) == list(map(repr, values[::-1] if descending else values))
    of_lists = [("high", {"a": [1, 9]}), ("low", {"a": [2, 3]})]
    assert [name for name, _ in in_order(of_lists, {"a": False})] == ["high", "low"]
    assert [name for name, _ in in_order(of_lists, {"a": True})] == ["high", "low"]
    with pytest.raises(ValueError, match="sorts by numbers"):
        in_order([(1, {"a": {}}), (2, {"a": 1})], {"a": False})
    with pytest.raises(ValueError, match="does not sort by lists of lists"):
        in_order([(1, {"a": [[1], 2]}), (2, {"a": 1})], {"a": False})


URI = os.environ.get("TACHYLITE_TEST_MONGO")


@pytest.fixture(scope="module")
def collection() -> Iterator[Any]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(URI) as client:
        name = f"tachylite_test_{uuid.uuid4().hex[:8]}"
        yield client[name]["documents"]
        client.drop_database(name)


@pytest.mark.slow
@pytest.mark.skipif(URI is None, reason="TACHYLITE_TEST_MONGO is not set")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(DOCUMENTS, min_size=3, max_size=12), st.lists(CRITERIA, min_size=3, max_size=12), SORTABLE)
def test_random_documents_match_as_in_mongodb(
    collection: Any, documents: list[dict[str, Any]], questions: list[dict[str, Any]], order: dict[str, int]
) -> None:
    collection.delete_many({})
    collection.insert_many({"_id": place, **document} for place, document in enumerate(documents))
    stored = list(enumerate(bson.decode(bson.encode(document)) for document in documents))
    for criteria in questions:
        test = matcher(criteria)
        matching = [entry for entry in stored if test(entry[1])]
        try:
            ordered = in_order(matching, {name: direction < 0 for name, direction in order.items()})
            answer = collection.find(criteria, {"_id": 1}).sort([*order.items(), ("_id", 1)])
            expected = [entry["_id"] for entry in answer]
        except (ValueError, OperationFailure) as error:
            # neither are lists of lists sorted here, nor by two lists of one document there
            if not re.search("lists of lists|parallel arrays", str(error)):
                raise
            continue
        assert [place for place, _ in ordered] == expected, criteria
