"""Machine learning of properties from tables of descriptors."""
