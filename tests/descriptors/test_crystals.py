"""Descriptors of crystals against numbers derived by hand."""

from math import pi, sqrt

import pytest
from ase import Atoms
from tests.descriptors.crystals import anti_rhenium_oxide, antifluorite, caesium_chloride, descriptors_of, rock_salt

from tachylite.descriptors.registry import DESCRIPTORS
from tachylite.errors import InputError

R_LI, R_O, R_F, R_S, R_CL, R_TL = 1.28, 0.66, 1.19, 1.05, 1.02, 1.45
"""Radii: Cordero's covalent ones, and Shannon's crystal radius of the anion F."""


def ball(radius: float) -> float:
    return 4 / 3 * pi * radius**3


def lens(r1: float, r2: float, distance: float) -> float:
    """Volume that two spheres share."""
    return float(
        pi * (r1 + r2 - distance) ** 2 * (distance**2 + 2 * distance * (r1 + r2) - 3 * (r1 - r2) ** 2) / (12 * distance)
    )


def check(atoms: Atoms, expected: dict[str, float]) -> None:
    descriptors = descriptors_of(atoms)
    assert {name: descriptors[name].mean for name in expected} == pytest.approx(expected, rel=1e-9)


def test_rock_salt() -> None:
    # within 4 A: 6 unlike at a/2 = 2.565, 12 like at a/sqrt 2 = 3.627; then a sqrt(3)/2 = 4.443
    # spheres: Li + Cl reach 2.30 < 2.565, no two touch
    # the straight way along [110] to the next Li passes two Cl at its middle, a/sqrt 8 away
    a, delta = 5.13, 3.16 - 0.98
    check(
        rock_salt(a),
        {
            "AAV": a**3 / 8,
            "VPA": a**3 / 4,
            "density": 1.66053906660 * 4 * (6.941 + 35.453) / a**3,
            "LNC": 18,
            "SNC": 18,
            "RNC": 1,
            "LLB": 12,
            "SDLC": 0,
            "LBI": delta / 3,
            "SBI": delta / 3,
            "RBI": 1,
            # one third of the 72 bonds has delta, two thirds have 0
            "SDLI": delta * sqrt(1 / 3 * 2 / 3 * 72 / 71),
            "ENS": 3.16,
            "AFC": 12,
            "AASD": a / sqrt(2),
            "LASD": a / 2,
            "LLSD": a / sqrt(2),
            "PF": 4 * (ball(R_LI) + ball(R_CL)) / a**3,
            "SPF": 4 * ball(R_CL) / a**3,
            "SLPW": a / sqrt(8) - R_CL,
            "SLPW_pp": a / sqrt(8),
            "SLPE": 3.16,
            "Li_percentage": 0.5,
            "avg_diff_of_X_Li_rest": 0.5 * delta,
        },
    )


def test_antifluorite() -> None:
    # Li: 4 O at a sqrt(3)/4 = 2.013, 12 O at a sqrt(11)/4 = 3.856, 6 Li at a/2, 12 Li at a/sqrt 2 = 3.288;
    # 8 more Li at a sqrt(3)/2 = 4.027. O: 8 Li, 24 Li, 12 O at a/sqrt 2
    # Li spheres overlap along the cube edges (2.325 < 2.56) in pairs: three would need 1.644; O and Li do not
    # the way along an edge passes two O at a sqrt(2)/4 = 1.644, whose spheres are nearer than those of Li
    a, delta = 4.65, 3.44 - 0.98
    overlap = 24 * lens(R_LI, R_LI, a / 2)
    check(
        antifluorite(a),
        {
            "AAV": a**3 / 12,
            "VPA": a**3 / 4,
            "LNC": 34,
            "SNC": 44,
            "RNC": 34 / 44,
            "LLB": 18,
            "LBI": delta * 16 / 34,
            "SBI": delta * 32 / 44,
            "RBI": (16 / 34) / (32 / 44),
            "AFC": 12,
            "AASD": a / sqrt(2),
            "LASD": a * sqrt(3) / 4,
            "LLSD": a / 2,
            "PF": (8 * ball(R_LI) + 4 * ball(R_O) - overlap) / a**3,
            "SPF": 4 * ball(R_O) / a**3,
            "SLPW": a * sqrt(2) / 4 - R_O,
            "SLPW_pp": a * sqrt(2) / 4,
            "SLPE": 3.44,
        },
    )


def test_a_cell_smaller_than_the_cutoff_sees_its_own_images() -> None:
    # 8 unlike at a sqrt(3)/2 = 2.970, 6 images of itself at a = 3.43; then a sqrt 2 = 4.851 > a + 1
    # spheres: Li + Tl reach 2.73 < 2.970; Tl + Tl reach 2.90 < 3.43
    a, delta = 3.43, 1.62 - 0.98
    check(
        caesium_chloride(a),
        {
            "LNC": 14,
            "LLB": 6,
            "SDLC": 0,
            "LBI": delta * 8 / 14,
            "AFC": 6,
            "AASD": a,
            "LASD": a * sqrt(3) / 2,
            "LLSD": a,
            "PF": (ball(R_LI) + ball(R_TL)) / a**3,
            "SLPW": a / sqrt(2) - R_TL,
            "SLPW_pp": a / sqrt(2),
            "SLPE": 1.62,
        },
    )


