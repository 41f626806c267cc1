"""Engines, which compute the forces, by name."""

from tachylite.engines.base import Engine
from tachylite.engines.registry import get_engine

__all__ = ["Engine", "get_engine"]
