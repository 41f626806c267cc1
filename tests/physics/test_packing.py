import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tachylite.physics.packing import pair_diameters


def test_oxygen_keeps_from_oxygen_and_comes_near_to_phosphorus() -> None:
    symbols, diameters = pair_diameters({"Li": 36, "P": 12, "O": 48}, 96 * 11.3)
    assert symbols == ["Li", "O", "P"]
    oxygen, phosphorus = symbols.index("O"), symbols.index("P")
    assert diameters[oxygen, oxygen] == pytest.approx(0.85 * 2.8)
    assert diameters[phosphorus, oxygen] == pytest.approx(1.07 + 0.66)


def test_an_element_by_itself_is_covalent_and_a_noble_gas_is_not() -> None:
    assert pair_diameters({"S": 10}, 1000)[1].item() == pytest.approx(2 * 1.05)
    assert pair_diameters({"Ar": 10}, 1000)[1].item() == pytest.approx(0.85 * 3.76)


def test_the_cation_of_one_compound_is_the_anion_of_another() -> None:
    oxide = pair_diameters({"S": 10, "O": 30}, 4000)
    sulfide = pair_diameters({"Na": 20, "S": 10}, 3000)
    assert oxide[1][1, 1] == pytest.approx(2 * 1.05)
    assert sulfide[1][1, 1] == pytest.approx(0.85 * 3.68)


@given(
    st.dictionaries(st.sampled_from(["H", "Li", "O", "P", "S", "Cu", "Cs", "Ar"]), st.integers(1, 50), min_size=1),
    st.floats(0.1, 1000),
)
def test_spheres_fill_at_most_half(counts: dict[str, int], volume_per_atom: float) -> None:
    total = sum(counts.values())
    symbols, diameters = pair_diameters(counts, total * volume_per_atom)
    fractions = np.array([counts[symbol] / total for symbol in symbols])
    assert np.allclose(diameters, diameters.T)
    assert np.pi / 6 / volume_per_atom * fractions @ diameters**3 @ fractions <= 0.5 + 1e-9
