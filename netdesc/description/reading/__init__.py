"""From text to a tree with places: files, YAML, overrides, expressions."""
