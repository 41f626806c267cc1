"""SISSO on the diffusivities of Zheng et al. 2024: how fast, and how well it predicts compositions it has not seen.

    python -m benchmarks.sisso speed           # a few minutes; nothing else should run
    python -m benchmarks.sisso validation      # nested, grouped by composition; about half an hour

The data are those of `tachylite datasets zheng2024`:
ln D (cm^2/s) of 207 amorphous compositions at 1000 to 2500 K, 42 descriptors and 1/kT.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from benchmarks.common import publish, table
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.descriptors.registry import DESCRIPTORS
from tachylite.learning.sisso import (
    SissoModel,
    SissoSettings,
    choose_sisso,
    count_features,
    cross_validate,
    fit_sisso,
)
from tachylite.learning.splits import Fold, Rows

FILE = data_folder() / "zheng2024/train_target_lnD_kbT.dat"

CANDIDATES = {
    "plain columns": SissoSettings(dimension=5, rung=0, subspace=43),
    "one rung": SissoSettings(dimension=4, rung=1, subspace=50),
    "two rungs": SissoSettings(dimension=4, rung=2, subspace=50, residuals=5),
}
"""Set before any held-out error was looked at, as large as the machine finishes in the time above."""

REFERENCE_S = {"L0, dimension 4": 4.5, "L0, dimension 5": 42.0}
"""The Fortran code on two cores."""

SPEED: dict[str, SissoSettings] = {
    "L0, dimension 4": SissoSettings(dimension=4, rung=0, subspace=43),
    "L0, dimension 5": SissoSettings(dimension=5, rung=0, subspace=43),
    "one rung, dimension 3": SissoSettings(dimension=3, rung=1, subspace=50),
    "two rungs, dimension 3": SissoSettings(dimension=3, rung=2, subspace=50),
    "two rungs of pure numbers, dimension 3": SissoSettings(dimension=3, rung=2, subspace=50),
}


class Data(NamedTuple):
    """Rows of the table: what `fit_sisso` takes, and the composition of every row."""

    features: Array
    target: Array
    names: tuple[str, ...]
    units: tuple[str, ...]
    formulas: NDArray[np.str_]

    def rows(self, chosen: Rows) -> "Data":
        return Data(self.features[chosen], self.target[chosen], self.names, self.units, self.formulas[chosen])

    @property
    def columns(self) -> dict[str, Array]:
        return dict(zip(self.names, self.features.T, strict=True))


def read() -> Data:
    header, *lines = (line.split() for line in FILE.read_text().splitlines())
    names = tuple(header[2:])
    numbers = np.array([line[1:] for line in lines], dtype=float)
    units = tuple("1/eV" if name == "inverse_kbT" else DESCRIPTORS[name].unit for name in names)
    return Data(numbers[:, 1:], numbers[:, 0], names, units, np.array([line[0] for line in lines]))


def measure(name: str) -> dict[str, float]:
    """Seconds of one fit, of the whole fit for SISSO, and the largest memory of the process."""
    data, settings = read(), SPEED[name]
    units = ("1",) * len(data.names) if "pure numbers" in name else data.units
    base, candidates = count_features(data.features, data.names, units, settings)
    started = time.perf_counter()
    models = fit_sisso(data.features, data.target, data.names, units, settings)
    return {
        "seconds": time.perf_counter() - started,
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "base": base,
        "candidates": candidates,
        "rmse": models[-1].rmse,
    }


def speed() -> None:
    rows, numbers = [], {}
    for name in SPEED:
        results = {}
        for threads in (1, 2):
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
            command = [sys.executable, "-m", "benchmarks.sisso", "measure", name]
            output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            results[threads] = json.loads(output.splitlines()[-1])
        numbers[name] = results
        one, two = results[1], results[2]
        seconds = [f"{result['seconds']:.3g}" for result in (one, two)]
        candidates = f"{one['candidates']:,}"
        rows.append(
            (name, candidates, *seconds, REFERENCE_S.get(name, ""), f"{two['memory_gb']:.2f}", f"{one['rmse']:.6f}")
        )
    header = ("fit", "features screened", "s, 1 thread", "s, 2 threads", "s, Fortran", "peak memory / GB", "RMSE")
    publish("sisso", {"speed": table(header, rows)}, {"speed": numbers})


def splits(data: Data) -> list[Fold]:
    """Five folds with all temperatures of a composition on one side."""
    from sklearn.model_selection import GroupKFold

    return list(GroupKFold(5).split(data.features, groups=data.formulas))


def validation() -> None:
    """The outer folds measure what the inner ones chose; the held-out compositions have no part in any choice."""
    data = read()
    predicted: dict[str, Array] = {name: np.full(len(data.target), np.nan) for name in (*CANDIDATES, "chosen")}
    picks: dict[str, list[str]] = {name: [] for name in predicted}
    for train, test in splits(data):
        inner = data.rows(train)
        fitted: dict[str, tuple[float, SissoModel]] = {}
        for name, settings in CANDIDATES.items():
            choice = choose_sisso(*inner[:4], splits(inner), [settings])
            fitted[name] = min(choice.cv_rmse[0]), choice.model
        best = min(CANDIDATES, key=lambda name: fitted[name][0])
        for name in predicted:
            model = fitted[best if name == "chosen" else name][1]
            predicted[name][test] = model.predict(data.rows(test).columns)
            picks[name].append(f"{best}, {model.dimension}" if name == "chosen" else str(model.dimension))
        print(json.dumps({name: values[-1] for name, values in picks.items()}), flush=True)
    rows = [(name, *scores(data.target, values), "; ".join(picks[name])) for name, values in predicted.items()]
    header = ("SISSO", "RMSE of ln D", "R2 of ln D", "RMSE of 10^3 D", "R2 of 10^3 D", "dimension chosen in each fold")
    publish(
        "sisso",
        {"nested validation": table(header, rows), "by dimension": by_dimension(data)},
        {"nested validation": {"picks": picks}, "by dimension": {}},
    )


def scores(target: Array, predicted: Array) -> tuple[str, ...]:
    """Of ln D, and of 10^3 D in cm^2/s."""
    scale: tuple[Callable[[Array], Array], ...] = (lambda x: x, lambda x: 1e3 * np.exp(x))
    found = []
    for convert in scale:
        truth, error = convert(target), convert(predicted) - convert(target)
        found += [f"{np.sqrt(np.mean(error**2)):.4f}", f"{1 - np.mean(error**2) / truth.var():.4f}"]
    return tuple(found)


def by_dimension(data: Data) -> str:
    """Fitted and grouped held-out error of every dimension, and the formulas fitted to all rows."""
    rows = []
    for name, settings in CANDIDATES.items():
        held_out = cross_validate(*data[:4], splits(data), settings)
        for model, error in zip(fit_sisso(*data[:4], settings), held_out, strict=True):
            formula = f"`{model.text}`"
            rows.append((name, model.dimension, f"{model.rmse:.4f}", f"{model.r2:.4f}", f"{error:.4f}", formula))
    return table(("SISSO", "dimension", "RMSE", "R2", "grouped CV RMSE", "ln D ="), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("speed", "validation", "measure"))
    parser.add_argument("name", nargs="?", choices=tuple(SPEED), help="what to measure, in a process of its own")
    arguments = parser.parse_args()
    if arguments.part == "measure":
        print(json.dumps(measure(arguments.name)))
    else:
        {"speed": speed, "validation": validation}[arguments.part]()
