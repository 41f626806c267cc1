"""A model of a property of crystals, and what it predicts."""

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field

from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document
from tachylite.schemas.learning import Coverage


class HeldOutScore(FrozenModel):
    """Errors of crystals whose chemical systems the model has not seen, in the unit of the property."""

    mae: Measured
    """Mean absolute error, and its standard error over chemical systems."""
    rmse: float
    r2: float
    """Of all repeats together."""
    mae_within: Measured
    """Of those that are no further from the training set than the limit, in most repeats."""
    mae_beyond: Measured | None
    beyond: int
    """How many are beyond it."""
    coverage: list[Coverage]
    repeats: int
    """Ways to divide the chemical systems among five folds."""


class Effect(FrozenModel):
    """How much a property changes with something of the composition, with 95 % intervals, in its unit."""

    name: str
    """`nitride`, `halogen, +10 %`."""
    crystals: int
    """How many have it at all."""
    alone: float
    alone_interval: Interval
    together: float
    """Beside all other effects."""
    together_interval: Interval


class CrystalPropertyCard(Document):
    """Card of a model that predicts a property of crystals from their structure."""

    kind: Literal["crystal property"] = "crystal property"
    model_id: str
    """SHA-256 of everything that predictions follow from, shortened."""
    quantity: str
    """`amorphization enthalpy`."""
    unit: str
    data: str
    """Where the values come from."""
    crystals: int
    chemical_systems: int
    elements: list[str]
    anions: list[str]
    """The most electronegative element of each crystal, all of them."""
    embedding: str
    regression: str
    score: HeldOutScore
    effects_in_data: list[Effect]
    effects_held_out: list[Effect]
    """The same of predictions by models that have not seen the chemical system."""
    limit: float
    """Distance to the nearest crystal of the training set beyond which there is a warning."""
    versions: dict[str, str]
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


class CrystalPrediction(FrozenModel):
    """What a model says of one crystal; no value, and the reason, where it cannot be asked."""

    file: str
    """With a number where the file holds several."""
    formula: str | None
    value_ev_per_atom: float | None
    interval_ev_per_atom: Interval | None
    """95 %."""
    warning: str | None
    """Why the crystal is unlike the training set, or could not be read; None where it is like it."""

    @classmethod
    def without_value(cls, file: str, formula: str | None, reason: str) -> Self:
        """Of a crystal that could not be read (no formula), or that the model cannot be asked about."""
        return cls(file=file, formula=formula, value_ev_per_atom=None, interval_ev_per_atom=None, warning=reason)
