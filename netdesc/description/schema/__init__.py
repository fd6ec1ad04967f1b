"""The JSON Schema of the language, and what it says about values.

Functions take a ``part`` of the schema, the dotted ``path`` of the value, and the ``reading`` that receives
the faults; readers return None where a fault was noted.
"""
