"""Thin jobs: resolve, call physics or an engine, return a document."""
