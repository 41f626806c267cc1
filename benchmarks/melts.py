"""Errors of models on hot structures, written to docs/models.md: python -m benchmarks.melts [ENGINE ...].

Engines are named as for `get_engine`; the frames are a few of those in SETS, evenly spread, the same for every model.
Models that were measured before keep their lines.
"""

import argparse
import json

from benchmarks.common import RESULTS, table
from benchmarks.models import PAGE

from tachylite.analysis.evaluation import evaluate
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.readers.labels import read_labelled_frames
from tachylite.schemas.evaluation import Evaluation

BEGIN, END = "<!-- written by benchmarks/melts.py -->\n", "<!-- end of melts -->\n"
KEPT = RESULTS / "melts.json"

SETS = {"high_tp/random-TP.xyz": 40, "b2o3/validation.extxyz": 6}
"""File of the published data, and how many of its frames."""

BATCH_ATOMS = 300

HEADER = ("model", "TP: forces, meV/A", "stress, GPa", "B2O3: forces, meV/A", "energies, meV/atom")


def measured(value: float | None, error: float | None, factor: float = 1.0) -> str:
    """A number and its standard error, both times a factor."""
    if value is None or error is None:
        return "-"
    digits = 1 if factor * error < 1 else 0
    return f"{factor * value:.{digits}f} ± {factor * error:.{digits}f}"


def line(engine: TorchSimEngine) -> list[str]:
    """Errors of an engine on both sets."""
    hot, melt = (evaluated(engine, file, count) for file, count in SETS.items())
    return [
        engine.provenance().model,
        measured(hot.force_mae_ev_a, hot.errors["force_mae_ev_a"], 1e3),
        measured(hot.stress_mae_gpa, hot.errors["stress_mae_gpa"]),
        measured(melt.force_mae_ev_a, melt.errors["force_mae_ev_a"], 1e3),
        measured(melt.energy_mae_shifted_ev_per_atom, melt.errors.get("energy_mae_shifted_ev_per_atom"), 1e3),
    ]


def evaluated(engine: TorchSimEngine, file: str, count: int) -> Evaluation:
    """Errors of an engine on some frames of a file of the published data."""
    frames = read_labelled_frames(data_folder() / file, count)
    return evaluate(frames, engine.single_points([frame.state for frame in frames]), file)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["chgnet", "chgnet:r2scan"], help="names for get_engine")
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.parent.mkdir(exist_ok=True)
    for name in parser.parse_args().engines:
        engine = get_engine(name, device="cpu", batch_atoms=BATCH_ATOMS)
        assert isinstance(engine, TorchSimEngine)
        model, *rest = line(engine)
        print(model, *rest, sep=" | ", flush=True)
        kept[model] = rest
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    before, _, rest_of_page = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    lines = table(HEADER, [[model, *rest] for model, rest in kept.items()])
    PAGE.write_text(f"{before}{BEGIN}\n{lines}\n\n{END}{rest_of_page.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
