"""Step `relax`: which states are relaxed, and energies above elements and crystal against numbers by hand."""

from pathlib import Path

import pytest
from tests.flows.fake_engine import (
    AMORPHOUS_EV,
    NEXT_EV,
    fresh_engine,
    lineage,
    start_state,
)
from tests.flows.steps.step_samples import make, protocol_of, references, results, searched, starts

from tachylite.flows.steps.base import Inputs
from tachylite.flows.steps.relax import RelaxMaker

GLASS = {"kind": "relax", "name": "glass"}
AFTER_SEARCH = protocol_of({"kind": "volume", "name": "search", "temperature_k": 3000}, GLASS)


@pytest.mark.parametrize("batches", [True, False])
def test_every_state_is_relaxed_and_gaps_stay_in_their_places(tmp_path: Path, batches: bool) -> None:
    engine = fresh_engine(batches=batches)
    argon, alloy = starts()
    sources = [searched(argon), searched(None), searched(alloy)]
    first, gap, last = results(make(RelaxMaker, "glass", AFTER_SEARCH, engine), Inputs([sources]), tmp_path)
    assert [(label, relax_cell) for label, _, relax_cell in engine.relaxed] == [("glass", True)] * 2
    assert [state.velocities for _, state, _ in engine.relaxed] == [None, None]
    assert [lineage(result.final) for result in (first, last)] == [("argon", "glass"), ("alloy", "glass")]
    assert (gap.status, gap.reason, gap.relaxation, gap.final) == ("skipped", "search: a vapour", None, None)
    # three atoms of 63.546, 63.546 and 91.224 u in 125 A^3
    assert last.density_g_cm3 == pytest.approx((2 * 63.546 + 91.224) / 125 * 1.660539, rel=1e-5)
    assert last.formation_energy_ev_per_atom is None, "no references were given"


def test_a_fixed_cell_is_asked_for_as_such(tmp_path: Path) -> None:
    engine = fresh_engine()
    maker = make(RelaxMaker, "glass", protocol_of(GLASS | {"relax_cell": False}), engine)
    results(maker, Inputs([starts()]), tmp_path)
    assert [relax_cell for _, _, relax_cell in engine.relaxed] == [False, False]


def test_energies_are_above_the_elements_and_the_crystal_of_the_member(tmp_path: Path) -> None:
    above = references(argon=-0.11, alloy=-5.9)
    maker = make(RelaxMaker, "glass", protocol_of(GLASS), fresh_engine())
    argon, alloy = results(maker, Inputs([starts()], (), above), tmp_path)
    assert argon.relaxation.energy_ev_per_atom == pytest.approx(-0.08 + 0.10)
    assert argon.formation_energy_ev_per_atom == pytest.approx(0.10)
    assert argon.above_crystal_ev_per_atom == pytest.approx(-0.08 + 0.10 + 0.11)
    # 2/3 of -3.7 eV and 1/3 of -8.5 eV
    assert alloy.relaxation.energy_ev_per_atom == pytest.approx(-5.3 + 0.11)
    assert alloy.formation_energy_ev_per_atom == pytest.approx(0.11)
    assert alloy.above_crystal_ev_per_atom == pytest.approx(-5.3 + 0.11 + 5.9)


def test_a_member_without_a_crystal_has_no_energy_above_one(tmp_path: Path) -> None:
    above = references(argon=None, alloy=-5.9)
    maker = make(RelaxMaker, "glass", protocol_of(GLASS), fresh_engine())
    argon, alloy = results(maker, Inputs([starts()], (), above), tmp_path)
    assert argon.above_crystal_ev_per_atom is None
    assert argon.formation_energy_ev_per_atom == pytest.approx(AMORPHOUS_EV)
    assert alloy.above_crystal_ev_per_atom == pytest.approx(-5.3 + AMORPHOUS_EV + NEXT_EV + 5.9)


def test_what_does_not_settle_is_a_failure_beside_a_good_one(tmp_path: Path) -> None:
    engine = fresh_engine(fails=["Ar: glass"])
    failed, completed = results(make(RelaxMaker, "glass", protocol_of(GLASS), engine), Inputs([starts()]), tmp_path)
    assert (failed.status, failed.reason, failed.final) == ("failed", "it never settled", None)
    assert failed.relaxation.status == "failed", "what was reached is kept"
    assert (failed.density_g_cm3, failed.formation_energy_ev_per_atom) == (None, None)
    assert completed.status == "completed"


def test_there_is_no_molecular_dynamics_in_it() -> None:
    maker = make(RelaxMaker, "glass", protocol_of(GLASS), fresh_engine())
    assert maker.first_request(start_state(["Ar"], "argon")) is None


def test_what_has_dispersed_is_no_solid(tmp_path: Path) -> None:
    maker = make(RelaxMaker, "glass", protocol_of(GLASS), fresh_engine())
    dense, gas = starts()[0], starts()[0].scaled_to(40_000)
    kept, apart = results(maker, Inputs([[dense, gas]]), tmp_path)
    assert (kept.status, apart.status, apart.final) == ("completed", "failed", None)
    assert str(apart.reason).startswith("is no solid: its volume is ")
    assert apart.formation_energy_ev_per_atom is None
