"""Analyses: trajectories and documents in, documents out."""
