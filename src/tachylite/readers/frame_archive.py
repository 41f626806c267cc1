"""Labelled frames as text that a store keeps: compressed extended XYZ."""

import base64
import gzip
import io
from collections.abc import Sequence

from tachylite.readers.labels import labelled_frame
from tachylite.schemas.evaluation import LabelledFrame


def pack_frames(frames: Sequence[LabelledFrame]) -> str:
    """Write frames with all their labels, compressed, in base64."""
    from ase.io import write

    text = io.StringIO()
    write(text, [frame.atoms for frame in frames], format="extxyz")
    return base64.b64encode(gzip.compress(text.getvalue().encode(), mtime=0)).decode()


def unpack_frames(archive: str) -> list[LabelledFrame]:
    """Read what `pack_frames` wrote."""
    from ase.io import iread

    text = gzip.decompress(base64.b64decode(archive)).decode()
    if not text:
        return []
    frames = iread(io.StringIO(text), index=":", format="extxyz")
    return [labelled_frame(atoms, f"frame {number}:", "") for number, atoms in enumerate(frames, 1)]