def test_ionic_bonds_give_ionic_radii() -> None:
    # F: 6 Li at a/2 = 2.05 and nothing else below a = 4.1, mean difference 3.0 > 2: ionic
    # Li: 2 F at a/2, 8 Li at a/sqrt 2 = 2.899, mean 0.6: covalent; F and Li overlap, in pairs
    a = 4.1
    union = ball(R_F) + 3 * ball(R_LI) - 6 * lens(R_F, R_LI, a / 2)
    check(anti_rhenium_oxide(a), {"PF": union / a**3, "SPF": ball(R_F) / a**3, "SBI": 3.0, "LBI": 0.6, "LNC": 10})


def test_a_path_through_a_sphere_has_no_width() -> None:
    # half way between two Li sits an atom
    line = Atoms("Li2S", positions=[(1, 0, 0), (4, 0, 0), (2.5, 0, 0)], cell=[9, 6, 6], pbc=True)
    assert descriptors_of(line)["SLPW"].mean == 0
    assert descriptors_of(line)["SLPW_pp"].mean == pytest.approx(0, abs=1e-12)
    assert descriptors_of(line, convention="zheng2024")["SLPW"].mean == pytest.approx(-R_S)


def test_published_paths_that_leave_the_cell_meet_their_own_end() -> None:
    # 3 A from Li to Li along x, N 1.6 A and O 2 A beside the middle of it
    beside = [(1, 0, 0), (4, 0, 0), (2.5, 1.6, 0), (2.5, 0, 2)]
    line = Atoms("Li2NO", positions=beside, cell=[9, 8, 8], pbc=True)
    ours = descriptors_of(line)
    assert ours["SLPW_pp"].mean == pytest.approx(1.6)
    assert descriptors_of(line, convention="zheng2024")["SLPW_pp"].mean == pytest.approx(1.6)
    line.positions[:, 0] += 6.5  # now the border of the cell lies between the two
    for name in ("SLPW", "SLPW_pp", "SLPE"):
        assert descriptors_of(line)[name].mean == pytest.approx(ours[name].mean)
    across = descriptors_of(line, convention="zheng2024")
    assert across["SLPW"].mean == pytest.approx(-R_LI)
    assert across["SLPW_pp"].mean == pytest.approx(0, abs=1e-12)
    assert across["SLPE"].mean == pytest.approx(0.98)


def test_another_species_may_move() -> None:
    sodium = rock_salt(5.64)
    sodium.symbols[sodium.symbols == "Li"] = "Na"
    descriptors = descriptors_of(sodium, "Na")
    assert descriptors["LNC"].mean == 18
    assert descriptors["LBI"].mean == pytest.approx((3.16 - 0.93) / 3)
    assert descriptors["avg_m_with_Li"].mean == pytest.approx((22.98976928 + 35.453) / 2)
    assert tuple(descriptors.values) == tuple(DESCRIPTORS)


def test_the_published_arithmetic() -> None:
    # Li3F: the anion is still F; the spheres are added up, the bond ionicity divided by one bond less
    a = 4.1
    descriptors = descriptors_of(anti_rhenium_oxide(a), convention="zheng2024")
    assert descriptors["PF"].mean == pytest.approx((ball(R_F) + 3 * ball(R_LI)) / a**3)
    assert descriptors["LBI"].mean == pytest.approx(0.6 * 30 / 29)
    # six F in the shell up to 5.1 A, all at a
    assert descriptors["AASD"].mean == pytest.approx(a)


def test_the_anion() -> None:
    oxide = Atoms("LiSiO", positions=[(0, 0, 0), (2, 0, 0), (0, 2, 0)], cell=[4, 4, 4], pbc=True)
    assert descriptors_of(oxide).anion == "O"
    assert descriptors_of(oxide, convention="zheng2024").anion == "Si"
    assert descriptors_of(oxide, anion="Si").anion == "Si"
    # less electronegative than lithium, and still what there is
    assert descriptors_of(Atoms("LiNa", positions=[(0, 0, 0), (2, 2, 2)], cell=[4, 4, 4], pbc=True)).anion == "Na"


@pytest.mark.parametrize(
    ("atoms", "options", "message"),
    [
        (
            Atoms("NaCl", positions=[(0, 0, 0), (2, 0, 0)], cell=[4, 4, 4]),
            {},
            "there is no Li; the elements are Cl, Na",
        ),
        (Atoms("Li2", positions=[(0, 0, 0), (1.7, 1.7, 1.7)], cell=[3.5, 3.5, 3.5]), {}, "all atoms are Li"),
        (Atoms("Li", positions=[(0, 0, 0)], cell=[3, 3, 3]), {}, "all atoms are Li: there is no anion"),
        (Atoms("LiH", positions=[(0, 0, 0), (2, 0, 0)], cell=[4, 4, 4]), {}, "no bulk modulus of H"),
        (Atoms("LiAr", positions=[(0, 0, 0), (2, 0, 0)], cell=[4, 4, 4]), {}, "no bulk modulus of Ar"),
        (Atoms("LiCm", positions=[(0, 0, 0), (2, 0, 0)], cell=[4, 4, 4]), {}, "Cm"),
        (Atoms("LiCl", positions=[(0, 0, 0), (9, 9, 9)], cell=[20, 20, 20]), {}, "no Li has a neighbour within 4 A"),
        (rock_salt(), {"anion": "Li"}, "the anion cannot be Li; the elements besides Li are Cl"),
        (rock_salt(), {"anion": "O"}, "the anion cannot be O"),
        (Atoms("LiCl", positions=[(0, 0, 0), (2, 0, 0)]), {}, "a cell has no volume"),
    ],
)
def test_what_cannot_be_described(atoms: Atoms, options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        descriptors_of(atoms, anion=options.get("anion"))
    assert "\n" not in str(raised.value)
