"""Potentials trained on labelled frames, with their errors."""
