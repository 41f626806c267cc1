"""Simulated states as rows of a table to learn from, and as what a model predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tachylite.analysis.descriptors import compute_state_descriptors
from tachylite.descriptors.registry import DESCRIPTORS, Convention
from tachylite.errors import InputError
from tachylite.learning.dataset import Dataset, make_dataset
from tachylite.learning.model_file import SavedModel
from tachylite.learning.tables import DIFFUSIVITY, DIFFUSIVITY_UNIT
from tachylite.schemas import Diffusivity, Failure, Trajectory
from tachylite.schemas.descriptors import StateDescriptors
from tachylite.schemas.learning import Prediction
from tachylite.schemas.steps.hold import HoldResult

_PER_CM2_S = 1e3
"""What a diffusivity in cm^2/s is multiplied by for `DIFFUSIVITY_UNIT`."""


@dataclass(frozen=True)
class TrainingRow:
    """Descriptors and diffusivity of one state of a material."""

    formula: str
    temperature_k: float
    diffusivity_cm2_s: float
    n_frames: int
    descriptors: Mapping[str, float]
    """Means over the frames."""


def make_training_row(
    formula: str, state: HoldResult, descriptors: StateDescriptors, species: str
) -> TrainingRow | Failure:
    """Make the training row of a state, or name what is missing: the species' diffusivity or the descriptors."""
    diffusivity = _diffusivity_of(state, species)
    measured = diffusivity.diffusivity_cm2_s if diffusivity is not None else None
    if descriptors.reason is None and measured is not None:
        return TrainingRow(formula, state.temperature_k, measured, descriptors.n_frames, descriptors.values)
    unmeasured = (diffusivity and diffusivity.reason) or state.reason or f"no diffusivity of {species} was measured"
    return Failure(stage=f"{formula} at {state.temperature_k:g} K", reason=descriptors.reason or unmeasured)


def dataset_from_rows(
    rows: Sequence[TrainingRow], species: str, convention: Convention, without: Sequence[str], source: str
) -> Dataset:
    """Make a dataset of diffusivities from rows, leaving out the descriptors named in `without`.

    Raises InputError as `make_dataset` does.
    """
    names = [name for name in DESCRIPTORS if name not in without]
    return make_dataset(
        {name: [row.descriptors[name] for row in rows] for name in names},
        {name: DESCRIPTORS[name].unit for name in names},
        [row.formula for row in rows],
        [row.temperature_k for row in rows],
        [_PER_CM2_S * row.diffusivity_cm2_s for row in rows],
        target_name=DIFFUSIVITY,
        target_unit=DIFFUSIVITY_UNIT,
        species=species,
        convention=convention,
        source=source,
    )


def predict_state(
    model: SavedModel, state: HoldResult, trajectory: Trajectory | None, source: str
) -> Prediction | Failure:
    """Predict a simulated state from its descriptors, or give the reason why that fails.

    The diffusivity that its own run gave stands beside the prediction.
    """
    data = model.card.data
    descriptors = compute_state_descriptors(state, trajectory, data.species, data.convention)
    formula, temperature_k = descriptors.formula, descriptors.temperature_k
    try:
        if descriptors.reason is not None:
            raise InputError(descriptors.reason)
        prediction = model.predict(
            temperature_k, descriptors.values, formula, source=source, n_frames=descriptors.n_frames
        )
    except InputError as error:
        return Failure(stage=f"{formula} at {temperature_k:g} K", reason=str(error))
    return prediction.model_copy(update={"simulated": _diffusivity_of(state, data.species)})


def _diffusivity_of(state: HoldResult, species: str) -> Diffusivity | None:
    return next((diffusivity for diffusivity in state.measured_diffusivities if diffusivity.species == species), None)
