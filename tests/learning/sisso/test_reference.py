"""Against the reference code, SISSO 3.5 in Fortran (Ouyang et al. 2018), on the data of Zheng et al. 2024.

Features constructed by it are given here as its output has them, with all units 1 as in that run.
"""

import tracemalloc

import numpy as np
import pytest
from tests.reference_data import reference

from tachylite.arrays import Array
from tachylite.learning.sisso import SissoModel, SissoSettings, fit_sisso
from tachylite.learning.sisso.expression import parse_expression

FILE = reference("zheng2024/train_target_lnD_kbT.dat")
TWELVE = (
    *("PF", "RNC", "LLB", "SPF", "LNC", "Li_percentage"),
    *("SNC", "avg_B_with_Li", "atomic_radius_avg", "AAV", "SDLC", "inverse_kbT"),
)

pytestmark = pytest.mark.reference("zheng2024/train_target_lnD_kbT.dat")


@pytest.fixture(scope="module")
def columns() -> dict[str, Array]:
    names = FILE.read_text().split("\n", 1)[0].split()[1:]
    table = np.loadtxt(FILE, skiprows=1, usecols=range(1, len(names) + 1))
    return dict(zip(names, table.T, strict=True))


def fit(columns: dict[str, Array], names: tuple[str, ...], settings: SissoSettings) -> tuple[SissoModel, ...]:
    features = np.stack([columns[name] for name in names], axis=1)
    return fit_sisso(features, columns["lnD"], names, ["1"] * len(names), settings)


def assert_is(model: SissoModel, rmse: float, max_ae: float, intercept: float, terms: dict[str, float]) -> None:
    """The same model to the digits given; the reference may write a difference the other way round."""
    assert model.rmse == pytest.approx(rmse, abs=1e-6)
    assert model.max_ae == pytest.approx(max_ae, abs=1e-6)
    assert model.intercept == pytest.approx(intercept, rel=1e-6)
    expected = {parse_expression(text).text: coefficient for text, coefficient in terms.items()}
    coefficients = {d.text: c for d, c in zip(model.descriptors, model.coefficients, strict=True)}
    assert coefficients == pytest.approx(expected, rel=1e-6)


def test_plain_features(columns: dict[str, Array]) -> None:
    """All 43 columns: the exact L0 model of every dimension."""
    names = tuple(name for name in columns if name != "lnD")
    one, two, three, four = fit(columns, names, SissoSettings(dimension=4, rung=0, subspace=43))
    assert len(names) == 43
    assert one.rmse == pytest.approx(0.747078, abs=1e-6)
    assert {d.text for d in one.descriptors} == {"inverse_kbT"}
    assert two.rmse == pytest.approx(0.493402, abs=1e-6)
    assert two.intercept == pytest.approx(-3.6565390, abs=1e-7)
    coefficients = dict(zip((d.text for d in two.descriptors), two.coefficients, strict=True))
    assert coefficients == pytest.approx({"inverse_kbT": -0.3279301, "LNC": -0.1103638}, abs=1e-7)
    assert three.rmse == pytest.approx(0.397359, abs=1e-6)
    assert {d.text for d in three.descriptors} == {"inverse_kbT", "LNC", "Li_percentage"}
    assert_is(
        four,
        *(0.3645380858, 2.113525694, -3.550389618),
        {"inverse_kbT": -0.3339406718, "LNC": -0.1064562223, "LLB": 0.1124328014, "PF": -1.946232403},
    )


def test_one_rung_of_operators(columns: dict[str, Array]) -> None:
    names = tuple(name for name in columns if name != "lnD")
    one, two, three = fit(columns, names, SissoSettings(dimension=3, rung=1, subspace=20, complexity=1))
    assert_is(one, 0.4960240044, 2.263158117, -5.198685704, {"inverse_kbT / atomic_radius_avg": -0.4390466355})
    assert_is(
        two,
        *(0.3998600383, 2.195978717, -4.142977472),
        {"inverse_kbT / atomic_radius_avg": -0.4390984760, "PF + SPF": -1.499547107},
    )
    assert_is(
        three,
        *(0.3536104056, 2.302702930, -8.486046992),
        {
            "inverse_kbT / AAV": -3.185413533,
            "BR5_M_without_Li - inverse_kbT": 0.1384720348,
            "np.exp(-SPF)": 3.625468808,
        },
    )


