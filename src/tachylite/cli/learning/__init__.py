"""Verbs of models and potentials: `describe`, `learn`, `predict`, `train`, `evaluate`."""
