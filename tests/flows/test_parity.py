"""An engine against melts of its own: what comes out is known."""

from pathlib import Path

import pytest

from tachylite.flows.parity import ParityMaker, run_parity
from tachylite.schemas import Protocol
from tachylite.schemas.parity import ParityReference, ParityReport
from tachylite.stores import open_store

PROTOCOL = Protocol.model_validate(
    {
        "name": "argon",
        "timestep_fs": 4.0,
        "record_every": 10,
        "packing": {"n_atoms": 64},
        "steps": [{"kind": "hold", "name": "melt", "temperature_k": 80, "time_ps": 6.0}],
    }
)
FLAT = ParityReference(formula="Ar", r_a=[0.05 * k for k in range(1, 200)], g={"Ar-Ar": [1.0] * 98 + [2.0] * 101})


def score(folder: Path, references: list[ParityReference], seed: int) -> ParityReport:
    return run_parity(
        references,
        protocol=PROTOCOL,
        engine="lennard-jones",
        store=open_store(folder / "store"),
        workdir=folder / "work",
        seed=seed,
    )


@pytest.mark.slow
def test_argon_reproduces_argon_and_an_unknown_element_is_a_failure_beside_it(tmp_path: Path) -> None:
    first = score(tmp_path, [FLAT], seed=0).scores[0]
    assert first.r2 is not None
    assert first.r2.value < 0.5
    (diffusivity,) = first.diffusivities
    known = FLAT.model_copy(
        update={
            "r_a": first.r_a,
            "g": first.g,
            "n_atoms": 64,
            "temperature_k": 80.0,
            "descriptors": {"AAV": 30.0},
            "diffusivities_cm2_s": {"Ar": diffusivity.diffusivity_cm2_s or 2e-5},
        }
    )
    unknown = known.model_copy(update={"formula": "Ne", "g": {"Ne-Ne": first.g["Ar-Ar"]}})
    report = score(tmp_path, [known, unknown], seed=1)
    argon, neon = report.scores
    assert argon.r2 is not None
    # two short runs of one liquid at one volume: what is missing is noise
    assert argon.r2.value > 0.95
    assert argon.r2.value + 3 * argon.r2.error > 0.98
    assert argon.noise is not None
    assert 0 < argon.noise <= argon.r2.error < 0.05
    assert argon.n_atoms == 64
    assert (argon.status, argon.descriptors) == ("scored", [])
    assert argon.reason is not None
    assert "there is no Li" in argon.reason
    assert (neon.status, report.n_failed) == ("failed", 1)
    assert "Ne" in str(neon.reason)
    assert [fraction.of for fraction in report.fractions] == [2, 2, 2]
    assert report.provenance is not None
    assert report.protocol == PROTOCOL


def test_making_a_flow_changes_no_maker() -> None:
    maker = ParityMaker(protocol=PROTOCOL)
    before = str(maker)
    maker.make([FLAT])
    assert str(maker) == before
