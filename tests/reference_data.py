"""Published data that tests compare with: where they are, and what happens where they are missing.

A test is marked `@pytest.mark.reference("zheng2024/rdf")`, or calls `require`. Without the data it is skipped on the
machine of a user, and fails where the data should be: in CI, and where TACHYLITE_DATA names a local copy.
"""

import os
from pathlib import Path

import pytest

from tachylite.configs.datasets import LOCAL_COPY, data_folder, dataset_names, load_dataset
from tachylite.errors import InputError

if os.environ.get(LOCAL_COPY):  # tests change the folder they work in
    os.environ[LOCAL_COPY] = str(Path(os.environ[LOCAL_COPY]).absolute())


def reference(path: str) -> Path:
    """Place of a file or folder of the published data, like `zheng2024/rdf`, whether it is there or not."""
    try:
        return data_folder() / path
    except InputError:  # TACHYLITE_DATA names nothing; the tests that need it say so
        return Path(os.environ[LOCAL_COPY]) / path


def require(path: str) -> Path:
    """Place of a file or folder of the published data, which is there; the test is skipped or fails without it."""
    place = reference(path)
    if place.exists():
        return place
    command = " ".join(["tachylite datasets", *datasets_with(path)])
    reason = f"{place} is missing: `{command}` fetches it, or {LOCAL_COPY} names a folder with it"
    if os.environ.get(LOCAL_COPY):
        reason = f"{place} is missing: put it there, or unset {LOCAL_COPY} for `{command}` to fetch it"
    if os.environ.get("CI") or os.environ.get(LOCAL_COPY):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def datasets_with(path: str) -> list[str]:
    """Names of the data sets with a file at this path or below it."""
    records = map(load_dataset, dataset_names())
    return [
        record.name
        for record in records
        if any(f"{record.folder}/{file}/".startswith(f"{path}/") for file in record.files)
    ]
