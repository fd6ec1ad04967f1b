"""The sections of a file: records, and what must hold within and between them."""
