"""Texts of a deposit: what an archive holds, how it is read, and how it is cited."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tachylite import __version__

PROJECT_URL = "https://github.com/tachylite/tachylite"
_FORMULAS_AT_MOST = 50


@dataclass
class Contents:
    """What the documents of an archive are, counted one by one."""

    documents: int = 0
    files: int = 0
    lost: int = 0
    """Blobs that documents refer to and the store does not hold."""
    formulas: Counter[str] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    protocols: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count a document; of a material also its formula, engine and protocol."""
        self.documents += 1
        output = entry.get("output")
        if isinstance(output, Mapping) and output.get("kind") == "material":
            provenance, protocol = output.get("provenance") or {}, output.get("protocol") or {}
            self.formulas[str(output.get("formula"))] += 1
            self.engines[f"{provenance.get('engine')}: {provenance.get('model')}"] += 1
            self.protocols[": ".join(str(protocol[name]) for name in ("name", "source") if protocol.get(name))] += 1


def readme(title: str, contents: Contents) -> str:
    """The page that says what an archive holds and how it is read, with and without this package."""
    lost = [f"{contents.lost} trajectories that documents refer to were not in the store.", ""] if contents.lost else []
    return "\n".join(
        [
            f"# {title}",
            "",
            f"{contents.documents} documents and {contents.files} data files of a store of",
            f"[tachylite]({PROJECT_URL}), written by its version {__version__}.",
            "",
            *lost,
            *_list("Materials", contents.formulas),
            *_list("Engines that computed the forces", contents.engines),
            *_list("Protocols", contents.protocols),
            "## Files",
            "",
            "- `documents.jsonl`: a document of a job on every line, in MongoDB's extended JSON. Materials are those",
            "  whose `output.kind` is `material`: start, protocol, results with errors, failures and provenance. Units",
            "  end the names of fields.",
            "- `data/*.h5`: trajectories in H5MD 1.1 (https://doi.org/10.1016/j.cpc.2014.01.018), each named by its",
            "  SHA-256, which is the `trajectory_id` of its run. `data/*.json`: other large data.",
            "- `data.jsonl`: which document refers to which of these files, by `blob_uuid`.",
            "- `SHA256SUMS`: `sha256sum -c SHA256SUMS` checks every file. `archive.json`: format and version.",
            "",
            "## Reading it",
            "",
            "    pip install tachylite",
            "    tachylite import ARCHIVE.zip --store store    # the same documents, trajectories and ids",
            "    tachylite query --store store",
            "",
            "Without that package, any JSON and HDF5 library reads the files.",
            "",
        ]
    )


def citation(title: str, authors: Sequence[str]) -> str:
    """CITATION.cff (https://citation-file-format.github.io) of a data set; authors are `Family, Given` or one name."""
    content = {
        "cff-version": "1.2.0",
        "message": "Please cite this data set, and the software that made it.",
        "type": "dataset",
        "title": title,
        # the format wants an author, and has this word for one that is not known
        "authors": [_author(name) for name in authors] or [{"name": "anonymous"}],
        "references": [
            {
                "type": "software",
                "title": "tachylite",
                "version": __version__,
                "url": PROJECT_URL,
                "authors": [{"name": "The tachylite developers"}],
            }
        ],
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _author(name: str) -> dict[str, str]:
    family, comma, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if comma else {"name": family}


def _list(heading: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return []
    lines = [f"- {name} ({number})" for name, number in sorted(counts.items())]
    more = len(lines) - _FORMULAS_AT_MOST
    shown = [*lines[:_FORMULAS_AT_MOST], f"- and {more} more"] if more > 0 else lines
    return [f"## {heading}", "", *shown, ""]
