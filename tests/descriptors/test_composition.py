"""Descriptors of the formula alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.descriptors.composition import choose_anion, compute_composition_descriptors
from tachylite.descriptors.registry import DESCRIPTORS
from tachylite.errors import InputError


def test_lithium_oxide_by_hand() -> None:
    # Li: B 14, G 4, R 1.45, m 6.941, chi 0.98; O: B 6, G 2, R 0.6, m 15.9994, chi 3.44
    values = compute_composition_descriptors({"Li": 2, "O": 1})
    bulk, radius, mass = (28 + 6) / 3, (2.9 + 0.6) / 3, (13.882 + 15.9994) / 3
    assert values["avg_B_with_Li"] == pytest.approx(bulk)
    assert values["avg_G_wiout_Li"] == pytest.approx(2)
    assert values["ratio_r_without_Li_with"] == pytest.approx(0.6 / radius)
    assert values["BR5_M_with_Li"] == pytest.approx(radius**2 * (bulk * radius / mass) ** 0.5)
    assert values["ER2_m_without_Li"] == pytest.approx((3.414515729 * 0.6**2 / 15.9994) ** 0.5)
    assert values["avg_diff_of_X_Li_rest"] == pytest.approx(2 / 3 * (3.44 - 0.98))


def test_every_composition_column_is_there() -> None:
    columns = [name for name, descriptor in DESCRIPTORS.items() if descriptor.of == "composition"]
    assert sorted(compute_composition_descriptors({"Li": 1, "Cl": 1})) == sorted(columns)


@given(st.floats(0.01, 0.99), st.floats(0.1, 50))
def test_only_ratios_count_and_means_lie_between(share: float, scale: float) -> None:
    values = compute_composition_descriptors({"Na": share, "Cl": 1 - share}, "Na")
    scaled = compute_composition_descriptors({"Na": share * scale, "Cl": (1 - share) * scale}, "Na")
    assert scaled == pytest.approx(values)
    assert 0.93 <= values["avg_X_with_Li"] <= 3.16
    assert values["avg_X_wiout_Li"] == 3.16


def test_every_descriptor_has_unit_definition_and_source() -> None:
    assert len(DESCRIPTORS) == 43
    for name, descriptor in DESCRIPTORS.items():
        assert name == descriptor.name
        assert descriptor.unit
        assert descriptor.definition.endswith(".")
        assert descriptor.source.startswith("10.")


def test_the_anion_is_the_most_electronegative_other_element() -> None:
    assert choose_anion({"Li": 1, "P": 1, "F": 6}) == "F"
    assert choose_anion({"Li": 1, "P": 1, "F": 6}, convention="zheng2024") == "P"
    # equal electronegativities, 1.9: Re and Cu
    assert choose_anion({"Re": 1, "Li": 1, "Cu": 1}) == "Cu"


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"Na": 1, "Cl": 1}, "there is no Li among Na, Cl; name the mobile species"),
        ({}, "there is no Li among no elements"),
        ({"Li": 4}, "all atoms are Li"),
        ({"Li": 1, "Cl": -1}, "not all positive"),
        ({"Li": 1, "Cl": float("nan")}, "not all positive"),
        ({"Li": 1, "He": 1}, "no bulk modulus of He is in the tables"),
        ({"Li": 1, "Po": 1}, "no bulk modulus of Po is in the tables"),
    ],
)
def test_bad_compositions(counts: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compute_composition_descriptors(counts)
