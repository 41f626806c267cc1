"""The launcher jobflow-remote: a queue on MongoDB, and a runner that sends jobs to the workers of a project."""

import contextlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore

from tachylite.errors import InputError, MissingPackageError
from tachylite.launchers.manager import LaunchedJob, State, last_line
from tachylite.launchers.places import jobs_by_kind, place_of
from tachylite.schemas.campaign import Launcher, Place
from tachylite.stores.opened import place_of_documents
from tachylite.stores.settings import without_secrets

_STATES: dict[str, State] = {
    "WAITING": "waiting",
    "READY": "waiting",
    "CHECKED_OUT": "queued",
    "UPLOADED": "queued",
    "SUBMITTED": "queued",
    "BATCH_SUBMITTED": "queued",
    "RUNNING": "running",
    "BATCH_RUNNING": "running",
    "RUN_FINISHED": "running",
    "DOWNLOADED": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "REMOTE_ERROR": "failed",
    "PAUSED": "stopped",
    "STOPPED": "stopped",
    "USER_STOPPED": "stopped",
}

_PATIENCE_S = 10
"""Time to wait for a lock, which is held for less unless its holder was killed."""

_LONGEST_LOCK_S = 600
"""A runner locks a job for less, as it only copies the job's few files."""


class JobflowRemoteManager:
    """Campaigns in the queue of a project; if not given, jobflow-remote's default project."""

    def __init__(self, project: str | None) -> None:
        try:
            from jobflow_remote.config.base import ConfigError
            from jobflow_remote.config.manager import ConfigManager
        except ImportError:
            command = "pip install jobflow-remote"
            raise MissingPackageError(f"jobflow-remote is not installed; install it with: {command}") from None
        try:
            self._project = ConfigManager().get_project(project)
        except ConfigError as error:
            raise InputError(f"jobflow-remote project {project or ''!r}: {' '.join(str(error).split())}") from None
        try:
            self._controller = self._project.get_job_controller()
            self._controller.jobs.find_one({}, {"_id": 1})
        # any error in the project's file or from the server means that this queue cannot be used
        except Exception as error:
            reason = without_secrets(error, self._project.queue.store)
            raise InputError(f"the queue of project {self._project.name!r} cannot be used: {reason}") from None

    def with_defaults(self, launcher: Launcher) -> Launcher:
        """Fill in the name of the project, as the default may change."""
        return launcher.model_copy(update={"project": self._project.name})

    def configuration(self, place: Place) -> dict[str, object]:
        """The worker of a job, and the resources it requests from the batch system."""
        settings = {"partition": place.queue, "time": place.walltime, **place.resources}
        resources = {name: value for name, value in settings.items() if value is not None}
        worker: dict[str, object] = {} if place.worker is None else {"worker": place.worker}
        return worker | ({"resources": resources} if resources else {})

    def check(self, launcher: Launcher, store: JobStore) -> None:
        """Raise InputError for workers that the project does not have, and if it stores results elsewhere."""
        workers = list(self._project.workers)
        for place in (launcher.default, *(place_of(launcher, kind) for kind in jobs_by_kind())):
            if place.worker is not None and place.worker not in workers:
                raise InputError(
                    f"project {self._project.name!r} has no worker {place.worker!r}; it has {', '.join(workers)}"
                )
        if not workers:
            raise InputError(f"project {self._project.name!r} has no workers; add one to its file")
        try:
            jobstore = self._project.get_jobstore()
            if jobstore is None:
                raise ValueError("it has none")
            jobstore.connect()
            jobstore.query_one(properties=["uuid"])
        # any error in the project's file or from the server
        except Exception as error:
            reason = without_secrets(error, self._project.jobstore)
            raise InputError(f"the jobstore of project {self._project.name!r} cannot be used: {reason}") from None
        project_place, store_place = place_of_documents(jobstore), place_of_documents(store)
        jobstore.close()
        if project_place != store_place:
            raise InputError(
                f"project {self._project.name!r} stores results in {project_place}, and --store is {store_place}; "
                "make them the same"
            )

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        """Add all flows, or none if that fails."""
        from jobflow_remote import submit_flow

        self._controller.jobs.create_index("job.metadata.campaign")
        added: list[str] = []
        try:
            for flow in flows:
                with contextlib.redirect_stdout(io.StringIO()):
                    submit_flow(flow, project=self._project.name)
                added.append(flow.uuid)
        except BaseException as error:
            for uuid in added:
                self._controller.delete_flow(uuid)
            if isinstance(error, Exception):
                reason = without_secrets(error, self._project.queue.store)
                raise InputError(f"project {self._project.name!r} did not take the flows: {reason}") from None
            raise

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        """All jobs of a campaign."""
        fields = ["uuid", "index", "state", "job.name", "error", "remote.error", "lock_time"]
        entries = self._controller.jobs.find({"job.metadata.campaign": campaign}, fields).sort("created_on", 1)
        return [self._to_job(entry) for entry in entries]

    def rerun(self, job: LaunchedJob) -> None:
        """Make a job ready again; raises InputError where jobflow-remote refuses, or has locked the job."""
        from jobflow_remote.utils.db import FlowLockedError, JobLockedError

        uuid, _, index = job.key.rpartition(":")
        try:
            self._controller.rerun_job(job_id=uuid, job_index=int(index), wait=_PATIENCE_S)
        except JobLockedError as error:
            # the lock is on this job or on one that waits for it; only the text says which
            number = re.findall(r"db_id (\S+)", str(error))[0]
            raise InputError(f"job {number} is locked; {self._how_to_unlock(f'unlock -did {number}')}") from None
        except FlowLockedError:
            raise InputError(f"its flow is locked; {self._how_to_unlock(f'unlock-flow -jid {uuid}')}") from None
        except Exception as error:  # jobflow-remote has no class of its own for a refusal
            raise InputError(" ".join(str(error).split())) from None

    def _how_to_unlock(self, command: str) -> str:
        return f"if that was a runner which has been killed, free it: jf -p {self._project.name} admin {command}"

    def _to_job(self, entry: dict[str, Any]) -> LaunchedJob:
        key, state = f"{entry['uuid']}:{entry['index']}", _STATES[entry["state"]]
        reason, locked = "", entry.get("lock_time")
        if state == "failed":
            traceback = entry.get("error") or (entry.get("remote") or {}).get("error") or ""
            reason = last_line(str(traceback)) or "the job ended without saying why"
        elif locked and (datetime.now(UTC) - locked.replace(tzinfo=UTC)).total_seconds() > _LONGEST_LOCK_S:
            reason = f"locked since {locked:%Y-%m-%d %H:%M} UTC; {self._how_to_unlock(f'unlock -jid {key}')}"
        return LaunchedJob(key, entry["job"]["name"], state, reason)
