"""Running a flow in this process."""

import warnings
from collections.abc import Mapping
from typing import Any

from jobflow import Flow, JobStore, Response, run_locally


def run_here(
    flow: Flow, store: JobStore, campaign: str | None = None, cohort: str | None = None
) -> Mapping[str, Mapping[int, Response[Any]]]:
    """Run a flow, with an exception where a job raises one.

    What an earlier run of the same campaign, or of one cohort of it, has stored goes.
    """
    store.connect()
    if campaign is not None:
        metadata = {"campaign": campaign} | ({} if cohort is None else {"cohort": cohort})
        flow.update_metadata(metadata)
        store.remove_docs({f"metadata.{name}": value for name, value in metadata.items()})
    with warnings.catch_warnings():
        # of jobflow's own use of monty
        warnings.filterwarnings("ignore", "cd is deprecated", FutureWarning)
        responses: Mapping[str, Mapping[int, Response[Any]]] = run_locally(
            flow, store=store, log=False, raise_immediately=True
        )
    return responses
