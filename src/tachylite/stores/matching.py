"""Which documents match criteria in the language of MongoDB, for the store that has no MongoDB."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import bson

type Test = Callable[[Any], bool]

_MISSING = object()
"""Stands for the value of a field that a document does not have."""

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_COMPARABLE: tuple[type, ...] = (bool, str, datetime)


def matcher(criteria: Mapping[str, Any]) -> Test:
    """Make the test whether a document matches criteria.

    Known are equality, $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $all, $size, $elemMatch, $regex (with
    Python's regular expressions), $not, $and, $or and $nor; ValueError for anything else.
    """
    # as documents come back from a store: times in UTC without a zone, to the millisecond
    stored: Mapping[str, Any] = bson.decode(bson.encode(criteria))
    return _all_of(stored)


def in_order[T](entries: Iterable[tuple[T, Any]], orders: Mapping[str, bool]) -> list[tuple[T, Any]]:
    """Sort documents, each with something of its own, by fields as MongoDB does; True for descending.

    Raises ValueError where a field is a document or a list of lists: numbers, words, times and truth values, and lists
    of these, are compared.
    """
    ordered = list(entries)
    for name, descending in reversed([*orders.items()]):
        path = name.split(".")
        ordered.sort(key=lambda entry: _sort_key(entry[1], path, descending), reverse=descending)
    return ordered


def _sort_key(document: Any, path: Sequence[str], descending: bool) -> tuple[int, Any]:
    """Of a list its smallest or largest element counts; an empty one comes before what has no value."""
    keys = []
    for value in values_at(document, path, through_last=False):
        elements = value if isinstance(value, list) and value else [value]
        if elements is value and any(isinstance(element, list) for element in elements):
            raise ValueError("the embedded store does not sort by lists of lists")
        keys += [_rank(element) for element in elements]
    return (max if descending else min)(keys, default=(1, 0))


def _rank(value: Any) -> tuple[int, Any]:
    """Types in the order that MongoDB gives them, then values; of numbers NaN is the smallest."""
    if isinstance(value, list):
        return 0, 0
    if value is None or value is _MISSING:
        return 1, 0
    if _is_number(value):
        return 2, (False, 0) if math.isnan(value) else (True, value)
    kinds = (str, bson.ObjectId, bool, datetime)
    for place, kind in enumerate(kinds, start=3):
        if isinstance(value, kind):
            return place, value
    raise ValueError(f"the embedded store sorts by numbers, words, times and truth values, not by {value!r}")


def values_at(document: Any, path: Sequence[str], *, through_last: bool = True) -> list[Any]:
    """Values at a path as MongoDB sees them: through the documents in a list, and of a last list its elements too.

    Where a document has no such field, the value is one that is equal to None only for `matcher`.
    """
    values: list[Any] = []
    _collect(values, document, path, 0, through_last)
    return values


def _collect(values: list[Any], content: Any, path: Sequence[str], place: int, through_last: bool) -> None:
    if place == len(path):
        values.append(content)
        if through_last and isinstance(content, list):
            values += content
    elif isinstance(content, dict):
        if path[place] in content:
            _collect(values, content[path[place]], path, place + 1, through_last)
        else:
            values.append(_MISSING)
    elif isinstance(content, list):
        if path[place].isdigit() and int(path[place]) < len(content):
            _collect(values, content[int(path[place])], path, place + 1, through_last)
        for element in content:
            if isinstance(element, dict):
                _collect(values, element, path, place, through_last)
    else:
        values.append(_MISSING)


def _all_of(criteria: Mapping[str, Any]) -> Test:
    tests = [_test(name, condition) for name, condition in criteria.items()]
    return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)


def _test(name: str, condition: Any) -> Test:
    if not name.startswith("$"):
        return _of_field(name.split("."), condition)
    if name not in {"$and", "$or", "$nor"}:
        raise _unknown(name)
    parts = [_all_of(part) for part in condition]
    if name == "$and":
        return lambda document: all(part(document) for part in parts)
    wanted = name == "$or"
    return lambda document: any(part(document) for part in parts) == wanted


def _of_field(path: Sequence[str], condition: Any) -> Test:
    if not _is_operators(condition):
        return _any(path, _equality(condition))
    tests = [_of_operator(path, name, operand, condition) for name, operand in condition.items() if name != "$options"]
    return lambda document: all(test(document) for test in tests)


def _is_operators(condition: Any) -> bool:
    return isinstance(condition, Mapping) and bool(condition) and next(iter(condition)).startswith("$")


def _of_operator(path: Sequence[str], name: str, operand: Any, condition: Mapping[str, Any]) -> Test:
    opposites = {"$ne": "$eq", "$nin": "$in"}
    if name in opposites:
        return _negated(_of_operator(path, opposites[name], operand, condition))
    if name == "$not":
        return _negated(_of_field(path, operand))
    if name == "$exists":
        return lambda document: any(v is not _MISSING for v in values_at(document, path)) == bool(operand)
    if name == "$all":
        every = [_any(path, _equality(value)) for value in operand]
        return lambda document: bool(every) and all(test(document) for test in every)
    if name in {"$size", "$elemMatch"}:
        of_list = _of_list(name, operand)
        return lambda document: any(map(of_list, values_at(document, path, through_last=False)))
    return _any(path, _of_value(name, operand, condition))


def _of_value(name: str, operand: Any, condition: Mapping[str, Any]) -> Test:
    """Test of one value, of a field or of an element of a list."""
    if name == "$eq":
        return _equality(operand)
    if name == "$in":
        tests = [_equality(value) for value in operand]
        return lambda value: any(test(value) for test in tests)
    if name in _ORDERS:
        return _ordering(name, operand)
    if name == "$regex":
        flags = [getattr(re, option.upper()) for option in condition.get("$options", "") if option in "imsx"]
        pattern = re.compile(operand, sum(flags))
        return lambda value: isinstance(value, str) and pattern.search(value) is not None
    raise _unknown(name)


def _of_list(name: str, operand: Any) -> Test:
    if name == "$size":
        return lambda value: isinstance(value, list) and len(value) == operand
    if _is_operators(operand) and not {*operand} & {"$and", "$or", "$nor"}:
        # of the elements themselves: under a name that they do not have
        whole = _of_field((), operand)
        return lambda value: isinstance(value, list) and any(whole(element) for element in value)
    inside = _all_of(operand)
    return lambda value: isinstance(value, list) and any(map(inside, _documents_in(value)))


def _documents_in(elements: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The documents in a list; a list in a list counts as one whose fields are numbers."""
    for element in elements:
        if isinstance(element, dict):
            yield element
        elif isinstance(element, list):
            yield {str(place): value for place, value in enumerate(element)}


def _any(path: Sequence[str], test: Test) -> Test:
    return lambda document: any(map(test, values_at(document, path)))


def _negated(test: Test) -> Test:
    return lambda document: not test(document)


def _equality(wanted: Any) -> Test:
    if isinstance(wanted, bson.Regex | re.Pattern):
        raise ValueError("the embedded store knows regular expressions as $regex only")
    if wanted is None:
        return lambda value: value is None or value is _MISSING
    return lambda value: _equal(value, wanted)


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are equal in BSON: numbers of all kinds with each other, documents with their order."""
    if _is_number(one) and _is_number(other):
        return bool(one == other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and bool(one == other)


def _ordering(name: str, bound: Any) -> Test:
    """Comparison with a value of the same type, as MongoDB has it; other types are not smaller or larger."""
    compare = _ORDERS[name]
    if _is_number(bound):
        if math.isnan(bound):  # it is as large as itself
            return _equality(bound) if name in {"$gte", "$lte"} else lambda value: False
        return lambda value: _is_number(value) and compare(value, bound)
    kind = next((kind for kind in _COMPARABLE if isinstance(bound, kind)), None)
    if kind is None:
        raise ValueError(f"the embedded store compares numbers, words, times and truth values, not {bound!r}")
    return lambda value: isinstance(value, kind) and compare(value, bound)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unknown(name: str) -> ValueError:
    known = "$eq $ne $in $nin $gt $gte $lt $lte $exists $all $size $elemMatch $regex $not $and $or $nor"
    return ValueError(f"the embedded store does not know {name}; it knows {known}; MongoDB knows more")
