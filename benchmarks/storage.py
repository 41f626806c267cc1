"""What a composition leaves behind, in bytes: python -m benchmarks.storage, after `source .services/env`.

The protocol is zheng2024 for 100 atoms of argon with a Lennard-Jones potential, at temperatures where that is a
liquid; sizes do not ask who computed the forces, nor how long each run of the volume search is.
"""

import os
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bson
import h5py
from benchmarks.common import publish, table
from jobflow import JobStore, run_locally
from pymongo import MongoClient

from tachylite.configs import load_protocol
from tachylite.engines.workdir import use_workdir
from tachylite.flows.members import members_of
from tachylite.flows.run import amorphous_flow
from tachylite.schemas import Protocol, Trajectory
from tachylite.stores import open_store

MELT_K = 115.0
ANNEALS_K = [85.0, 90.0, 95.0, 105.0]


def protocol() -> Protocol:
    """zheng2024 with temperatures that suit argon, and a tenth of the time at every volume of the search."""
    published = load_protocol("zheng2024")
    short = {"equilibrate_ps": 0.1, "sample_ps": 0.4, "pressure_tolerance_gpa": 3.0, "energy_drift_tolerance": 1.0}
    changes = {
        "melt-volume": short | {"temperature_k": [MELT_K]},
        "anneal-volume": short | {"temperature_k": ANNEALS_K},
    }
    steps = [step.model_copy(update=changes.get(step.name, {})) for step in published.steps]
    return published.model_copy(update={"steps": steps})


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def inside(files: list[Path]) -> dict[str, float]:
    """Of trajectories: bytes of positions for an atom and a frame, and of the series for a step."""
    positions = values = rest = steps = 0
    for path in files:
        with h5py.File(path) as file:
            frames = file["particles/all/position/value"]
            positions += frames.id.get_storage_size()
            values += frames.shape[0] * frames.shape[1]
            rest += path.stat().st_size - frames.id.get_storage_size()
            steps += len(file["parameters/series/step"])
    return {"bytes_per_atom_frame": positions / values, "series_bytes_per_step": rest / steps}


def in_mongodb(embedded: JobStore, *, compression: bool) -> dict[str, int]:
    """Bytes on disk of the same documents and trajectories in MongoDB and its GridFS, indexes included."""
    uri, database = os.environ["TACHYLITE_TEST_MONGO"], f"tachylite_{uuid.uuid4().hex[:8]}"
    place = {"uri": uri, "database": database}
    data = {"type": "GridFSStore", "collection_name": "blobs", "compression": compression, **place}
    docs = {"type": "MongoStore", "collection_name": "outputs", **place}
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        try:
            store = open_store({"docs_store": docs, "additional_stores": {"data": data}})
            for entry in embedded.query({}, load=True):
                store.update(entry, save={"data": Trajectory})
            store.close()
            client.admin.command("fsync")
            parts = {name: client[database].command("collstats", name) for name in ("outputs", "blobs.chunks")}
        finally:
            client.drop_database(database)
    return {name: part["totalSize"] for name, part in parts.items()}


def main() -> None:
    """Make the composition, measure, and write the table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(folder / "store")
        members = members_of(["Ar"], protocol=protocol(), engine="lennard-jones")
        flow = amorphous_flow(members, protocol=protocol(), engine="lennard-jones")
        # not as `run_amorphous`, which removes the work folder at the end
        with use_workdir(folder / "work"):
            run_locally(flow, store=store, log=False, ensure_success=True)
        entries = list(store.query({}))
        sizes = {entry["uuid"]: len(bson.encode(entry)) for entry in entries}
        material = store.query_one({"output.kind": "material"})
        assert material is not None
        searches = [result for result in material["output"]["results"] if result["kind"] == "volume"]
        files = sorted((folder / "store" / "trajectories").glob("*.h5"))
        assert len(files) == 1 + len(ANNEALS_K), material["output"]["failures"]
        plain, compressed = in_mongodb(store, compression=False), in_mongodb(store, compression=True)
        numbers = {
            "documents": len(entries),
            "material_bytes": sizes[material["uuid"]],
            "largest_document_bytes": max(sizes.values()),
            "documents_bytes": sum(sizes.values()),
            "documents_on_mongodb_bytes": plain["outputs"],
            "runs_of_the_search": sum(len(search["samples"]) for search in searches),
            "trajectories": len(files),
            "trajectories_bytes": sum(path.stat().st_size for path in files),
            "gridfs_bytes": plain["blobs.chunks"],
            "gridfs_compressed_bytes": compressed["blobs.chunks"],
            "work_folder_bytes": size_of(folder / "work"),
            **inside(files),
        }
    rows = [[k.replace("_", " "), f"{n:.3g}" if isinstance(n, float) else f"{n:,}"] for k, n in numbers.items()]
    title = "What zheng2024 leaves behind, 100 atoms"
    publish("storage", {title: table(["what", "how much"], rows)}, {title: numbers})


if __name__ == "__main__":
    main()
