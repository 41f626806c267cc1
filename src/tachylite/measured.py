"""Numbers with their errors: the one type of a measured quantity, from the physics to the stored document."""

import math
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict


class FrozenModel(BaseModel):
    """A validated value: unknown keys are refused, nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measured(FrozenModel):
    """A mean and its standard error, both in the unit that the field's name gives.

    Example:
        >>> Measured(value=424.0, error=6.0) / 32
        Measured(value=13.25, error=0.1875)

    """

    value: float
    error: Annotated[float, BeforeValidator(lambda error: math.inf if error is None else error)]
    """Infinite where nothing is known of it; JSON writes that as null."""

    def __mul__(self, factor: float) -> Self:
        return self.model_copy(update={"value": self.value * factor, "error": self.error * abs(factor)})

    def __truediv__(self, divisor: float) -> Self:
        return self.model_copy(update={"value": self.value / divisor, "error": self.error / abs(divisor)})


class Interval(FrozenModel):
    """A 95 % interval, in the unit that the field's name gives."""

    low: float
    high: float

    def __mul__(self, factor: float) -> Self:
        return self.model_copy(update={"low": self.low * factor, "high": self.high * factor})
