"""Train an ensemble of networks on a property of crystals; each scores the chemical systems that it has not seen."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tachylite.arrays import Array
from tachylite.learning.crystals.ensemble import NetworkEnsemble
from tachylite.learning.crystals.model import CrystalPropertyModel
from tachylite.learning.crystals.network import NetworkSettings
from tachylite.learning.crystals.predictor import standardise
from tachylite.learning.crystals.property_network import Schedule, TrainedNetwork, fit_network, graphs_of
from tachylite.learning.crystals.training import (
    TRANSFORM,
    Crystals,
    HeldOut,
    assemble,
    check_systems,
    limit_of_distances,
)
from tachylite.learning.domain import nearest_distances
from tachylite.learning.intervals import LEVELS, calibrate
from tachylite.learning.learners import inverse_transform, transform_target
from tachylite.learning.splits import grouped_folds


def train_ensemble(
    crystals: Crystals,
    settings: NetworkSettings,
    schedule: Schedule,
    *,
    seed: int = 0,
    start: Mapping[str, Tensor] | None = None,
    checkpoints: Path | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> CrystalPropertyModel:
    """Train five networks, each without a fifth of the chemical systems, which calibrate its intervals.

    `start` has weights of another property; in a folder `checkpoints` an interrupted training goes on. `log` hears a
    line after every epoch. Raises InputError for fewer than twenty chemical systems.
    """
    check_systems(crystals.systems)
    systems, n = crystals.systems, len(crystals.states)
    target = transform_target(TRANSFORM, crystals.values)
    graphs, nothing = graphs_of(crystals.states, settings), np.empty((n, 0))
    members: list[TrainedNetwork] = []
    centre, beyond, fold_of = np.empty(n), np.empty(n, dtype=bool), np.empty(n, dtype=int)
    for number, (train, test) in enumerate(grouped_folds(systems, "chemical system", seed=seed)):

        def report(epoch: int, error: float, number: int = number) -> None:
            log(f"network {number + 1}, epoch {epoch}: {error:.4f}")

        member = fit_network(
            settings,
            [graphs[i] for i in train],
            nothing[train],
            target[train],
            systems[train],
            schedule,
            seed=seed,
            start=start,
            checkpoint=None if checkpoints is None else checkpoints / f"network-{number}.pt",
            report=report,
        )
        members.append(member)
        fold_of[test] = number
        centre[test] = member.predict([graphs[i] for i in test], nothing[test])
        pooled = member.pooled(graphs)
        mean, scale = standardise(pooled[train])
        rows = (pooled - mean) / scale
        beyond[test] = nearest_distances(rows[test], rows[train]) > limit_of_distances(rows[train], systems[train])
    ensemble = NetworkEnsemble(members, TRANSFORM, members[0].pooled(graphs))
    calibration = calibrate(TRANSFORM, crystals.values, centre, np.ones(n), systems)
    words = (
        f"network of {settings.n_layers} gated convolutions, {settings.hidden}, {settings.cutoff_a:g} A",
        f"mean of {len(members)} networks, each without a fifth of the chemical systems, of the {TRANSFORM}",
    )
    limit = limit_of_distances(ensemble.standard_rows, systems)
    held_out = _held_out(crystals.values, systems, centre, beyond, fold_of)
    return assemble(crystals, ensemble, calibration, [held_out], limit, words)


def _held_out(
    values: Array,
    systems: NDArray[np.str_],
    centre: Array,
    beyond: NDArray[np.bool_],
    fold_of: NDArray[np.int_],
) -> HeldOut:
    """Held-out predictions, with intervals that the other folds calibrate."""
    low, high = np.empty((2, len(LEVELS), len(values)))
    for fold in np.unique(fold_of):
        test, spread = fold_of == fold, np.ones(len(values))
        calibration = calibrate(TRANSFORM, values[~test], centre[~test], spread[~test], systems[~test])
        for index, level in enumerate(LEVELS):
            low[index, test], high[index, test] = calibration.intervals(centre[test], spread[test], level)
    return HeldOut(inverse_transform(TRANSFORM, centre), low, high, beyond)
