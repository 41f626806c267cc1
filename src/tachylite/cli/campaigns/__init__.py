"""Verbs that compute materials, here or on a cluster: `run`, `screen`, `submit`, `status`, `rerun`."""
