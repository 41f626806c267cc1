"""A store that an earlier version wrote with MontyDB: it is taken over when it is opened, whatever happens."""

import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from tests.stores.store_samples import later, make_material, make_trajectory

from tachylite.stores import find_materials, find_rows, load_trajectory, open_store
from tachylite.stores.opening import store_exists

WRITTEN = Path(__file__).parent / "data" / "montydb_store.tar.gz"
"""Six documents: two materials, three other outputs, one with a trajectory, one written by MontyDB itself."""

NAMES = ["0-0", "1-1", "2-2", "3-3", "run", "written by MontyDB"]


@pytest.fixture
def earlier(folder: Path) -> Path:
    with tarfile.open(WRITTEN) as archive:
        archive.extractall(folder, filter="data")
    return folder


def names_in(folder: Path) -> list[str]:
    return [entry["uuid"] for entry in open_store(folder, create=False).query({})]


def test_it_is_taken_over_as_it_was(earlier: Path) -> None:
    assert store_exists(earlier)
    store = open_store(earlier, create=False)
    oxide = make_material("Li2O", elements=["Li", "O"], status="partial", created_at=later(1))
    assert find_materials(store) == [oxide, make_material()]
    assert [row["formula"] for row in find_rows(store, elements=["P"])] == ["Li3PO4"]
    assert load_trajectory(store, make_trajectory(1).sha256) == make_trajectory(1)
    assert [entry["uuid"] for entry in store.query({})] == NAMES
    assert store.get_output("written by MontyDB") == {"versions": {"torch.cuda": "12"}}
    assert {path.name for path in (earlier / "documents").iterdir()} == {
        *("outputs.sqlite", "outputs.sqlite-wal", "outputs.sqlite-shm")
    }
    store.update({"uuid": "0-0", "index": 1, "output": "again"})
    assert names_in(earlier) == NAMES
    assert open_store(earlier).get_output("0-0") == "again"


KILLED = """
import os, signal, sys
from pathlib import Path
from tachylite.stores import montydb, open_store
from tachylite.stores.sqlite import Database

montydb._AT_ONCE, moment, seen = 2, int(sys.argv[2]), 0

def dying(act):
    def act_or_die(*words, **options):
        global seen
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*words, **options)
    return act_or_die

Database.changing, Path.unlink, Path.rmdir = dying(Database.changing), dying(Path.unlink), dying(Path.rmdir)
open_store(sys.argv[1])
"""
"""Killed before the first documents, between others, before the old file goes, and before its folder does."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", [1, 2, 3, 4, 5])
def test_a_kill_on_the_way_loses_nothing(earlier: Path, moment: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(earlier), str(moment)], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert names_in(earlier) == NAMES
    assert not (earlier / "documents" / "tachylite" / "outputs.collection").exists()


@pytest.mark.slow
def test_several_that_open_it_at_once_take_it_over_once(earlier: Path) -> None:
    script = "import sys; from tachylite.stores import open_store; print(open_store(sys.argv[1]).count())"
    command = [sys.executable, "-c", script, str(earlier)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in started] == ["6\n"] * 3
    assert names_in(earlier) == NAMES


def test_an_earlier_version_that_still_writes_is_stopped(earlier: Path) -> None:
    """Not silently left behind: it finds no table."""
    file = earlier / "documents" / "tachylite" / "outputs.collection"
    with closing(sqlite3.connect(file)) as writer:
        assert names_in(earlier) == NAMES
        with pytest.raises(sqlite3.OperationalError, match="no such table: documents"):
            writer.execute("insert into documents values ('k', 'v')")
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as again, pytest.raises(sqlite3.OperationalError, match="no such table"):
        again.execute("insert into documents values ('k', 'v')")
    assert names_in(earlier) == NAMES
