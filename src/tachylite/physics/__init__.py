"""Physics as pure functions: arrays in, frozen values out; those that are stored are pydantic models."""
