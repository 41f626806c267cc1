"""A file of numbers: what was written is read, what was half written is not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tachylite.engines.torchsim.log import Log
from tachylite.errors import InputError

ARRAYS = st.lists(
    npst.arrays(np.float64, npst.array_shapes(max_dims=3, max_side=4, min_side=0)), min_size=1, max_size=4
)


def append(log: Log, number: int, *arrays: np.ndarray) -> None:
    log.append({"number": number, "numbers": sum(a.size for a in arrays)}, arrays)


@given(st.lists(ARRAYS, min_size=1, max_size=5), st.binary(max_size=50))
def test_records_come_back_and_a_torn_end_does_not(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[np.ndarray]], torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = Log(path)
    for number, arrays in enumerate(records):
        append(log, number, *arrays)
    with path.open("ab") as file:
        file.write(torn)
    again = Log(path, log.length)
    append(again, -1, np.arange(3.0))
    headers = again.headers()
    assert [header["number"] for header, _ in headers] == [*range(len(records)), -1]
    for (_, start), arrays in zip(headers, [*records, [np.arange(3.0)]], strict=True):
        skip = 0
        for array in arrays:
            assert again.read(start, skip, array.size).tobytes() == array.tobytes()
            skip += array.size


def test_a_file_that_lost_its_end_is_named(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    append(log, 0, np.arange(9.0))
    (tmp_path / "log").write_bytes(b"short")
    with pytest.raises(InputError, match=r"is damaged; remove .*, and the same command starts it anew"):
        Log(tmp_path / "log", log.length)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*file: File exists; choose another folder"):
        Log(tmp_path / "file" / "log")
