"""Random documents, and criteria as this package asks them, for comparing stores with MongoDB."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

type Criteria = dict[str, Any]

WORDS = st.sampled_from(["", "Li2O", "NaCl", "completed", "failed", "Straße", "a\0b"])
NUMBERS = st.sampled_from([0, 1, 2, 2.0, -1.5, 2.5, 10**12, float("nan")])
TIMES = st.integers(0, 3).map(lambda hours: datetime(2026, 1, 1) + timedelta(hours=hours))
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans(), st.none(), TIMES)
LISTS = st.lists(st.one_of(SCALARS, st.lists(NUMBERS, max_size=2)), max_size=3)


def a_document_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """With any of the fields, each of which may be missing, or hold anything else than it should."""
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(field, SCALARS, LISTS) for name, field in fields.items()}
    )


MEASURED = a_document_of(value=NUMBERS, error=NUMBERS)
RESULTS = st.lists(
    st.one_of(
        a_document_of(kind=WORDS, name=WORDS, step=WORDS, temperature_k=NUMBERS, density_g_cm3=MEASURED), SCALARS
    ),
    max_size=3,
)
OUTPUTS = a_document_of(
    kind=WORDS,
    status=WORDS,
    formula=WORDS,
    material_id=WORDS,
    elements=st.lists(WORDS, max_size=3),
    n_atoms=NUMBERS,
    created_at=TIMES,
    results=RESULTS,
    other=a_document_of(inside=SCALARS),
    runs=st.lists(st.one_of(a_document_of(kind=WORDS, trajectory_id=WORDS), st.none()), max_size=3),
)
DOCUMENTS = a_document_of(
    name=WORDS, metadata=a_document_of(campaign=WORDS), output=st.one_of(OUTPUTS, st.lists(OUTPUTS, max_size=2))
)

PATHS = st.sampled_from(
    [
        *("name", "metadata.campaign", "output", "output.kind", "output.status", "output.formula", "output.elements"),
        *("output.material_id", "output.n_atoms", "output.results", "output.results.name", "output.runs.kind"),
        *("output.results.temperature_k", "output.results.density_g_cm3.value", "output.results.density_g_cm3"),
        *("output.other", "output.other.inside", "output.created_at", "output.runs.trajectory_id", "absent"),
    ]
)
COMPARABLE = st.one_of(WORDS, NUMBERS, st.booleans(), TIMES)
ORDERS = st.sampled_from(["$gt", "$gte", "$lt", "$lte"])
OPERATORS = st.one_of(
    st.tuples(ORDERS, COMPARABLE),
    st.tuples(st.sampled_from(["$eq", "$ne"]), st.one_of(SCALARS, LISTS)),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=3)),
    st.tuples(st.just("$in"), st.lists(WORDS, min_size=1, max_size=3)),
    st.tuples(st.just("$all"), st.lists(SCALARS, max_size=2)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$size"), st.integers(0, 3)),
    st.tuples(st.just("$regex"), st.sampled_from(["^Li", "l$", "a", "^$"])),
)
CONDITIONS = st.lists(OPERATORS, min_size=1, max_size=2).map(dict)
INSIDE = st.dictionaries(
    st.sampled_from(["kind", "name", "density_g_cm3.value", "temperature_k"]),
    st.one_of(SCALARS, CONDITIONS),
    min_size=1,
    max_size=2,
)
OF_FIELDS = st.one_of(
    st.tuples(PATHS, st.one_of(SCALARS, LISTS, CONDITIONS, CONDITIONS.map(lambda condition: {"$not": condition}))),
    st.tuples(st.just("output.results"), st.one_of(INSIDE, CONDITIONS).map(lambda inside: {"$elemMatch": inside})),
).map(lambda field: dict([field]))
CRITERIA: st.SearchStrategy[Criteria] = st.recursive(
    OF_FIELDS,
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda parts: parts[0] | parts[1]),
        st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(part, min_size=1, max_size=3)).map(
            lambda pair: dict([pair])
        ),
    ),
    max_leaves=4,
)
SORTABLE = st.dictionaries(
    st.sampled_from(["name", "output.other.inside", "output.n_atoms", "output.results.temperature_k"]),
    st.sampled_from([1, -1]),
    max_size=2,
)
"""Orders that a store sorts by."""
