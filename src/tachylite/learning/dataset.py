"""Datasets: tables of descriptors and a target to learn from, identified by their content."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.descriptors.registry import Convention
from tachylite.errors import InputError, MissingPackageError
from tachylite.physics.composition import parse_formula

SCHEMA_VERSION = 1
_MIN_ROWS = 20
"""Of fewer none can be held out for a test."""

_METADATA = b"tachylite"
_FORMAT = "tachylite dataset"


@dataclass(frozen=True)
class Dataset:
    """A table with rows in a fixed order; `make_dataset` makes one of checked values."""

    formulas: tuple[str, ...]
    """Composition of every row, as written."""
    temperature_k: Array
    """Shape (n,)."""
    features: Array
    """Shape (n, p)."""
    names: tuple[str, ...]
    units: tuple[str, ...]
    """Of the features."""
    target: Array
    """Shape (n,)."""
    target_name: str
    target_unit: str
    species: str
    """The mobile element, for which `Li` stands in the names of the features."""
    convention: Convention
    """Arithmetic of the descriptors; what is predicted must be described in the same way."""
    source: str

    def __len__(self) -> int:
        return len(self.formulas)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content with its units, in hexadecimal; the source does not count."""
        head = (self.formulas, self.names, self.units, self.target_name, self.target_unit, self.species)
        digest = hashlib.sha256(json.dumps([*head, self.convention]).encode())
        for array in (self.temperature_k, self.features, self.target):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    @property
    def compositions(self) -> NDArray[np.str_]:
        """Label of every row's composition, shape (n,): Li2O and Li4O2 share the label that comes first."""
        first: dict[tuple[tuple[str, int], ...], str] = {}
        keys = [tuple(sorted(parse_formula(text).unit.items())) for text in self.formulas]
        return np.array([first.setdefault(key, text) for key, text in zip(keys, self.formulas, strict=True)])

    @property
    def systems(self) -> NDArray[np.str_]:
        """Chemical system of every row, shape (n,), like Li-O."""
        return np.array(["-".join(sorted(parse_formula(text).unit)) for text in self.formulas])

    @property
    def elements(self) -> tuple[str, ...]:
        """All elements of all rows, in alphabetical order."""
        return tuple(sorted({symbol for text in set(self.formulas) for symbol in parse_formula(text).unit}))

    def rows(self, indices: NDArray[np.int64]) -> "Dataset":
        """Some of the rows, in the order given."""
        return replace(
            self,
            formulas=tuple(self.formulas[index] for index in indices),
            temperature_k=self.temperature_k[indices],
            features=self.features[indices],
            target=self.target[indices],
        )

    def without(self, names: Sequence[str]) -> "Dataset":
        """The same rows without some of the features; InputError for one that is not there."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise InputError(
                f"there is no feature {', '.join(missing)} to leave out; there are {', '.join(self.names)}"
            )
        remaining = [index for index, name in enumerate(self.names) if name not in names]
        if not remaining:
            raise InputError("no feature is left; leave fewer out")
        return replace(
            self,
            features=self.features[:, remaining],
            names=tuple(self.names[index] for index in remaining),
            units=tuple(self.units[index] for index in remaining),
        )


def make_dataset(
    columns: Mapping[str, Sequence[float]],
    units: Mapping[str, str],
    formulas: Sequence[str],
    temperature_k: Sequence[float],
    target: Sequence[float],
    *,
    target_name: str,
    target_unit: str,
    species: str,
    convention: Convention,
    source: str,
) -> Dataset:
    """Check a table and freeze it; `columns` are the features by name, `units` theirs.

    Raises InputError for too few rows, values that are not finite numbers (named with column and row, counted from
    1), temperatures that are not positive, and formulas that cannot be read or are without the mobile species.
    """
    dataset = Dataset(
        formulas=tuple(formulas),
        temperature_k=np.asarray(temperature_k, dtype=np.float64),
        features=np.array([np.asarray(column, dtype=np.float64) for column in columns.values()]).T,
        names=tuple(columns),
        units=tuple(units[name] for name in columns),
        target=np.asarray(target, dtype=np.float64),
        target_name=target_name,
        target_unit=target_unit,
        species=species,
        convention=convention,
        source=source,
    )
    for problem in _problems(dataset):
        raise InputError(f"{source}: {problem}")
    return dataset


def _problems(dataset: Dataset) -> Iterator[str]:
    if len(dataset) < _MIN_ROWS:
        yield f"{len(dataset)} rows; at least {_MIN_ROWS} are needed to learn from and to hold out"
    features = zip(dataset.names, dataset.features.T, strict=True)
    for name, column in (("temperature", dataset.temperature_k), (dataset.target_name, dataset.target), *features):
        invalid = np.flatnonzero(~np.isfinite(column))
        if invalid.size:
            where = f"row {invalid[0] + 1}, {dataset.formulas[invalid[0]]}"
            yield f"{name} has no finite number in {where} ({invalid.size} such); mend or remove those rows"
    if (dataset.temperature_k <= 0).any():
        yield "a temperature is not positive; it is in K"
    for number, text in enumerate(dataset.formulas, 1):
        if dataset.species not in parse_formula(text).unit:
            yield f"there is no {dataset.species} in row {number}, {text}; name the mobile species or remove the row"


def dataset_to_bytes(dataset: Dataset) -> bytes:
    """Encode a dataset as a parquet file with units, provenance and fingerprint in its metadata."""
    with optional_import("pyarrow"):
        import pyarrow
        import pyarrow.parquet

    data = {"formula": list(dataset.formulas), "temperature": dataset.temperature_k}
    data |= {dataset.target_name: dataset.target} | dict(zip(dataset.names, dataset.features.T, strict=True))
    metadata = {
        "format": _FORMAT,
        "schema_version": SCHEMA_VERSION,
        "fingerprint": dataset.fingerprint,
        "target": dataset.target_name,
        "target_unit": dataset.target_unit,
        "units": dict(zip(dataset.names, dataset.units, strict=True)),
        "species": dataset.species,
        "convention": dataset.convention,
        "source": dataset.source,
    }
    buffer = BytesIO()
    table = pyarrow.table(data).replace_schema_metadata({_METADATA: json.dumps(metadata).encode()})
    pyarrow.parquet.write_table(table, buffer)
    return buffer.getvalue()


def dataset_from_bytes(content: bytes, source: str) -> Dataset:
    """Decode a dataset that `dataset_to_bytes` encoded.

    Raises InputError for another file, for one of a newer version, and where the content is not that of the
    fingerprint.
    """
    with optional_import("pyarrow"):
        import pyarrow
        import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(BytesIO(content))
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"{source} is no parquet file: {' '.join(str(error).split())}") from None
    metadata = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
    if metadata.get("format") != _FORMAT:
        raise InputError(f"{source} is a parquet file but no dataset of tachylite; give the table as CSV")
    if metadata["schema_version"] > SCHEMA_VERSION:
        raise InputError(
            f"{source} has a version newer than {SCHEMA_VERSION}; read it with the tachylite that wrote it"
        )
    dataset = _from_columns(table.to_pydict(), metadata)
    if dataset.fingerprint != metadata["fingerprint"]:
        raise InputError(f"{source} was changed after it was frozen: its fingerprint is another; make it again")
    return dataset


def save_dataset(dataset: Dataset, path: Path) -> None:
    """Write a dataset as a parquet file; InputError where the file cannot be written."""
    try:
        path.write_bytes(dataset_to_bytes(dataset))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another file") from None


def load_dataset(path: Path) -> Dataset:
    """Read a parquet file that `save_dataset` wrote; errors as of `dataset_from_bytes`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    return dataset_from_bytes(content, str(path))


def _from_columns(columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> Dataset:
    return make_dataset(
        {name: columns[name] for name in metadata["units"]},
        metadata["units"],
        columns["formula"],
        columns["temperature"],
        columns[metadata["target"]],
        target_name=metadata["target"],
        target_unit=metadata["target_unit"],
        species=metadata["species"],
        convention=metadata["convention"],
        source=metadata["source"],
    )


@contextmanager
def optional_import(package: str) -> Iterator[None]:
    """Turn a failing import inside the block into a MissingPackageError with the command that installs the package."""
    try:
        yield
    except ImportError as error:
        raise MissingPackageError(f"{package} is not installed ({error}); pip install 'tachylite[learn]'") from None
