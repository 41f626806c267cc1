"""A quench, and elastic constants of the glass."""

from pathlib import Path

from ase.build import bulk
from jobflow import run_locally

from tachylite.engines import get_engine
from tachylite.engines.workdir import use_workdir
from tachylite.flows import QuenchMaker
from tachylite.schemas import Protocol, Request, Result, Segment, State
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.strain import StrainResult
from tachylite.stores import open_store

PROTOCOL = Protocol.model_validate(
    {
        "name": "argon",
        "timestep_fs": 4.0,
        "steps": [
            {"kind": "hold", "name": "melt", "temperature_k": 20},
            {"kind": "ramp", "name": "quench", "temperature_k": 2, "time_ps": 1.0, "hold_ps": 0.4},
            {"kind": "relax", "name": "glass"},
            {"kind": "strain", "name": "elasticity"},
        ],
    }
)


def cold_crystal(folder: Path) -> HoldResult:
    """Argon that is no melt, and so has elastic constants that are known to be those of a stable solid."""
    state = State.from_atoms(bulk("Ar", "fcc", 5.27, cubic=True).repeat(2))
    segments = [Segment(steps=100, temperature_k=20, thermostat="langevin", timestep_fs=4, record_every=50)]
    request = Request(label="melt", state=state, segments=segments, seed=0)
    (answer,) = get_engine("lennard-jones").run([request], folder)
    return HoldResult(
        name="melt", step="melt", status="completed", formula="Ar", n_atoms=32, temperature_k=20, run=answer.run
    )


def quench(folder: Path, protocol: Protocol) -> dict[str, Result]:
    flow = QuenchMaker(engine="lennard-jones", protocol=protocol).make([cold_crystal(folder)])
    store = open_store(folder / "store")
    with use_workdir(folder):
        run_locally(flow, store=store, log=False, raise_immediately=True)
    return {step: output["results"].resolve(store)[0] for step, output in flow.output["by_step"].items()}


def test_a_quench_has_elastic_constants_where_the_protocol_strains_the_glass(tmp_path: Path) -> None:
    results = quench(tmp_path, PROTOCOL)
    assert list(results) == ["quench", "glass", "elasticity"]
    cooled, strained = results["quench"], results["elasticity"]
    assert isinstance(strained, StrainResult)
    assert strained.elasticity is not None
    assert strained.elasticity.reason is None
    assert strained.elasticity.young_modulus_gpa is not None
    assert strained.elasticity.young_modulus_gpa.value > 0
    assert isinstance(cooled, RampResult)
    assert cooled.heat_capacity is not None
    assert cooled.heat_capacity.temperature_k == 2
    assert cooled.transition is not None
    assert cooled.transition.energy.reason is not None, "a crystal has none"
    for result in results.values():
        assert type(result).model_validate_json(result.model_dump_json()) == result
    plain = PROTOCOL.model_copy(update={"steps": PROTOCOL.steps[:-1]})
    assert list(quench(tmp_path / "plain", plain)) == ["quench", "glass"]
