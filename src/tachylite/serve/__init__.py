"""A store in a browser: read-only pages over its materials, campaigns, models and potentials."""
