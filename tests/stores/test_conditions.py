from typing import Any

import pytest

from tachylite.errors import InputError
from tachylite.stores.conditions import parse_condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("melt.density_g_cm3.value>2.5", {"output.melt.density_g_cm3.value": {"$gt": 2.5}}),
        ("melt.density_g_cm3.value <= 3e0", {"output.melt.density_g_cm3.value": {"$lte": 3.0}}),
        ("n_atoms=96", {"output.n_atoms": {"$eq": 96.0}}),
        ("melt.diffusivities.diffusivity_cm2_s>=1e-5", {"output.melt.diffusivities.diffusivity_cm2_s": {"$gte": 1e-5}}),
        ("melt.diffusivities.diffusive = true", {"output.melt.diffusivities.diffusive": {"$eq": True}}),
        ("provenance.device != 'cpu'", {"output.provenance.device": {"$ne": "cpu"}}),
        ("provenance.versions.torch=2.13.0", {"output.provenance.versions.torch": {"$eq": "2.13.0"}}),
    ],
)
def test_a_condition_becomes_a_query(text: str, expected: dict[str, Any]) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dense", "is not PATH SIGN VALUE"),
        ("melt.density_g_cm3.value>", "is not PATH SIGN VALUE"),
        ("$where=1", "is not PATH SIGN VALUE"),
        ("melt.$ne>1", "is not PATH SIGN VALUE"),
        ("melt.density.value>2", "melt has no 'density'; did you mean 'density_g_cm3'?"),
        ("colour=red", "a material has no 'colour'"),
        ("melt.density_g_cm3>2", "density_g_cm3 has parts: value, error"),
        ("n_atoms>many", "compares with 'many', which is not a number"),
    ],
)
def test_other_conditions_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_condition(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
