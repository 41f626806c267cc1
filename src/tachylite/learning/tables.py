"""Read tables of descriptors and a target from text files."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tachylite.descriptors.registry import DESCRIPTORS, Convention
from tachylite.errors import InputError
from tachylite.learning.dataset import Dataset, load_dataset, make_dataset

DIFFUSIVITY = "D"
"""Name of the target that is the diffusivity of the mobile species, in 10^-3 cm^2/s."""
DIFFUSIVITY_UNIT = "10^-3 cm^2/s"

_D_COLUMNS = {"diff_coeff_mul_thousand": 1.0, "D": 1.0, "diffusivity_cm2_s": 1e3}
"""Names of its column in tables, each with the factor to that unit."""
_TEMPERATURES = ("temperature", "temperature_k")
_NOT_IN_TABLES = {"density"}
"""Descriptors that the published table lacks, so that no table needs them."""


def read_dataset(
    path: Path,
    *,
    target: str = DIFFUSIVITY,
    species: str = "Li",
    convention: Convention = "exact",
    without: Sequence[str] = (),
) -> Dataset:
    """Read a table to learn from: the published one, a CSV file, or a dataset that was frozen (.parquet).

    Separators may be commas, semicolons, tabs or blanks. There must be a column `formula`, one `temperature` (K), the
    target, and every descriptor of the registry but the density and those named in `without`; other columns are
    ignored. The target `D` is read from `diff_coeff_mul_thousand` (10^-3 cm^2/s), `D` (the same) or
    `diffusivity_cm2_s`; another target is the column of its name. A file with the first of these is the published
    table, whose convention is `zheng2024`.

    Raises InputError for a file that cannot be read, for columns that are missing or not numbers, and as
    `make_dataset` does.
    """
    if path.suffix == ".parquet":
        frozen = load_dataset(path)
        if (frozen.species, frozen.target_name) != (species, target):
            raise InputError(f"{path} holds {frozen.target_name} of {frozen.species}, not {target} of {species}")
        return frozen.without(without) if without else frozen
    table = _columns(path)
    unknown = [name for name in without if name not in DESCRIPTORS]
    if unknown:
        raise InputError(f"{', '.join(unknown)} is no descriptor; there are {', '.join(DESCRIPTORS)}")
    left_out = {*without, *(_NOT_IN_TABLES - table.keys())}
    names = [name for name in DESCRIPTORS if name not in left_out]
    temperature = next((name for name in _TEMPERATURES if name in table), "temperature")
    column, factor = _target(path, table, target)
    missing = [name for name in ("formula", temperature, *names) if name not in table]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; add it, or leave out descriptors with --without")
    return make_dataset(
        {name: _numbers(path, name, table) for name in names},
        {name: DESCRIPTORS[name].unit for name in names},
        table["formula"],
        _numbers(path, temperature, table),
        [factor * value for value in _numbers(path, column, table)],
        target_name=target,
        target_unit=DIFFUSIVITY_UNIT if target == DIFFUSIVITY else "",
        species=species,
        convention="zheng2024" if "diff_coeff_mul_thousand" in table else convention,
        source=path.name,
    )


def _target(path: Path, table: Mapping[str, Sequence[str]], target: str) -> tuple[str, float]:
    if target != DIFFUSIVITY:
        if target not in table:
            raise InputError(f"{path} has no column {target} to learn; it has {', '.join(table)}")
        return target, 1.0
    for name, factor in _D_COLUMNS.items():
        if name in table:
            return name, factor
    raise InputError(f"{path} has no diffusivities: no column {', '.join(_D_COLUMNS)}; it has {', '.join(table)}")


def _columns(path: Path) -> dict[str, list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    head, *lines = [line.rstrip() for line in text.splitlines() if line.strip()] or [""]
    separator = next((mark for mark in ",;\t" if mark in head), " ")
    rows = csv.reader([head, *lines], delimiter=separator, skipinitialspace=True)
    names, *values = ([cell.strip() for cell in row] for row in rows)
    for number, row in enumerate(values, 1):
        if len(row) != len(names):
            raise InputError(f"{path}: row {number} has {len(row)} values for {len(names)} columns")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{path} has the column {', '.join(repeated)} more than once")
    return {name: [row[index] for row in values] for index, name in enumerate(names)}


def _numbers(path: Path, name: str, table: Mapping[str, Sequence[str]]) -> list[float]:
    values = []
    for number, text in enumerate(table[name], 1):
        try:
            values.append(float(text) if text else float("nan"))
        except ValueError:
            raise InputError(f"{path}: {name} is '{text}' in row {number}; a number is needed") from None
    return values
