"""Records as arguments of compiled functions: one value each, instead of every number of every array."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.datamodel import DataModelManager, default_manager
from numba.core.datamodel.models import TupleModel


class RecordModel(TupleModel):  # type: ignore[misc]
    """A named tuple that is passed as it is."""

    def get_argument_type(self) -> Any:
        """Return the type of the record."""
        return self.get_value_type()

    def as_argument(self, builder: Any, value: Any) -> Any:
        """Return a record as it is passed."""
        return value

    def from_argument(self, builder: Any, value: Any) -> Any:
        """Return a record as it is used."""
        return value


MODELS = DataModelManager().chain(default_manager)
MODELS.register(types.NamedTuple, RecordModel)
"""How kernels represent types. Code that numba compiles by itself gets no records."""
