"""Campaigns on clusters: submitting flows to FireWorks or jobflow-remote, their states, and reruns of jobs."""

from tachylite.launchers.campaigns import find_campaign, rerun
from tachylite.launchers.submission import submit

__all__ = ["find_campaign", "rerun", "submit"]
