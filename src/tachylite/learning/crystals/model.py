"""A model of a property of crystals: what predicts it from the structure, intervals, and where it holds."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers

from tachylite.errors import InputError
from tachylite.learning.crystals.ensemble import NetworkEnsemble
from tachylite.learning.crystals.predictor import Arrays, Predictor
from tachylite.learning.crystals.process import EmbeddedProcess
from tachylite.learning.crystals.shipped import SHIPPED
from tachylite.learning.intervals import LEVELS, Calibration
from tachylite.learning.learners import Transform, inverse_transform
from tachylite.measured import Interval
from tachylite.physics.volume import electronegativity
from tachylite.schemas import State
from tachylite.schemas.crystal_property import CrystalPrediction, CrystalPropertyCard

_FORMAT = "tachylite crystal property"


@dataclass(frozen=True)
class CrystalPropertyModel:
    """A fitted model with its card."""

    card: CrystalPropertyCard
    predictor: Predictor
    calibration: Calibration

    def predict(
        self, states: Sequence[State], sources: Sequence[str], report: Callable[[int], None] = lambda done: None
    ) -> list[CrystalPrediction]:
        """Predict crystals; elements that it does not know leave a crystal without a value, with the reason."""
        known = [set(state.numbers) <= set(self.predictor.elements) for state in states]
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
        centre, spread, distances = self.predictor.predict(states, report)
        low, high = self.calibration.intervals(centre, spread, LEVELS[-1])
        values = inverse_transform(self.predictor.transform, centre)
        columns = (values, low, high, distances)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _prediction(
        self, state: State, source: str, values: tuple[float, float, float, float] | None
    ) -> CrystalPrediction:
        if values is None:
            known = self.predictor.elements
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

    def save(self, path: Path) -> None:
        """Write arrays and JSON as .npz; InputError where the file cannot be written."""
        head = {
            "format": _FORMAT,
            "transform": self.predictor.transform,
            "factors": [factor if np.isfinite(factor) else None for factor in self.calibration.factors],
            "card": json.loads(self.card.model_dump_json()),
        }
        buffer = BytesIO()
        arrays: dict[str, Any] = {
            "head": np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
            **self.predictor.arrays(),
        }
        np.savez_compressed(buffer, **arrays)
        try:
            path.write_bytes(buffer.getvalue())
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; choose another file") from None


def identity_of(predictor: Predictor, calibration: Calibration) -> str:
    """First 16 hexadecimal digits of the SHA-256 of everything that predictions follow from."""
    digest = hashlib.sha256(json.dumps([predictor.transform, calibration.factors]).encode())
    for name, array in sorted(predictor.arrays().items()):
        digest.update(name.partition("_")[2].encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def find_crystal_model(name: str) -> CrystalPropertyModel:
    """The model of a property that comes with the package, or one in a file (.npz).

    Raises InputError, with the names of those that come with it, for another word.
    """
    if name.endswith(".npz"):
        return load_crystal_model(Path(name))
    if name not in SHIPPED:
        raise InputError(f"there is no model of '{name}'; there is one of {', '.join(SHIPPED)}, or give a file (.npz)")
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
        predictor = predictor_from_arrays(arrays, head["transform"])
        factors = tuple(float("inf") if factor is None else float(factor) for factor in head["factors"])
        calibration = Calibration(head["transform"], factors)
        card = CrystalPropertyCard.model_validate(head["card"])
    except Exception as error:  # a file may be damaged in any way
        raise InputError(f"{path} is not a model of a crystal property: {error}") from None
    if identity_of(predictor, calibration) != card.model_id:
        raise InputError(f"{path} was changed after it was made: its content is not that of its model id")
    return CrystalPropertyModel(card, predictor, calibration)


def predictor_from_arrays(arrays: Arrays, transform: Transform) -> Predictor:
    """The predictor that gave the arrays."""
    if "networks_head" in arrays:
        return NetworkEnsemble.from_arrays(arrays, transform)
    return EmbeddedProcess.from_arrays(arrays, transform)
