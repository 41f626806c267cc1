"""Writing archives: what a store holds in one zip file of JSON and H5MD, for a deposit."""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import bson
from bson import json_util
from bson.json_util import CANONICAL_JSON_OPTIONS, RELAXED_JSON_OPTIONS
from jobflow import JobStore

from tachylite import __version__
from tachylite.errors import InputError
from tachylite.report.deposit import Contents, citation, readme
from tachylite.stores.blobs import encode_blob
from tachylite.stores.opened import references

FORMAT = 1
DOCUMENTS, BLOBS, SUMS, HEAD, README, CITATION = (
    *("documents.jsonl", "data.jsonl", "SHA256SUMS", "archive.json", "README.md", "CITATION.cff"),
)
DATA = "data/"
"""The folder of an archive with the files of blobs, named as `FileBlobStore` names them."""

_JSON = RELAXED_JSON_OPTIONS.with_options(tz_aware=False, tzinfo=None)
_EXACT_JSON = CANONICAL_JSON_OPTIONS.with_options(tz_aware=False, tzinfo=None)
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file, so that equal stores give equal archives."""


def write_archive(
    store: JobStore,
    path: Path,
    *,
    campaign: str | None = None,
    title: str = "Amorphous materials by simulation",
    authors: Sequence[str] = (),
) -> Contents:
    """Write the documents of a store, or those of one campaign, and the data they refer to.

    The archive is there as a whole or not at all; equal stores give equal bytes. Raises InputError where it cannot be
    written, where nothing is to be, and for a blob that is damaged.
    """
    if path.suffix != ".zip":
        raise InputError(f"archive {path} must be named *.zip")
    contents = Contents()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            partial = Path(folder) / path.name
            with ZipFile(partial, "w") as archive:
                writer = _Writer(archive)
                _write_store(store, {} if campaign is None else {"metadata.campaign": campaign}, writer, contents)
                if not contents.documents:
                    of_campaign = "" if campaign is None else f" of campaign {campaign}"
                    raise InputError(f"there are no documents{of_campaign} in {store.name}; nothing to archive")
                writer.add(HEAD, [json.dumps({"format": FORMAT, "tachylite": __version__}).encode()])
                writer.add(README, [readme(title, contents).encode()])
                writer.add(CITATION, [citation(title, authors).encode()])
                sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(writer.sums.items()))
                writer.add(SUMS, [sums.encode()])
            partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot write archive {path}: {error.strerror}; choose another place") from error
    return contents


class _Writer:
    """Writes files into an archive and keeps their checksums."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.sums: dict[str, str] = {}

    def add(self, name: str, parts: Iterable[bytes], *, compress: bool = True) -> None:
        info = ZipInfo(name, _TIME)
        info.compress_type = ZIP_DEFLATED if compress else ZIP_STORED
        info.external_attr = 0o644 << 16
        digest = hashlib.sha256()
        with self._archive.open(info, "w", force_zip64=True) as member:
            for part in parts:
                digest.update(part)
                member.write(part)
        self.sums[name] = digest.hexdigest()


def _write_store(store: JobStore, criteria: Mapping[str, Any], writer: _Writer, contents: Contents) -> None:
    blobs: dict[str, str] = {}
    writer.add(DOCUMENTS, _document_lines(store, criteria, blobs, contents))
    lines = []
    for blob_uuid, part in blobs.items():
        blob = store.additional_stores[part].query_one({"blob_uuid": blob_uuid})
        if blob is None:
            contents.lost += 1
            continue
        file, content = encode_blob(blob["data"])
        if DATA + file not in writer.sums:
            # HDF5 is compressed already
            writer.add(DATA + file, [content], compress=not file.endswith(".h5"))
            contents.files += 1
        place = {"blob_uuid": blob_uuid, "store": part, "file": file}
        kept = ("@module", "@class", "job_uuid", "job_index")
        lines.append(json.dumps(place | {name: blob[name] for name in kept if name in blob}) + "\n")
    writer.add(BLOBS, (line.encode() for line in lines))


def _document_lines(
    store: JobStore, criteria: Mapping[str, Any], blobs: dict[str, str], contents: Contents
) -> Iterator[bytes]:
    """Documents as lines, in the order of the store; `blobs` gets the blobs they refer to, with the part of each."""
    for entry in store.docs_store.query(dict(criteria)):
        contents.add(entry)
        blobs |= {named["blob_uuid"]: named["store"] for named in references(entry)}
        yield document_line(entry)


def document_line(entry: Mapping[str, Any]) -> bytes:
    """A document as a line of JSON that `read_line` turns into the same document, but for the database's own `_id`."""
    document = _with_one_nan({name: value for name, value in entry.items() if name != "_id"})
    encoded = bson.encode(document)
    for options in (_JSON, _EXACT_JSON):
        line = json_util.dumps(document, json_options=options, ensure_ascii=False).encode() + b"\n"
        if bson.encode(read_line(line)) == encoded:
            return line
    raise InputError(f"document {entry.get('uuid')} cannot be written as JSON: it has names that mean types there")


def _with_one_nan(content: Any) -> Any:
    """The same content with every NaN the usual one: processors give NaN other signs and digits, JSON does not."""
    if isinstance(content, Mapping):
        return {name: _with_one_nan(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_one_nan(value) for value in content]
    return math.nan if isinstance(content, float) and math.isnan(content) else content


def read_line(line: bytes) -> Any:
    """Read what `document_line` wrote; raises ValueError for anything else."""
    return json_util.loads(line.decode(), json_options=_JSON)
