"""The JSON Schema of the language, and what it says about values."""
