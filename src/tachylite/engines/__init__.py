"""Engines, which compute the forces, by name."""

from tachylite.engines.base import Answer, Engine, Progress, progress_listener
from tachylite.engines.registry import get_engine

__all__ = ["Answer", "Engine", "Progress", "get_engine", "progress_listener"]
