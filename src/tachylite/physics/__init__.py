"""Physics as pure functions: arrays in, frozen dataclasses out."""
