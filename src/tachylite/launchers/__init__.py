"""Campaigns on clusters: submitting flows to FireWorks or jobflow-remote, their states, and reruns of jobs."""

from tachylite.launchers.campaigns import rerun
from tachylite.launchers.submission import submit
from tachylite.stores.campaigns import find_campaign

__all__ = ["find_campaign", "rerun", "submit"]
