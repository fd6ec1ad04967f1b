"""The sections of a file: records, and what must hold within and between them.

Functions take the dotted ``path`` of what they are about and the ``reading`` that receives the faults; those
that return a value return None where a fault was noted.
"""
