"""Steps that end in a crystal where a melt or glass was to be: failed, and without energies that others would use."""

from inspect import unwrap
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from tests.flows.fake_engine import fresh_engine
from tests.flows.steps.step_samples import make, protocol_of, references, searched, simulated

from tachylite.flows.steps.base import DynamicsMaker
from tachylite.flows.steps.hold import HoldMaker
from tachylite.flows.steps.ramp import RampMaker
from tachylite.flows.steps.relax import RelaxMaker, analyse_relaxations
from tachylite.flows.steps.snapshots import SnapshotsMaker, analyse_snapshots
from tachylite.flows.steps.volume import VolumeMaker, _conclude, _search
from tachylite.jobs.material import gather_material
from tachylite.schemas import Measured, State
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.volume import VolumeSample

PROTOCOL = protocol_of(
    {"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.1},
    {"kind": "ramp", "name": "quench", "temperature_k": 300, "time_ps": 0.1, "hold_ps": 0.1},
    {"kind": "relax", "name": "glass"},
    {"kind": "snapshots", "name": "limit", "from": "melt", "count": 3, "interval_ps": 0.03},
)


def crystal() -> State:
    return State.from_atoms(bulk("Cu", "fcc", 3.6, cubic=True) * (2, 2, 3))


def gas() -> State:
    state = crystal()
    positions = np.random.default_rng(0).random((len(state.numbers), 3)) @ np.array(state.cell)
    return state.model_copy(update={"positions": positions.tolist()})


def relaxed(state: State, energy: float = -3.6) -> Relaxation:
    (relaxation,) = fresh_engine().relax([state], Path(), relax_cell=True, labels=["glass"])
    return relaxation.model_copy(update={"state": state, "energy_ev_per_atom": energy})


@pytest.mark.parametrize(("kind", "name"), [(HoldMaker, "melt"), (RampMaker, "quench")])
def test_a_run_that_ends_in_a_crystal_has_failed_and_is_not_continued(kind: type[DynamicsMaker], name: str) -> None:
    maker = make(kind, name, PROTOCOL, fresh_engine())
    ((run, trajectory),) = simulated(maker, [[searched(crystal())]])
    (member,) = maker.members([[searched(gas())]])
    result = maker.result(member, run, trajectory)
    assert isinstance(result, HoldResult | RampResult)
    assert result.structure is not None
    assert (result.structure.crystalline, result.structure.crystallinity) == (True, 1.0)
    assert result.status == "failed"
    assert str(result.reason).startswith("crystallised: 100% of the atoms have repeated surroundings")
    assert result.final is None
    assert result.shown_state is not None


def test_a_crystal_that_a_flow_starts_from_has_not_failed() -> None:
    maker = make(HoldMaker, "melt", PROTOCOL, fresh_engine())
    ((run, trajectory),) = simulated(maker, [[searched(crystal())]])
    (member,) = maker.members([[searched(crystal())]])
    assert maker.result(member, run, trajectory).status == "completed"


def test_a_hold_in_doubt_does_not_excuse_the_crystal_after_it() -> None:
    """All elements diffused in the hold although its last frame is a crystal."""
    maker = make(HoldMaker, "melt", PROTOCOL, fresh_engine())
    ((run, trajectory),) = simulated(maker, [[searched(crystal())]])
    (member,) = maker.members([[searched(crystal())]])
    hold = maker.result(member, run, trajectory)
    assert isinstance(hold, HoldResult)
    assert hold.structure is not None
    in_doubt = hold.structure.with_motion([True])
    assert in_doubt.crystalline is None
    doubted = hold.model_copy(update={"structure": in_doubt})
    relaxing = make(RelaxMaker, "glass", PROTOCOL, fresh_engine())
    (lost,) = unwrap(analyse_relaxations)(relaxing, [[doubted]], [relaxed(crystal())], None)
    (kept,) = unwrap(analyse_relaxations)(relaxing, [[hold]], [relaxed(crystal())], None)
    assert (lost.status, kept.status) == ("failed", "completed")


def test_a_volume_at_which_the_liquid_has_crystallised_is_none() -> None:
    protocol = protocol_of({"kind": "volume", "name": "search", "temperature_k": 300})
    maker = make(VolumeMaker, "search", protocol, fresh_engine())
    for start, status in ((gas(), "failed"), (crystal(), "completed")):
        (search,) = [_search(member) for member in maker.members([[start]])]
        volumes = crystal().volume_a3 * np.linspace(0.9, 1.1, 5)
        search = search.extended(
            samples=[sample(volume, 20 * (1 - volume / crystal().volume_a3)) for volume in volumes],
            states=[crystal().scaled_to(volume) for volume in volumes],
        )
        result = _conclude(maker, search, 3)
        assert result.status == status, result.reason
        assert result.order is not None
        assert result.order.crystalline is True


def sample(volume: float, pressure: float) -> VolumeSample:
    measured = Measured(value=pressure, error=0.05)
    return VolumeSample(
        volume_a3=volume,
        pressure_gpa=measured,
        virial_gpa=measured,
        temperature_k=Measured(value=300, error=1),
        energy_ev_per_atom=Measured(value=-3.6, error=0.001),
        energy_drift=0.0,
        steps=1000,
        attempt=0 if volume != crystal().volume_a3 else 1,
        purpose="scan" if volume != crystal().volume_a3 else "verification",
        expanded=True,
    )


def test_a_glass_that_relaxes_to_a_crystal_has_no_energy_to_compare() -> None:
    maker = make(RelaxMaker, "glass", PROTOCOL, fresh_engine())
    above = references(copper=-3.7)
    analyse = unwrap(analyse_relaxations)
    (glass,) = analyse(maker, [[searched(gas())]], [relaxed(gas())], above)
    (lost,) = analyse(maker, [[searched(gas())]], [relaxed(crystal())], above)
    assert (glass.status, glass.order.crystalline) == ("completed", False)
    assert glass.above_crystal_ev_per_atom == pytest.approx(0.1)
    assert (lost.status, lost.order.crystalline, lost.final) == ("failed", True, None)
    assert (lost.formation_energy_ev_per_atom, lost.above_crystal_ev_per_atom) == (None, None)
    assert lost.shown_state == crystal()


def test_a_material_whose_glass_is_a_crystal_is_not_completed() -> None:
    maker = make(RelaxMaker, "glass", PROTOCOL, fresh_engine())
    (lost,) = unwrap(analyse_relaxations)(maker, [[searched(gas())]], [relaxed(crystal())], None)
    melt = searched(gas()).model_copy(update={"prepares": False})
    references = References(elements={}, crystals=[])
    material = unwrap(gather_material)(maker.engine, PROTOCOL, 0, None, gas(), [melt, lost], references)
    assert material.status != "completed"
    assert [(failure.stage, failure.reason[:12]) for failure in material.failures] == [("glass", "crystallised")]


def test_snapshots_that_are_crystals_are_counted_and_left_out() -> None:
    maker = make(SnapshotsMaker, "limit", PROTOCOL, fresh_engine())
    taken = [(10.0, relaxed(gas(), -3.55)), (20.0, relaxed(crystal(), -3.69)), (30.0, relaxed(gas(), -3.6))]
    above = references(copper=-3.75)
    (limit,) = unwrap(analyse_snapshots)(maker, [[searched(gas())]], [taken], above)
    assert (limit.status, limit.n_crystallised) == ("completed", 1)
    assert limit.formation_energy_ev_per_atom == pytest.approx(0.1)
    assert limit.mean_formation_energy_ev_per_atom.value == pytest.approx(0.125)
    assert limit.above_crystal_ev_per_atom == pytest.approx(0.15)
    ((place, reason),) = limit.partial_failures()
    assert (place, reason[:12]) == ("snapshot at 0.02 ps", "crystallised")
    (none,) = unwrap(analyse_snapshots)(maker, [[searched(gas())]], [taken[1:2]], above)
    assert (none.status, none.final) == ("failed", None)
    assert none.reason.startswith("1 of 1 snapshots have crystallised: 100%")
