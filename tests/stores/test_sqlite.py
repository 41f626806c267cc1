import os
import subprocess
import sys
from pathlib import Path

import pytest

from tachylite.stores.sqlite import Database, _is_on_network

SCHEMA = "create table if not exists numbers (number integer primary key);"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "folder" / "numbers.sqlite", SCHEMA)
    made.make()
    return made


def numbers_in(database: Database) -> list[int]:
    return [number for (number,) in database.read("select number from numbers order by number")]


def test_what_a_block_writes_is_there_as_a_whole_or_not_at_all(database: Database) -> None:
    with database.changing() as connection:
        connection.executemany("insert into numbers values (?)", [(1,), (2,)])
    with pytest.raises(KeyError), database.changing() as connection:  # noqa: PT012 - the error belongs to the block
        connection.execute("insert into numbers values (3)")
        raise KeyError
    with pytest.raises(KeyError), database.changing() as connection:  # noqa: PT012 - the error belongs to the block
        with database.changing():
            connection.execute("insert into numbers values (4)")
        raise KeyError
    assert numbers_in(database) == [1, 2]
    database.close()
    assert numbers_in(database) == [1, 2]
    assert numbers_in(Database(database.file, SCHEMA)) == [1, 2]


def test_a_fork_has_a_connection_of_its_own(database: Database) -> None:
    assert numbers_in(database) == []
    process = os.fork()
    if process == 0:
        try:
            with database.changing() as connection:
                connection.execute("insert into numbers values (7)")
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    assert numbers_in(database) == [7]
    assert set(database._connections) == {os.getpid()}


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("/home/me/store", True), ("/scratch/my space/store", True), ("/home/local/store", False), ("/tmp", False)],  # noqa: S108 - nothing is written
)
def test_file_systems_that_machines_share_are_known(tmp_path: Path, folder: str, expected: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n/dev/sdb /home/local xfs rw 0 0\n"
        "10.0.0.1@tcp:/work /scratch/my\\040space lustre rw 0 0\n"
    )
    assert _is_on_network(Path(folder), mounts) is expected
    assert not _is_on_network(Path(folder), tmp_path / "absent")


def test_on_a_network_file_system_no_memory_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(tmp_path / "numbers.sqlite", SCHEMA)
    for on_network, mode in ((True, "delete"), (False, "wal"), (True, "delete")):
        monkeypatch.setattr("tachylite.stores.sqlite._is_on_network", lambda _, answer=on_network: answer)
        database.make()
        assert database.read("pragma journal_mode") == [(mode,)]
        with database.changing() as connection:
            connection.execute("insert into numbers values (null)")
    assert numbers_in(database) == [1, 2, 3]


ON_A_SMALL_DISK = 'mount -t tmpfs -o size="$2" tmpfs "$1" && exec "$3" -c "$4" "$1"'

FULL_DISK = """
import sys
from pathlib import Path
from tachylite.errors import InputError
from tachylite.stores import open_store

store = open_store(sys.argv[1] + "/store")
other = Path(sys.argv[1], "other")
other.write_bytes(bytes(1_000_000))
taken, lines = [], []
for number in range(200):
    try:
        store.update({"uuid": f"{number}", "index": 1, "output": {"kind": "x", "text": "many words " * 9000}})
        taken.append(f"{number}")
    except InputError as error:
        lines.append(str(error))
        if len(lines) == 3:
            break
for reader in (store, open_store(sys.argv[1] + "/store", create=False)):
    assert [entry["uuid"] for entry in reader.query({"output.kind": "x"})] == taken
assert len(taken) > 5
other.unlink()
store.update({"uuid": "after", "index": 1, "output": {"kind": "x", "text": "many words " * 9000}})
assert [entry["uuid"] for entry in store.query({"output.kind": "x"})] == [*taken, "after"]
print(*lines, sep="\\n")
"""

READ_ONLY = """
import os, subprocess, sys
from tachylite.errors import InputError
from tachylite.stores import open_store

place = sys.argv[1] + "/store"
store = open_store(place)
store.update({"uuid": "a", "index": 1, "output": {"kind": "x"}})
store.close()
subprocess.run(["mount", "-o", "remount,ro", sys.argv[1]], check=True)
readable = open_store(place, create=False)
print(readable.count({"output.kind": "x"}), readable.get_output("a"))
try:
    readable.update({"uuid": "b", "index": 1, "output": {}})
except InputError as error:
    print(error)
"""


def on_a_small_disk(folder: Path, size: str, script: str) -> list[str]:
    folder.mkdir()
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("this system does not let a test mount a small disk")
    command = ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", str(folder), size, sys.executable, script]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_full_disk_is_said_in_one_line_and_loses_nothing(tmp_path: Path) -> None:
    lines = on_a_small_disk(tmp_path / "disk", "4m", FULL_DISK)
    assert len(lines) == 3
    for line in lines:
        assert line.startswith(f"cannot write into {tmp_path}/disk/store/documents/outputs.sqlite: database or disk is")
        assert line.endswith("what was stored before is kept; make room or choose another folder")


@pytest.mark.slow
def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    counted, refusal = on_a_small_disk(tmp_path / "disk", "4m", READ_ONLY)
    assert counted == "1 {'kind': 'x'}"
    assert refusal.startswith(
        f"cannot write into {tmp_path}/disk/store/documents/outputs.sqlite: attempt to write a readonly"
    )
