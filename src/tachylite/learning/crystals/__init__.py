"""Models of the properties of crystals, which read their structures."""