def test_two_rungs_of_operators(columns: dict[str, Array]) -> None:
    """250,000 features of twelve columns."""
    operators = ("+", "*", "/", "exp", "exp-", "^-1", "^2", "^3", "log", "^6")
    settings = SissoSettings(dimension=3, rung=2, subspace=20, operators=operators)
    one, two, three = fit(columns, TWELVE, settings)
    first = "PF * inverse_kbT / (SPF + Li_percentage)"
    assert_is(one, 0.3875442915, 2.385097435, -5.260879429, {first: -0.5004001768})
    assert_is(
        two,
        *(0.3339083401, 1.998383768, -4.295456778),
        {first: -0.4727243463, "(RNC + Li_percentage) / (LLB + AAV)": -17.58084652},
    )
    assert_is(
        three,
        *(0.3127058365, 2.124254861, -5.461762251),
        {
            first: -0.2813574050,
            "(RNC + SPF) * (inverse_kbT / AAV)": -1.785157713,
            "SPF / SNC * LLB**6": 1.496832223e-05,
        },
    )


def test_differences_of_either_sign(columns: dict[str, Array]) -> None:
    one, two, three = fit(columns, TWELVE, SissoSettings(dimension=3, rung=2, subspace=20))
    first = "(atomic_radius_avg - Li_percentage) * (inverse_kbT / AAV)"
    third = "avg_B_with_Li * inverse_kbT / RNC**6"
    assert_is(one, 0.3624101174, 2.217691367, -5.467462079, {first: -6.803772179})
    assert_is(two, 0.3288805910, 2.061308713, -5.503816496, {first: -7.226302537, third: 0.6701334735e-3})
    assert_is(
        three,
        *(0.3135071218, 1.976606460, -5.457283386),
        {first: -5.534698418, "atomic_radius_avg - SPF - np.log(inverse_kbT)": 0.6716342532, third: 0.5675137074e-3},
    )


@pytest.mark.slow
def test_absolute_differences_and_roots(columns: dict[str, Array]) -> None:
    operators = ("+", "-", "|-|", "*", "/", "exp", "exp-", "^-1", "^2", "sqrt")
    one, two, three = fit(columns, TWELVE, SissoSettings(dimension=3, rung=2, subspace=20, operators=operators))
    first = "(Li_percentage - atomic_radius_avg) * (inverse_kbT / AAV)"
    assert_is(one, 0.3624101174, 2.217691367, -5.467462079, {first: 6.803772179})
    assert_is(
        two,
        *(0.3294127583, 2.076011371, -6.097862972),
        {first: 6.414370588, "np.abs(atomic_radius_avg / RNC - inverse_kbT / avg_B_with_Li)": 0.5147470149},
    )
    assert_is(
        three,
        *(0.3195858029, 1.949120247, -5.962013105),
        {
            first: 5.226558959,
            "atomic_radius_avg / PF - inverse_kbT / atomic_radius_avg": 0.1046547441,
            "np.abs(SPF / Li_percentage - np.sqrt(avg_B_with_Li))": 0.0561076785,
        },
    )


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_features(columns: dict[str, Array]) -> None:
    """Two rungs over all columns: 20 million candidates, which would fill 130 GB."""
    names = tuple(name for name in columns if name != "lnD")
    settings = SissoSettings(dimension=1, rung=2, subspace=50, operators=("+", "*", "/", "exp", "^2", "log"))
    tracemalloc.start()
    try:
        (model,) = fit(columns, names, settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6e8
    assert model.rmse < 0.3875442916
