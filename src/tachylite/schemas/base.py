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


_OF_ONE_CALCULATION = frozenset(
    {
        "band_gap_ev",
        "committee",
        "correction_ev_per_atom",
        "corrections",
        "k_mesh",
        "potcars",
        "pulay_pressure_gpa",
    }
)
"""Entries of the options that are of one calculation, and not of the level of theory."""


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

    def is_comparable_with(self, other: "Provenance") -> bool:
        """Whether energies of both are of one level of theory: the same model, weights and settings."""
        return self._level == other._level

    @property
    def level(self) -> str:
        """Level of theory in words: engine, model, first digits of its weights' checksum, and settings."""
        engine, model, sha256, settings = self._level
        weights = [] if sha256 is None else [f"weights {sha256[:8]}"]
        return ", ".join(
            [f"{engine}: {model}", *weights, *(f"{key}={value}" for key, value in sorted(settings.items()))]
        )

    @property
    def _level(self) -> tuple[Any, ...]:
        settings = {name: value for name, value in self.options.items() if name not in _OF_ONE_CALCULATION}
        return self.engine, self.model, self.model_sha256, settings
