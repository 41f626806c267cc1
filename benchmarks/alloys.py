"""Metallic glasses beside measurements: python -m benchmarks.alloys FOLDER [N].

The alloys of `alloys/measured.csv` with a glass transition and a believable Young's modulus (below 150 GPa), or the
first N of them, by the protocol of workflows/metallic-glasses with UNEP-v1: density, Tg at two rates, Young's modulus
of the relaxed glass. Finished alloys are kept beside the results, so that the same command goes on from there on any
machine; FOLDER holds unfinished work. Some 20 minutes of one core each.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.common import RESULTS, publish, table
from pydantic import BaseModel, TypeAdapter
from scipy.stats import spearmanr

from tachylite.configs import load_protocol
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.measured import Measured
from tachylite.report.text import quantity
from tachylite.schemas import Material
from tachylite.schemas.steps.ramp import RampResult
from tachylite.schemas.steps.strain import StrainResult
from tachylite.stores import open_store

ENGINE = f"nep:{data_folder()}/models/UNEP-v1.txt"
PROTOCOL = Path(__file__).parents[1] / "workflows" / "metallic-glasses" / "protocol.yaml"
LARGEST_MODULUS_GPA = 150.0
"""Larger entries of the table are wrong: no glass of these metals is that stiff."""
KEPT = RESULTS / "alloys_glasses.json"
TITLE = "Metallic glasses by UNEP-v1 beside measurements"


class Glass(BaseModel):
    """One alloy: what was measured, and what came out at the two rates of cooling."""

    formula: str
    measured_tg_k: float
    measured_modulus_gpa: float
    density_g_cm3: Measured
    fast_tg_k: Measured | None
    """From the energy; None, with a reason, where there is no kink."""
    slow_tg_k: Measured | None
    modulus_gpa: Measured | None
    crystallinity: float | None
    """Of the slower glass."""
    reasons: list[str]


def main() -> None:
    """Simulate what is missing, and publish the table of all that is there."""
    folder, at_most = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None
    kept = TypeAdapter(list[Glass])
    glasses = kept.validate_json(KEPT.read_bytes()) if KEPT.exists() else []
    done = {glass.formula for glass in glasses}
    store = open_store(folder / "store")
    for row in [row for row in measured() if row["formula"] not in done][:at_most]:
        (material,) = run_amorphous(
            [row["formula"]],
            protocol=load_protocol(str(PROTOCOL)),
            engine=get_engine(ENGINE),
            store=store,
            workdir=folder / "work",
        )
        glasses.append(glass_of(row, material))
        print(glasses[-1], flush=True)
        KEPT.write_bytes(kept.dump_json(glasses, indent=1))
    publish_table(glasses)


def measured() -> list[dict[str, str]]:
    """Rows of the table of measurements with both properties, in its order."""
    with (data_folder() / "alloys" / "measured.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["Tg"] and row["E"]]
    return [row for row in rows if float(row["E"]) < LARGEST_MODULUS_GPA]


def glass_of(row: dict[str, str], material: Material) -> Glass:
    """What the protocol gave for an alloy."""
    ramps = {result.step: result for result in material.of_kind(RampResult)}
    (stiffness,) = material.of_kind(StrainResult)
    slow = ramps["slow"]
    assert slow.density_g_cm3 is not None, material.failures
    return Glass(
        formula=row["formula"],
        measured_tg_k=float(row["Tg"]),
        measured_modulus_gpa=float(row["E"]),
        density_g_cm3=slow.density_g_cm3,
        fast_tg_k=transition_k(ramps["fast"]),
        slow_tg_k=transition_k(slow),
        modulus_gpa=None if stiffness.elasticity is None else stiffness.elasticity.young_modulus_gpa,
        crystallinity=None if slow.structure is None else slow.structure.crystallinity,
        reasons=[f"{failure.stage}: {failure.reason}" for failure in material.failures],
    )


def transition_k(ramp: RampResult) -> Measured | None:
    """Glass transition from the energy."""
    return None if ramp.transition is None else ramp.transition.energy.temperature_k


def publish_table(glasses: Sequence[Glass]) -> None:
    """A row an alloy, and how both properties agree with what was measured."""
    heads = ("", "density, g/cm^3", "Tg fast, K", "Tg slow, K", "Tg measured", "E, GPa", "E measured")
    rows = [
        (
            glass.formula,
            quantity(glass.density_g_cm3),
            quantity(glass.fast_tg_k),
            quantity(glass.slow_tg_k),
            f"{glass.measured_tg_k:.0f}",
            quantity(glass.modulus_gpa),
            f"{glass.measured_modulus_gpa:.0f}",
        )
        for glass in glasses
    ]
    agreements = {
        "Tg, slow, K": [(g.measured_tg_k, g.slow_tg_k) for g in glasses],
        "E, GPa": [(g.measured_modulus_gpa, g.modulus_gpa) for g in glasses],
    }
    lines = [(name, *agreement(pairs)) for name, pairs in agreements.items()]
    summary = table(("", "alloys", "mean above measured", "Spearman's rank correlation [95 %]"), lines)
    publish("alloys", {TITLE: f"{table(heads, rows)}\n\n{summary}"}, {TITLE: [glass.model_dump() for glass in glasses]})


def agreement(pairs: Sequence[tuple[float, Measured | None]]) -> tuple[str, str, str]:
    """Number of alloys with a value, bias with its standard error, rank correlation with a bootstrap interval."""
    known = np.array([(x, y.value) for x, y in pairs if y is not None])
    if len(known) < 5:
        return str(len(known)), "", ""
    differences = known[:, 1] - known[:, 0]
    bias = Measured(value=float(differences.mean()), error=float(differences.std(ddof=1) / len(known) ** 0.5))
    draws = np.random.default_rng(0).integers(len(known), size=(2000, len(known)))
    ranks = [spearmanr(*known[draw].T).statistic for draw in draws]
    low, high = np.nanquantile(ranks, [0.025, 0.975])
    return str(len(known)), quantity(bias), f"{spearmanr(*known.T).statistic:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
