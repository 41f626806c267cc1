"""Models in files: arrays and JSON in an .npz archive, so that nothing in a file is ever executed."""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tachylite.errors import InputError
from tachylite.learning.domain import Domain
from tachylite.learning.gaussian_process import GaussianProcess
from tachylite.learning.inputs import Inputs
from tachylite.learning.intervals import LEVELS, Calibration
from tachylite.learning.learners import FittedModel
from tachylite.learning.tables import DIFFUSIVITY
from tachylite.learning.trees import Trees
from tachylite.schemas import Interval
from tachylite.schemas.learning import Model, Prediction

type Arrays = dict[str, NDArray[Any]]

SCHEMA_VERSION = 1
_FORMAT = "tachylite model"


@dataclass(frozen=True)
class SavedModel:
    """A fitted model with its card, its intervals and its domain of applicability."""

    card: Model
    model: FittedModel
    calibration: Calibration
    domain: Domain

    def predict(
        self, temperature_k: float, features: Mapping[str, float], formula: str, *, source: str, n_frames: int
    ) -> Prediction:
        """Predict one row: descriptors by name, in the convention of the training data, at a temperature in K.

        A diffusivity is given in cm^2/s, another target in its own unit, with a 95 % interval.

        Raises InputError for a descriptor that is not there and for values that are not finite.
        """
        names = self.model.inputs.names
        missing = [name for name in names if name not in features]
        if missing:
            raise InputError(f"{source}: the model needs {', '.join(missing)}")
        invalid = [name for name in names if not np.isfinite(features[name])]
        if invalid or not temperature_k > 0:
            raise InputError(f"{source}: {', '.join(invalid) or 'the temperature'} is not a finite positive number")
        values = np.array([[features[name] for name in names]])
        row = self.model.inputs.encode(np.array([temperature_k]), values, [formula])
        centre, spread = self.model.predict(row)
        low, high = self.calibration.intervals(centre, spread, LEVELS[-1])
        known = np.isfinite(self.calibration.factors[-1])
        data = self.card.data
        factor, unit = (1e-3, "cm^2/s") if data.target == DIFFUSIVITY else (1.0, data.target_unit)
        return Prediction(
            model_id=self.card.model_id,
            source=source,
            formula=formula,
            temperature_k=temperature_k,
            n_frames=n_frames,
            target=data.target,
            unit=unit,
            value=factor * float(self.model.value(row)[0]),
            interval=Interval(low=factor * float(low[0]), high=factor * float(high[0])) if known else None,
            distance=float(self.domain.distances(row)[0]),
            threshold=self.domain.threshold,
            warnings=self.domain.warnings_for(row[0], formula),
        )


def model_id(model: FittedModel, calibration: Calibration, domain: Domain) -> str:
    """First 16 hexadecimal digits of the SHA-256 of everything that predictions follow from."""
    digest = hashlib.sha256(json.dumps(_settings(model, calibration), sort_keys=True).encode())
    for name, array in sorted(_arrays(model, domain).items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def to_bytes(saved: SavedModel) -> bytes:
    """Encode a model as an .npz archive."""
    head = {
        "format": _FORMAT,
        "schema_version": SCHEMA_VERSION,
        "made": _settings(saved.model, saved.calibration),
        "card": json.loads(saved.card.model_dump_json()),
    }
    text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    buffer = BytesIO()
    arrays: dict[str, Any] = {"head": text, **_arrays(saved.model, saved.domain)}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def from_bytes(content: bytes, source: str) -> SavedModel:
    """Decode a model from an .npz archive; InputError for other content, a newer version and a changed file."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        head = json.loads(arrays.pop("head").tobytes())
        if head["format"] != _FORMAT:
            raise ValueError(f"its format is '{head['format']}'")
        if head["schema_version"] > SCHEMA_VERSION:
            raise ValueError(f"its version {head['schema_version']} is newer than {SCHEMA_VERSION}")
        saved = _restore(head["made"], arrays, Model.model_validate(head["card"]))
    except ValidationError as error:
        raise InputError(f"{source} is no model of this version: its card has {error.error_count()} errors") from None
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{source} is not a model: {' '.join(str(error).split()) or type(error).__name__}") from None
    if model_id(saved.model, saved.calibration, saved.domain) != saved.card.model_id:
        raise InputError(f"{source} was changed after it was made: its content is not that of its model id")
    return saved


def save_model(saved: SavedModel, path: Path) -> None:
    """Write a model; InputError where the file cannot be written."""
    try:
        path.write_bytes(to_bytes(saved))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another file") from None


def load_model(path: Path) -> SavedModel:
    """Read a model that `save_model` wrote; nothing in the file is executed. Raises errors as `from_bytes`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; `tachylite learn` makes models") from None
    return from_bytes(content, str(path))


def _settings(model: FittedModel, calibration: Calibration) -> dict[str, Any]:
    return {
        "kind": model.kind,
        "transform": model.transform,
        "names": list(model.inputs.names),
        "elements": list(model.inputs.elements),
        "uses_elements": model.elements,
        "factors": [factor if np.isfinite(factor) else None for factor in calibration.factors],
    }


def _arrays(model: FittedModel, domain: Domain) -> Arrays:
    parts = {f"model_{name}": array for name, array in model.predictor.arrays().items()}
    return parts | {f"domain_{name}": array for name, array in domain.arrays().items()}


def _restore(settings: Mapping[str, Any], arrays: Arrays, card: Model) -> SavedModel:
    inputs = Inputs(tuple(settings["names"]), tuple(settings["elements"]))
    model = {name.removeprefix("model_"): array for name, array in arrays.items() if name.startswith("model_")}
    predictor = GaussianProcess.from_arrays(model) if settings["kind"] == "gp" else Trees.from_arrays(model)
    if settings["transform"] not in ("none", "square root", "logarithm"):
        raise ValueError(f"its transform is '{settings['transform']}'")
    fitted = FittedModel(settings["kind"], settings["transform"], inputs, bool(settings["uses_elements"]), predictor)
    factors: Sequence[float | None] = settings["factors"]
    calibration = Calibration(settings["transform"], tuple(float("inf") if f is None else float(f) for f in factors))
    domain = {name.removeprefix("domain_"): array for name, array in arrays.items() if name.startswith("domain_")}
    return SavedModel(card, fitted, calibration, Domain.from_arrays(domain, inputs.names, inputs.elements))
