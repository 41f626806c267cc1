"""What every document shares: a schema version, numbers with errors, provenance."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

SCHEMA_VERSION = 1


class Frozen(BaseModel):
    """A validated value: unknown keys are refused, nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(Frozen):
    """A frozen value that goes into a store on its own; `kind` names it in queries."""

    schema_version: int = SCHEMA_VERSION
    kind: str


class Measured(Frozen):
    """A mean and its standard error, both in the unit that the field's name gives."""

    value: float
    error: Annotated[float, BeforeValidator(lambda error: math.inf if error is None else error)]
    """Infinite where nothing is known of it; JSON writes that as null."""


class Interval(Frozen):
    """A 95 % interval, in the unit that the field's name gives."""

    low: float
    high: float


class Failure(Frozen):
    """What did not succeed and why; a failure is data, not an exception."""

    stage: str
    reason: str


class Provenance(Frozen):
    """Where a number comes from: who computed the forces, with which weights, versions and seed."""

    engine: str
    model: str
    model_sha256: str | None = None
    device: str
    dtype: str
    seed: int | None = None
    versions: dict[str, str] = {}
    options: dict[str, Any] = {}
