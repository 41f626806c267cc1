"""Fetch published data sets from their public places, once; what arrives is checked against its SHA-256."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tachylite.configs.datasets import (
    LOCAL_COPY,
    PublishedDataset,
    data_folder,
    is_intact,
    load_dataset,
    local_copy,
)
from tachylite.errors import InputError

_TIMEOUT_S = 30.0
"""How long a server may be silent."""


def fetch_dataset(name: str, tell: Callable[[str], None] | None = None) -> Path:
    """Fetch a published data set where it is not here yet, and return the folder of its files.

    `tell` is called with a line for every address before it is read. Files that are here and have the published
    SHA-256 are not fetched again. With TACHYLITE_DATA the files are looked for, and checked, in that folder alone.
    Raises InputError, in one line, for a name that is not in the list, a data set without a public place, an address
    that does not answer, a file with another SHA-256, and a folder that cannot be written.

    >>> fetch_dataset("zheng2024") / "feature_target.dat"  # doctest: +SKIP
    """
    dataset, copy = load_dataset(name), local_copy()
    folder = data_folder() / dataset.folder
    damaged = [file for file in dataset.files if not is_intact(folder / file, dataset.files[file], excerpts=bool(copy))]
    if not damaged:
        return folder
    if copy:
        raise InputError(_not_in_copy(dataset, copy, folder / damaged[0]))
    if not dataset.is_public:
        reason = dataset.note or "These files are not published one by one."
        raise InputError(
            f"{name} has no public place to be fetched from ({reason.removesuffix('.')}); original: "
            f"{dataset.source or dataset.citation}; name a folder with {dataset.folder}/ by {LOCAL_COPY}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if dataset.archive:
            _fetch_archive(dataset, folder, damaged, tell)
        else:
            _fetch_files(dataset, folder, damaged, tell)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}; make room there, "
            f"or name a folder with the data sets by {LOCAL_COPY}"
        ) from None
    return folder


def _fetch_files(dataset: PublishedDataset, folder: Path, names: list[str], tell: Callable[[str], None] | None) -> None:
    for name in names:
        file = dataset.files[name]
        url = f"{dataset.url}{file.at or name}"
        if tell:
            tell(f"fetching {url}")
        _download(url, folder / name, file.sha256)


def _fetch_archive(
    dataset: PublishedDataset, folder: Path, names: list[str], tell: Callable[[str], None] | None
) -> None:
    """Files out of a ZIP archive, which itself has no lasting SHA-256: servers pack it anew."""
    url = str(dataset.archive)
    if tell:
        tell(f"fetching {url}")
    with TemporaryDirectory(dir=folder) as scratch:
        archive = Path(scratch) / "archive.zip"
        _download(url, archive, None)
        try:
            with zipfile.ZipFile(archive) as unpacked:
                for name in names:
                    content = unpacked.read(f"{dataset.inside}/{dataset.files[name].at or name}")
                    if hashlib.sha256(content).hexdigest() != dataset.files[name].sha256:
                        raise InputError(_tampered(f"{url}: {name}"))
                    (Path(scratch) / name).write_bytes(content)
        except (KeyError, zipfile.BadZipFile) as error:
            reason = error.args[0] if error.args else "it is not a ZIP archive"
            raise InputError(_refused(url, f"the archive is not as expected: {reason}")) from None
        for name in names:
            (Path(scratch) / name).replace(folder / name)


def _download(url: str, path: Path, sha256: str | None) -> None:
    """Fetch one address into a file, which appears only when it is whole and has its SHA-256."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256}" if sha256 else None,
            fname=path.name,
            path=path.parent,
            downloader=_write_response,
        )
    except requests.RequestException as error:
        raise InputError(_refused(url, _reason(error))) from None
    except ValueError:
        raise InputError(_tampered(url)) from None


def _write_response(url: str, path: str, _: object) -> None:
    """Write what a server answers; pooch's own way leaves a connection open that breaks."""
    import requests

    with requests.get(url, stream=True, timeout=_TIMEOUT_S) as response, Path(path).open("wb") as file:
        response.raise_for_status()
        for chunk in response.iter_content(1 << 20):
            file.write(chunk)


def _reason(error: Exception) -> str:
    import requests

    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code} {response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT_S:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the file was whole"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return type(error).__name__


def _refused(url: str, reason: str) -> str:
    return (
        f"{url} cannot be fetched: {reason}; try again later (what has arrived is kept), "
        f"or name a folder with the data sets by {LOCAL_COPY}"
    )


def _tampered(url: str) -> str:
    return (
        f"{url} has another SHA-256 than what was published, and is not kept; try again, "
        f"or name a folder with the data sets by {LOCAL_COPY}"
    )


def _not_in_copy(dataset: PublishedDataset, copy: Path, path: Path) -> str:
    problem = "has another SHA-256 than what was published" if path.exists() else "is not there"
    where = dataset.url or dataset.archive
    way_out = f"unset {LOCAL_COPY} to fetch it from {where}" if where else f"the original is at {dataset.source}"
    return f"{LOCAL_COPY}={copy}: {path.relative_to(copy)} {problem}; put it there, or {way_out}"
