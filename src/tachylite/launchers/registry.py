"""The launchers by name."""

from tachylite.launchers.fireworks import FireworksManager
from tachylite.launchers.jobflow_remote import JobflowRemoteManager
from tachylite.launchers.manager import Manager
from tachylite.schemas.campaign import Launcher


def get_manager(launcher: Launcher, lost_after_s: float | None = None) -> Manager:
    """Reach a launcher; raises InputError where that fails, and MissingPackageError where it is not installed.

    A job that no queue and no process of this machine can be asked about is lost when nothing has been heard of it
    for `lost_after_s` (if not given, what FireWorks is set to).
    """
    if launcher.launcher == "fireworks":
        return FireworksManager(launcher.launchpad, lost_after_s)
    return JobflowRemoteManager(launcher.project)
