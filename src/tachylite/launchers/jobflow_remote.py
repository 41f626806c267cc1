"""jobflow-remote: a queue on MongoDB, and a runner that takes jobs to the workers of a project."""

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
from tachylite.stores.opening import place_of_documents, without_secrets

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
"""It looks again after ten seconds; a lock is held for less, unless its holder was killed."""

_LONGEST_LOCK_S = 600
"""What a runner does with a job takes less: it copies a job's few files."""


class JobflowRemoteManager:
    """Campaigns in the queue of a project; if not given, jobflow-remote's own default."""

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
        # whatever the project's file says wrongly, or the server answers, means that this queue cannot be used
        except Exception as error:
            said = without_secrets(error, self._project.queue.store)
            raise InputError(f"the queue of project {self._project.name!r} cannot be used: {said}") from None

    def with_defaults(self, launcher: Launcher) -> Launcher:
        """With the project's name, since its default may be another one tomorrow."""
        return launcher.model_copy(update={"project": self._project.name})

    def configuration(self, place: Place) -> dict[str, object]:
        """The worker of a job, and what it asks the batch system for."""
        asked = {"partition": place.queue, "time": place.walltime, **place.resources}
        resources = {name: value for name, value in asked.items() if value is not None}
        worker: dict[str, object] = {} if place.worker is None else {"worker": place.worker}
        return worker | ({"resources": resources} if resources else {})

    def check(self, launcher: Launcher, store: JobStore) -> None:
        """Refuse workers that the project does not have, and a project whose results go elsewhere."""
        known = list(self._project.workers)
        for place in (launcher.default, *(place_of(launcher, kind) for kind in jobs_by_kind())):
            if place.worker is not None and place.worker not in known:
                raise InputError(
                    f"project {self._project.name!r} has no worker {place.worker!r}; it has {', '.join(known)}"
                )
        if not known:
            raise InputError(f"project {self._project.name!r} has no workers; add one to its file")
        try:
            theirs = self._project.get_jobstore()
            theirs.connect()
            theirs.query_one(properties=["uuid"])
        # whatever the project's file says wrongly, or the server answers
        except Exception as error:
            said = without_secrets(error, self._project.jobstore)
            raise InputError(f"the jobstore of project {self._project.name!r} cannot be used: {said}") from None
        there, here = place_of_documents(theirs), place_of_documents(store)
        theirs.close()
        if there != here:
            raise InputError(
                f"project {self._project.name!r} stores results in {there}, and --store is {here}; make them the same"
            )

    def add(self, flows: Sequence[Flow], store: Path, campaign: str) -> None:
        """Add all flows, or none where that fails."""
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
                said = without_secrets(error, self._project.queue.store)
                raise InputError(f"project {self._project.name!r} did not take the flows: {said}") from None
            raise

    def jobs(self, campaign: str) -> list[LaunchedJob]:
        """All jobs of a campaign."""
        fields = ["uuid", "index", "state", "job.name", "error", "remote.error", "lock_time"]
        found = self._controller.jobs.find({"job.metadata.campaign": campaign}, fields).sort("created_on", 1)
        return [self._described(job) for job in found]

    def rerun(self, job: LaunchedJob) -> None:
        """Make a job ready again; raises InputError where jobflow-remote refuses, or has locked the job."""
        from jobflow_remote.utils.db import FlowLockedError, JobLockedError

        uuid, _, index = job.key.rpartition(":")
        try:
            self._controller.rerun_job(job_id=uuid, job_index=int(index), wait=_PATIENCE_S)
        except JobLockedError as error:
            # it, or a job that waits for it; only the text says which
            number = re.findall(r"db_id (\S+)", str(error))[0]
            raise InputError(f"job {number} is locked; {self._unlocking(f'unlock -did {number}')}") from None
        except FlowLockedError:
            raise InputError(f"its flow is locked; {self._unlocking(f'unlock-flow -jid {uuid}')}") from None
        except Exception as error:  # it has no exception of its own for a refusal
            raise InputError(" ".join(str(error).split())) from None

    def _unlocking(self, words: str) -> str:
        return f"if that was a runner which has been killed, free it: jf -p {self._project.name} admin {words}"

    def _described(self, job: dict[str, Any]) -> LaunchedJob:
        key, state = f"{job['uuid']}:{job['index']}", _STATES[job["state"]]
        reason, locked = "", job.get("lock_time")
        if state == "failed":
            said = job.get("error") or (job.get("remote") or {}).get("error") or ""
            reason = last_line(str(said)) or "the job ended without saying why"
        elif locked and (datetime.now(UTC) - locked.replace(tzinfo=UTC)).total_seconds() > _LONGEST_LOCK_S:
            reason = f"locked since {locked:%Y-%m-%d %H:%M} UTC; {self._unlocking(f'unlock -jid {key}')}"
        return LaunchedJob(key, job["job"]["name"], state, reason)
