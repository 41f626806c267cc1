import bson
import numpy as np
import pytest

from tachylite.configs import load_protocol
from tachylite.errors import InputError
from tachylite.launchers.cohorts import DEFAULT_COHORT, LARGEST_DOCUMENT, bytes_per_member, split
from tachylite.schemas import Measured, Protocol, State
from tachylite.schemas.steps.volume import Search, VolumeSample, VolumeSearch

ZHENG = load_protocol("zheng2024")
QUICK = load_protocol("quickstart")


def worst_case(protocol: Protocol, n_atoms: int) -> int:
    """Bytes of the searches of one member after the last round that they may take."""
    values = np.random.default_rng(1).normal(size=(n_atoms, 3)).tolist()
    state = State(numbers=[26] * n_atoms, positions=values, velocities=values, cell=values[:3])
    measured = Measured(value=1 / 3, error=1 / 7)
    sample = VolumeSample(
        volume_a3=1 / 3,
        pressure_gpa=measured,
        virial_gpa=measured,
        temperature_k=measured,
        energy_ev_per_atom=measured,
        energy_drift=1 / 3,
        steps=1000,
        attempt=3,
        purpose="verification",
        expanded=True,
    )
    settings = protocol.step("anneal-volume")
    assert isinstance(settings, VolumeSearch)
    runs = len(settings.fractions) + settings.max_attempts
    search = Search(label="volume", temperature_k=1000, start=state, samples=[sample] * runs, states=[state] * runs)
    return len(bson.encode({"searches": [search.model_dump() for _ in settings.temperature_k]}))


@pytest.mark.parametrize("protocol", [ZHENG, QUICK])
@pytest.mark.parametrize("n_atoms", [32, 100, 300])
def test_the_estimate_is_above_what_a_search_really_takes(protocol: Protocol, n_atoms: int) -> None:
    found = worst_case(protocol, n_atoms)
    assert found <= 1.1 * bytes_per_member(protocol, n_atoms) <= 4 * found + 400_000


def test_a_thousand_formulas_become_cohorts_of_what_fits() -> None:
    formulas = [f"Li{n}O" for n in range(1, 1001)]
    cohorts = split(formulas, [100] * 1000, ZHENG, None)
    assert [formula for cohort in cohorts for formula in cohort] == formulas
    assert len(cohorts[0]) * bytes_per_member(ZHENG, 100) <= LARGEST_DOCUMENT
    assert len(split(formulas, [32] * 1000, QUICK, None)[0]) <= DEFAULT_COHORT
    assert [len(cohort) for cohort in split(formulas[:5], [32] * 5, QUICK, 2)] == [2, 2, 1]


def test_what_would_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"a cohort of 500 may need .* MB and databases take 16; with this .* \d+ fit"):
        split(["Li2O"] * 500, [100] * 500, ZHENG, 500)
    with pytest.raises(InputError, match="one member of 50000 atoms may need"):
        split(["Li2O"], [50_000], ZHENG, None)
