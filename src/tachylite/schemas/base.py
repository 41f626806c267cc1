"""What every document shares: a schema version, failures, provenance."""

from typing import Any

from tachylite.measured import FrozenModel

SCHEMA_VERSION = 2


class Document(FrozenModel):
    """A frozen value that goes into a store on its own; `kind` names it in queries."""

    schema_version: int = SCHEMA_VERSION
    kind: str


class Failure(FrozenModel):
    """What did not succeed and why; a failure is data, not an exception."""

    stage: str
    reason: str


class Provenance(FrozenModel):
    """Where a number comes from: who computed the forces, with which weights, versions and seed."""

    engine: str
    model: str
    model_sha256: str | None = None
    device: str
    dtype: str
    seed: int | None = None
    versions: dict[str, str] = {}
    options: dict[str, Any] = {}
