"""A quench that is asked for elastic constants."""

from pathlib import Path

from ase.build import bulk
from jobflow import run_locally

from tachylite.engines import get_engine
from tachylite.engines.workdir import use_workdir
from tachylite.flows import QuenchMaker
from tachylite.schemas import Equilibrium, Glass, Melt, Protocol, Request, Segment, State
from tachylite.stores import open_store

PROTOCOL = Protocol.model_validate(
    {
        "name": "argon",
        "timestep_fs": 4.0,
        "melt": {"temperature_k": 20},
        "quench": {"final_temperature_k": 2, "ramp_ps": 1.0, "hold_ps": 0.4, "elastic": True},
    }
)


def cold_crystal(folder: Path) -> Melt:
    """Argon that is no melt, and so has elastic constants that are known to be those of a stable solid."""
    state = State.from_atoms(bulk("Ar", "fcc", 5.27, cubic=True).repeat(2))
    equilibrium = Equilibrium(
        status="converged",
        formula="Ar",
        n_atoms=32,
        temperature_k=20,
        pressure_convention="total",
        samples=[],
        state=state,
    )
    segments = [Segment(steps=100, temperature_k=20, thermostat="langevin", timestep_fs=4, record_every=50)]
    request = Request(label="melt", state=state, segments=segments, seed=0)
    (answer,) = get_engine("lennard-jones").run([request], folder)
    return Melt(temperature_k=20, equilibrium=equilibrium, run=answer.run)


def quench(folder: Path, protocol: Protocol) -> Glass:
    flow = QuenchMaker(engine="lennard-jones", protocol=protocol).make([cold_crystal(folder)])
    with use_workdir(folder):
        answers = run_locally(flow, store=open_store(folder / "store"), log=False, raise_immediately=True)
    glass = answers[flow.output.uuid][1].output[0]
    assert isinstance(glass, Glass)
    return glass


def test_a_quench_has_elastic_constants_where_they_are_asked_for(tmp_path: Path) -> None:
    glass = quench(tmp_path, PROTOCOL)
    assert glass.elasticity is not None
    assert glass.elasticity.reason is None
    assert glass.elasticity.young_modulus_gpa is not None
    assert glass.elasticity.young_modulus_gpa.value > 0
    assert glass.heat_capacity is not None
    assert glass.heat_capacity.temperature_k == 2
    assert glass.transition is not None
    assert glass.transition.energy.reason is not None, "a crystal has none"
    assert Glass.model_validate_json(glass.model_dump_json()) == glass
    assert PROTOCOL.quench is not None
    plain = PROTOCOL.model_copy(update={"quench": PROTOCOL.quench.model_copy(update={"elastic": False})})
    assert quench(tmp_path / "plain", plain).elasticity is None
