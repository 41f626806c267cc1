"""A model of a property of crystals: features of the structure, a Gaussian process, intervals, and where it holds."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.learning.crystals.embedding import Embedding
from tachylite.learning.domain import nearest_distances
from tachylite.learning.gaussian_process import GaussianProcess
from tachylite.learning.intervals import LEVELS, Calibration
from tachylite.learning.learners import Transform, inverse_transform, transform_target
from tachylite.measured import Interval
from tachylite.physics.volume import electronegativity
from tachylite.schemas import State
from tachylite.schemas.crystal_property import CrystalPrediction, CrystalPropertyCard

SHIPPED = {"amorphization-enthalpy": Path(__file__).parents[1] / "data" / "amorphization_enthalpy.npz"}
"""Files of the models that come with the package, by property."""

_FORMAT = "tachylite crystal property"


@dataclass(frozen=True)
class Regression:
    """A Gaussian process over features of crystals."""

    process: GaussianProcess
    transform: Transform

    @classmethod
    def fit(cls, features: Array, target: Array, transform: Transform) -> Self:
        """Fit to features (n, p) and targets (n,)."""
        kinds = np.zeros(features.shape[1])
        return cls(GaussianProcess.fit(features, transform_target(transform, target), kinds), transform)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Centre and spread (m,) under the transform of crystals with features (m, p)."""
        return self.process.centre(features), self.process.spread(features)

    def values(self, features: Array) -> Array:
        """Predicted property (m,)."""
        return inverse_transform(self.transform, self.process.centre(features))

    def distances(self, features: Array) -> Array:
        """Distance (m,) to the nearest training crystal: root mean square over the features, in standard deviations."""
        return nearest_distances((features - self.process.mean) / self.process.scale, self.process.rows)


@dataclass(frozen=True)
class CrystalPropertyModel:
    """A fitted model with its card."""

    card: CrystalPropertyCard
    embedding: Embedding
    regression: Regression
    calibration: Calibration

    def predict(
        self, states: Sequence[State], sources: Sequence[str], report: Callable[[int], None] = lambda done: None
    ) -> list[CrystalPrediction]:
        """Predict crystals; elements that the features do not know leave a crystal without a value, with the reason."""
        known = [set(state.numbers) <= set(self.embedding.settings.elements) for state in states]
        readable = [state for state, is_known in zip(states, known, strict=True) if is_known]
        values = iter(self._predict_known(readable, report) if readable else [])
        return [
            self._prediction(state, source, next(values) if is_known else None)
            for state, source, is_known in zip(states, sources, known, strict=True)
        ]

    def _predict_known(
        self, states: Sequence[State], report: Callable[[int], None]
    ) -> list[tuple[float, float, float, float]]:
        """Value, ends of the interval and distance of each crystal."""
        features = self.embedding.features(states, report)
        centre, spread = self.regression.predict(features)
        low, high = self.calibration.intervals(centre, spread, LEVELS[-1])
        values = inverse_transform(self.regression.transform, centre)
        columns = (values, low, high, self.regression.distances(features))
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _prediction(
        self, state: State, source: str, values: tuple[float, float, float, float] | None
    ) -> CrystalPrediction:
        if values is None:
            known = self.embedding.settings.elements
            unknown = [symbol for symbol in state.elements if atomic_numbers[symbol] not in known]
            reason = f"the model does not know {', '.join(unknown)}"
            return CrystalPrediction.without_value(source, state.formula, reason)
        value, low, high, distance = values
        return CrystalPrediction(
            file=source,
            formula=state.formula,
            value_ev_per_atom=value,
            interval_ev_per_atom=Interval(low=low, high=high),
            warning="; ".join(self.warnings_for(state.elements, distance)) or None,
        )

    def warnings_for(self, elements: Sequence[str], distance: float) -> list[str]:
        """Say why a crystal is unlike the training set; empty where it is not."""
        warnings = []
        unknown = [symbol for symbol in elements if symbol not in self.card.elements]
        anion = max(elements, key=electronegativity)
        if unknown:
            warnings.append(f"no training crystal has {', '.join(unknown)}")
        elif len(elements) == 1 or anion not in self.card.anions:
            warnings.append(f"the training crystals are compounds with {', '.join(self.card.anions)}")
        if distance > self.card.limit:
            warnings.append(
                f"{distance:.2f} from the nearest training crystal, where {self.card.limit:.2f} is the limit"
            )
        return warnings

    def _arrays(self) -> dict[str, NDArray[Any]]:
        embedding = {f"embedding_{name}": array for name, array in self.embedding.arrays().items()}
        process = self.regression.process.arrays()
        # the rows are by far the largest, and exact to seven digits
        process["rows"] = process["rows"].astype(np.float32)
        return embedding | {f"process_{name}": array for name, array in process.items()}

    def save(self, path: Path) -> None:
        """Write arrays and JSON as .npz; InputError where the file cannot be written."""
        head = {
            "format": _FORMAT,
            "transform": self.regression.transform,
            "factors": [factor if np.isfinite(factor) else None for factor in self.calibration.factors],
            "card": json.loads(self.card.model_dump_json()),
        }
        buffer = BytesIO()
        arrays: dict[str, Any] = {"head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8), **self._arrays()}
        np.savez_compressed(buffer, **arrays)
        try:
            path.write_bytes(buffer.getvalue())
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; choose another file") from None


def identity_of(embedding: Embedding, regression: Regression, calibration: Calibration) -> str:
    """First 16 hexadecimal digits of the SHA-256 of everything that predictions follow from."""
    digest = hashlib.sha256(json.dumps([regression.transform, calibration.factors]).encode())
    for arrays in (embedding.arrays(), regression.process.arrays()):
        for name, array in sorted(arrays.items()):
            single = array.astype(np.float32) if name == "rows" else array
            digest.update(name.encode() + np.ascontiguousarray(single).tobytes())
    return digest.hexdigest()[:16]


def shipped_crystal_model(name: str) -> CrystalPropertyModel:
    """The model of a property that comes with the package; InputError, with their names, for another one."""
    if name not in SHIPPED:
        raise InputError(f"there is no model of '{name}'; there is one of {', '.join(SHIPPED)}")
    return load_crystal_model(SHIPPED[name])


def load_crystal_model(path: Path) -> CrystalPropertyModel:
    """Read a model that was saved; nothing in the file is executed.

    Raises InputError for another file, and for one that was changed.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        head = json.loads(arrays["head"].tobytes())
        if head["format"] != _FORMAT:
            raise ValueError(f"its format is {head['format']!r}")
        embedding = Embedding.from_arrays(_named("embedding_", arrays))
        regression = Regression(GaussianProcess.from_arrays(_named("process_", arrays)), head["transform"])
        factors = tuple(float("inf") if factor is None else float(factor) for factor in head["factors"])
        calibration = Calibration(head["transform"], factors)
        card = CrystalPropertyCard.model_validate(head["card"])
    except Exception as error:  # a file may be damaged in any way
        raise InputError(f"{path} is not a model of a crystal property: {error}") from None
    if identity_of(embedding, regression, calibration) != card.model_id:
        raise InputError(f"{path} was changed after it was made: its content is not that of its model id")
    return CrystalPropertyModel(card, embedding, regression, calibration)


def _named(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
