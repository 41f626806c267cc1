"""Published data sets by name: what they are, whose, under which licence, and where they are on this machine.

`configs/datasets/` at the top of the repository holds one YAML file for each of them; `fetching.py` fetches them.
"""

import hashlib
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tachylite.configs.shipped import shipped_folder
from tachylite.errors import InputError

LOCAL_COPY = "TACHYLITE_DATA"
"""Environment variable that names a folder with the data sets; nothing is fetched then."""

type State = Literal["here", "excerpt", "incomplete", "absent"]
"""Of a data set on this machine; an excerpt is a local copy with fewer rows than were published."""


class FileContent(BaseModel):
    """Size in bytes and SHA-256 of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    sha256: str


class PublishedFile(FileContent):
    """A file of a data set."""

    at: str | None = None
    """Its path below the data set's `url`, where that is not its name."""
    excerpt: FileContent | None = None
    """Content with fewer rows, or other line ends, that a local copy may have in its place."""


class PublishedDataset(BaseModel):
    """Files that belong together: of one origin, under one licence, to be cited in one way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    citation: str
    doi: str | None
    licence: str
    source: str | None
    """Page of the original."""
    note: str | None = None
    """How these files differ from the original."""
    url: str | None = None
    """Address below which the files are published; without it and without an archive they are not, as they are."""
    archive: str | None = None
    """Address of a ZIP archive with the files, where they are too many to be fetched one by one."""
    inside: str | None = None
    """Folder of the files in the archive."""
    folder: str
    """Folder of the files in the cache or in a local copy."""
    files: dict[str, PublishedFile]

    @property
    def size(self) -> int:
        """Bytes of all files, as published."""
        return sum(file.size for file in self.files.values())

    @property
    def is_public(self) -> bool:
        """Whether the files can be fetched."""
        return bool(self.url or self.archive)


def dataset_names() -> list[str]:
    """Names of the published data sets, in alphabetical order."""
    records = shipped_folder("datasets").iterdir()
    return sorted(record.name.removesuffix(".yaml") for record in records if record.name.endswith(".yaml"))


def load_dataset(name: str) -> PublishedDataset:
    """Record of a published data set; InputError for a name that is not in the list."""
    if name not in dataset_names():
        guess = get_close_matches(name, dataset_names(), n=1)
        hint = f"did you mean '{guess[0]}'? " if guess else ""
        raise InputError(f"no data set is named '{name}'; {hint}there are {', '.join(dataset_names())}")
    text = (shipped_folder("datasets") / f"{name}.yaml").read_text(encoding="utf-8")
    return PublishedDataset.model_validate({"name": name, **yaml.safe_load(text)})


def local_copy() -> Path | None:
    """Folder that TACHYLITE_DATA names, None where it is not set; InputError where it is not a folder."""
    named = os.environ.get(LOCAL_COPY)
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        raise InputError(f"{LOCAL_COPY}={named} is not a folder; name one with the data sets, or unset it")
    return folder


def data_folder() -> Path:
    """Folder of the data sets: the local copy that TACHYLITE_DATA names, else the cache of this user."""
    copy = local_copy()
    if copy:
        return copy
    import pooch

    return Path(pooch.os_cache("tachylite")) / "datasets"


def state_of(dataset: PublishedDataset) -> State:
    """How much of a data set is on this machine, by the sizes of its files."""
    folder, is_local = data_folder() / dataset.folder, local_copy() is not None
    sizes = {name: (folder / name).stat().st_size for name in dataset.files if (folder / name).is_file()}
    if not sizes:
        return "absent"
    published = {name for name, size in sizes.items() if size == dataset.files[name].size}
    if len(published) == len(dataset.files):
        return "here"
    excerpts = {name: file.excerpt for name, file in dataset.files.items() if is_local and file.excerpt}
    known = published | {name for name, size in sizes.items() if name in excerpts and size == excerpts[name].size}
    return "excerpt" if len(known) == len(dataset.files) else "incomplete"


def is_intact(path: Path, file: PublishedFile, *, excerpts: bool) -> bool:
    """Whether a file is there and is as published, by its SHA-256, or is a known excerpt where those are allowed."""
    if not path.is_file():
        return False
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return digest == file.sha256 or (excerpts and file.excerpt is not None and digest == file.excerpt.sha256)
