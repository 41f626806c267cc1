"""The card of a model that was trained on a table, and the predictions it makes."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document, Failure
from tachylite.schemas.transport import Diffusivity


class DatasetCard(FrozenModel):
    """The dataset that a model was trained on."""

    fingerprint: str
    """SHA-256 of the content with its units."""
    source: str
    species: str
    """The mobile element."""
    convention: Literal["exact", "zheng2024"]
    """Arithmetic of the descriptors."""
    target: str
    target_unit: str
    features: dict[str, str]
    """Names and units."""
    rows: int
    compositions: int
    chemical_systems: int
    elements: list[str]
    temperatures_k: list[float]


class Score(FrozenModel):
    """Errors on held-out rows, in the unit of the target."""

    split: Literal["composition", "chemical system", "random"]
    n_folds: int
    n_rows: int
    r2: float
    """Over all held-out rows."""
    rmse: Measured
    mae: Measured
    """Means over the folds."""


class Coverage(FrozenModel):
    """Share of the held-out rows that lie in their intervals."""

    level: float
    coverage: Measured
    """Every composition counts once."""
    mean_width: float | None
    """None where too few compositions were held out to calibrate intervals."""


class Importance(FrozenModel):
    """Importance of one input, in the unit of the target."""

    feature: str
    permutation: Measured
    """Rise of the RMSE on held-out compositions when the rows swap their values; error over folds."""
    shapley: Measured
    """Mean size of the Shapley value; error over rows."""
    direction: float | None
    """Correlation of Shapley value and input: positive where more of it means more of the target."""


class LearnerScores(FrozenModel):
    """Scores of one learner on all splits."""

    learner: str
    description: str
    settings: list[str]
    """Chosen in every fold of the split by composition."""
    scores: list[Score]
    """The split by composition first."""
    coverage: list[Coverage]
    """On held-out compositions."""
    importances: list[Importance]
    """Most important first, by permutation."""


class Correlation(FrozenModel):
    """Pearson's r of one descriptor and the target at one temperature."""

    feature: str
    pearson: Measured
    published: float | None
    """Of the 5000 K melts of Zheng et al. 2024, Table 1."""


class AnionTrend(FrozenModel):
    """Mean target and activation energy of the compositions with one anion."""

    anion: str
    compositions: int
    target: Measured
    """Mean at the temperature of the correlations."""
    activation_energy_ev: Measured | None


class Trends(FrozenModel):
    """Trends in the dataset, without a model."""

    temperature_k: float
    """The highest temperature at which at least half of the compositions are."""
    published_first: list[str]
    """Most important inputs of boosting in Zheng et al. 2024; empty where the target is another one."""
    correlations: list[Correlation]
    anions: list[AnionTrend]
    activation_against_radius: Measured | None
    """Pearson's r of the activation energy and (Li fraction) x (mean atomic radius of the others)."""
    activation_compositions: list[str]
    activation_energies_ev: list[float]
    fraction_times_radius_a: list[float]


class LearningPoint(FrozenModel):
    """Error on held-out compositions of a model that was trained on some of the others."""

    compositions: float
    """Mean number over the folds."""
    rmse: Measured


class HeldOutRows(FrozenModel):
    """Predictions of every row by a model that was not trained on its composition, with 95 % intervals."""

    formulas: list[str]
    temperatures_k: list[float]
    measured: list[float]
    predicted: list[float]
    low: list[float | None]
    high: list[float | None]
    """None where too few compositions were held out to calibrate intervals."""
    distance: list[float]
    """To the nearest training row, over the limit of the domain."""


class Applicability(FrozenModel):
    """Domain in which predictions of a model are trusted, and its errors inside and outside."""

    criterion: str
    threshold: float
    temperatures_k: tuple[float, float]
    rmse_inside: Measured
    """Of held-out rows within the limit; errors over rows."""
    rmse_outside: Measured | None
    outside: int
    """Held-out rows beyond it."""


class FormulaTerm(FrozenModel):
    """A term of a formula: coefficient times descriptor."""

    coefficient: float
    descriptor: str
    """A Python expression of the column names and of numpy as `np`."""
    latex: str


class SymbolicFormula(FrozenModel):
    """One formula of SISSO: target = intercept + sum of the terms."""

    target: str
    """The quantity that it gives, like ln D, with D in cm^2/s."""
    rung: int
    """Number of times that operators were applied to the columns."""
    dimension: int
    formula: str
    """The whole formula as a Python expression."""
    latex: str
    intercept: float
    terms: list[FormulaTerm]
    units: dict[str, str]
    """Of the columns in the formula; `inverse_kbT` is 1/kT."""
    rmse: float
    max_ae: float
    r2: float
    """On the rows it was fitted to, as the errors before it."""
    rows: int
    held_out_rmse: float | None
    """On held-out compositions, with the whole search in every fold; None where it has no value in some row."""


class Model(Document):
    """Card of a fitted model: data, scores on all splits, intervals, domain, trends and formulas."""

    kind: Literal["model"] = "model"
    model_id: str
    """SHA-256 of everything that predictions follow from, shortened."""
    learner: str
    settings: str
    data: DatasetCard
    skipped: list[Failure] = []
    """Materials that gave no row, and why."""
    learners: list[LearnerScores]
    """Of all learners that were compared, the one of this model first."""
    applicability: Applicability
    trends: Trends
    formulas: list[SymbolicFormula] = []
    """Least error on held-out compositions first; empty without symbolic regression."""
    learning_curve: list[LearningPoint]
    held_out: HeldOutRows
    versions: dict[str, str]
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def leading(self) -> LearnerScores:
        """Scores of this learner; the first one is that of new compositions."""
        return self.learners[0]


class Prediction(Document):
    """Prediction of a model for one structure at one temperature."""

    kind: Literal["prediction"] = "prediction"
    model_id: str
    source: str
    """A file, or the engine and protocol that made the structure."""
    formula: str
    temperature_k: float
    n_frames: int
    target: str
    unit: str
    value: float
    interval: Interval | None
    """None where too few compositions were held out to calibrate it."""
    distance: float
    """To the nearest training row."""
    threshold: float
    """Distance beyond which the structure is unlike the training set."""
    warnings: list[str]
    """Why the input is unlike the training set; empty where it is not."""
    simulated: Diffusivity | None = None
    """From the same molecular dynamics, where the structure was made for this prediction."""
