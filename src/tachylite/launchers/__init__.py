"""Campaigns on clusters: submitting flows to FireWorks or jobflow-remote, their states, and reruns of jobs."""

from tachylite.launchers.campaigns import find_campaign, find_campaigns, launched_jobs, rerun
from tachylite.launchers.manager import LaunchedJob
from tachylite.launchers.submission import submit

__all__ = ["LaunchedJob", "find_campaign", "find_campaigns", "launched_jobs", "rerun", "submit"]
