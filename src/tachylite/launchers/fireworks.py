"""The launcher FireWorks: a LaunchPad on MongoDB, from which workers pull jobs."""

import contextlib
import io
import shlex
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from jobflow import Flow, JobStore

from tachylite.errors import InputError, MissingPackageError
from tachylite.launchers.batch_system import Queue, worked_in
from tachylite.launchers.manager import LaunchedJob, State, last_line
from tachylite.schemas.campaign import Launcher, Place
from tachylite.stores.opening import StoreFile
from tachylite.stores.settings import without_secrets

_TIMEOUT_MS = 4000
_LOCK_PATIENCE_S = 10.0

_STATES: dict[str, State] = {
    "WAITING": "waiting",
    "READY": "waiting",
    "RESERVED": "queued",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "FIZZLED": "failed",
    "DEFUSED": "stopped",
    "PAUSED": "stopped",
    "ARCHIVED": "stopped",
}


class FireworksManager:
    """Campaigns on the LaunchPad of a file; if not given, the one that FireWorks finds by default."""

    def __init__(self, launchpad: str | None, lost_after_s: float | None = None) -> None:
        try:
            from fireworks.fw_config import RUN_EXPIRATION_SECS
        except ImportError:
            raise MissingPackageError("FireWorks is not installed; install it with: pip install fireworks") from None
        self._file = _launchpad_file(launchpad)
        self._launchpad = _connect(self._file)
        # FireWorks locks a workflow for less than a second, or for ever if killed: one wait for all jobs is enough
        self._patience_s = _LOCK_PATIENCE_S
        self._lost_after_s = RUN_EXPIRATION_SECS if lost_after_s is None else lost_after_s

    def with_defaults(self, launcher: Launcher) -> Launcher:
        """Fill in the file of the LaunchPad, which FireWorks would look for in the current folder."""
        return launcher.model_copy(update={"launchpad": str(self._file)})

    def configuration(self, place: Place) -> dict[str, object]:
        """Entries of a job's spec: the worker that may take it, and the resources that `qlaunch -r` requests."""
        resources = {"queue": place.queue, "walltime": place.walltime, **place.resources}
        adapter = {name: value for name, value in resources.items() if value is not None}
        worker = {} if place.worker is None else {"_fworker": place.worker}
        return worker | ({"_queueadapter": adapter} if adapter else {})

    def check(self, launcher: Launcher, store: JobStore) -> None:
        """Raise InputError for a LaunchPad that was never set up; FireWorks knows no workers before they pull jobs."""
        if self._launchpad.fw_id_assigner.find_one() is None:
            raise InputError(f"the LaunchPad {self._launchpad.name!r} is not set up yet; do it once: lpad reset")

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        """Add all flows as workflows, or none if that fails."""
        from jobflow.managers.fireworks import flow_to_workflow

        self._launchpad.fireworks.create_index("spec.campaign")
        store_file = StoreFile(str(store))
        workflows = [flow_to_workflow(flow, store_file, metadata={"campaign": campaign}) for flow in flows]
        try:
            # it prints a progress bar
            with contextlib.redirect_stderr(io.StringIO()):
                self._launchpad.bulk_add_wfs(workflows)
        except BaseException:
            self._launchpad.workflows.delete_many({"metadata.campaign": campaign})
            self._launchpad.fireworks.delete_many({"spec.campaign": campaign})
            raise

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        """All jobs of a campaign."""
        jobs = self._query_jobs({"spec.campaign": campaign})
        lost = [int(job.key) for job in jobs if job.state == "lost"]
        # a job may have ended between the queries of the LaunchPad and of the queue
        updated = {job.key: job for job in self._query_jobs({"fw_id": {"$in": lost}})} if lost else {}
        return [updated.get(job.key, job) for job in jobs]

    def _query_jobs(self, criteria: dict[str, Any]) -> list[LaunchedJob]:
        fields = {"fw_id": 1, "name": 1, "state": 1, "spec._fworker": 1, "launches": {"$slice": -1}}
        fireworks = list(self._launchpad.fireworks.find(criteria, fields).sort("fw_id", 1))
        launches = self._launches([f["launches"][-1] for f in fireworks if f["launches"]])
        workers, queue = frozenset(self._launchpad.launches.distinct("fworker.name")), Queue()
        return [
            self._to_job(f, launches.get(f["launches"][-1]) if f["launches"] else None, workers, queue)
            for f in fireworks
        ]

    def rerun(self, job: LaunchedJob) -> None:
        """Make a job ready again, after marking a lost one as failed; raises InputError if its workflow is locked."""
        from fireworks.core.launchpad import LockedWorkflowError

        number = int(job.key)
        self._wait_for_lock(number)
        firework = self._launchpad.fireworks.find_one({"fw_id": number}, {"launches": 1, "state": 1})
        try:
            match firework["state"]:
                case "RUNNING":
                    self._launchpad.mark_fizzled(firework["launches"][-1])
                    self._launchpad.rerun_fw(number)
                case "FIZZLED":
                    self._launchpad.rerun_fw(number)
                case "RESERVED":
                    self._launchpad.cancel_reservation(firework["launches"][-1])
                # in any other state it has ended meanwhile, or is ready again already
        except LockedWorkflowError:
            raise self._lock_error(number) from None

    def _wait_for_lock(self, number: int) -> None:
        """Wait, not as long as FireWorks would, until the workflow of a job is not locked."""
        while self._launchpad.workflows.find_one({"nodes": number, "locked": {"$exists": True}}, {"_id": 1}):
            if self._patience_s <= 0:
                raise self._lock_error(number)
            time.sleep(0.5)
            self._patience_s -= 0.5

    def _lock_error(self, number: int) -> InputError:
        command = f"lpad -l {shlex.quote(str(self._file))} admin unlock -i {number}"
        return InputError(f"its workflow is locked; if that was a worker which has been killed, free it: {command}")

    def _launches(self, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
        fields = ["launch_id", "host", "launch_dir", "state_history", "action.stored_data._exception._stacktrace"]
        launches = self._launchpad.launches.find({"launch_id": {"$in": list(numbers)}}, fields)
        return {launch["launch_id"]: launch for launch in launches}

    def _to_job(
        self, firework: dict[str, Any], launch: dict[str, Any] | None, workers: frozenset[str], queue: Queue
    ) -> LaunchedJob:
        state, reason = _STATES[firework["state"]], ""
        worker = firework.get("spec", {}).get("_fworker")
        if state in {"running", "queued"} and launch is not None:
            reason = self._reason_lost(launch, queue, running=state == "running")
            state = "lost" if reason else state
        elif state == "failed" and launch is not None:
            stored = ((launch.get("action") or {}).get("stored_data") or {}).get("_exception") or {}
            reason = last_line(stored.get("_stacktrace", "")) or "the job ended without saying why"
        elif firework["state"] == "READY" and worker is not None and worker not in workers:
            reason = f"no worker named {worker!r} has come to this LaunchPad so far"
        return LaunchedJob(str(firework["fw_id"]), firework["name"], state, reason)

    def _reason_lost(self, launch: dict[str, Any], queue: Queue, *, running: bool) -> str:
        """Why a launch is lost, according to the queue, this machine or its last sign of life; empty if it is not."""
        history = launch["state_history"]
        reservation = next((str(entry["reservation_id"]) for entry in history if "reservation_id" in entry), None)
        if reservation is not None and (is_queued := queue.holds(reservation)) is not None:
            return "" if is_queued else f"job {reservation} is no longer in the queue"
        if not running:
            return ""
        if launch["host"] == socket.gethostname() and (is_running := worked_in(launch["launch_dir"])) is not None:
            return "" if is_running else f"no process works in {launch['launch_dir']}"
        silent = (datetime.now(UTC) - _last_update(history)).total_seconds()
        return f"nothing was heard of it for {silent:.0f} s" if silent > self._lost_after_s else ""


def _last_update(history: Sequence[dict[str, Any]]) -> datetime:
    times = [str(entry.get("updated_on") or entry["created_on"]) for entry in history]
    latest = max(datetime.fromisoformat(time) for time in times)
    return latest if latest.tzinfo is not None else latest.replace(tzinfo=UTC)


def _launchpad_file(launchpad: str | None) -> Path:
    from fireworks.fw_config import LAUNCHPAD_LOC

    path = launchpad or LAUNCHPAD_LOC
    if path is None:
        raise InputError("no my_launchpad.yaml was found; make one with `lpad init`, or name it in a launcher file")
    return Path(path).expanduser().absolute()


def _connect(path: Path) -> Any:
    """Connect to a LaunchPad, with short time limits."""
    from fireworks import LaunchPad

    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"launchpad file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # the parser quotes the invalid line, which may hold a password
        raise InputError(f"launchpad file {path} is not valid YAML") from None
    if not isinstance(settings, dict):
        raise InputError(f"launchpad file {path} must map host, name, ... to their values")
    limits = {"serverSelectionTimeoutMS": _TIMEOUT_MS, "connectTimeoutMS": _TIMEOUT_MS}
    kwargs = limits | (settings.get("mongoclient_kwargs") or {})
    secrets = settings | ({"uri": settings.get("host")} if settings.get("uri_mode") else {})
    try:
        launchpad = LaunchPad.from_dict(settings | {"mongoclient_kwargs": kwargs, "strm_lvl": "CRITICAL"})
        launchpad.fireworks.find_one({}, {"_id": 1})
    # any error in the file or from the server means that this LaunchPad cannot be used
    except Exception as error:
        raise InputError(f"launchpad file {path} cannot be used: {without_secrets(error, secrets)}") from None
    return launchpad
