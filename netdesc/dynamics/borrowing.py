"""Translation of kernels that counts no references to what the caller holds.

numba counts a reference to every array of a record wherever the record, or a field of it, gets a name, and
keeps a name that is used in several blocks of code on the stack. With records of many arrays, that is most of
the text that LLVM has to read. But what comes out of an argument is held by the caller until the function
returns. So a name is *borrowed* if it has numbers only, or if all its values come out of arguments; its
references are not counted, and with a single value it takes no place on the stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numba import types
from numba.core import ir, lowering
from numba.core.analysis import compute_cfg_from_blocks
from numba.extending import _Intrinsic

SELECTIONS = ("getattr", "static_getitem", "getitem")
HOLDERS = (types.Array, types.BaseTuple)
"""What such an expression selects out of these is held by them; not where an array is the index."""


class BorrowingLower(lowering.Lower):  # type: ignore[misc]
    """Translates a function."""

    context: Any

    def init(self) -> None:
        """Find the names that are borrowed, and those of them that have a single value."""
        super().init()
        self._uncounted = self.context.subtarget(enable_nrt=False)
        self._borrowed: set[str] = set()
        self._single: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        blocks = self.func_ir.blocks
        if self.func_ir.func_id.is_generator or any(_catches(block) for block in blocks.values()):
            return
        assigned: dict[str, list[Any]] = {}
        homes: dict[str, int] = {}
        for label, block in blocks.items():
            for item in block.find_insts(ir.Assign):
                assigned.setdefault(item.target.name, []).append(item.value)
                homes[item.target.name] = label
        self._borrowed = self._find_borrowed(assigned)
        once = {name: homes[name] for name in self._borrowed if len(assigned[name]) == 1}
        self._single = _find_single(once, blocks)
        self._singly_assigned_vars -= set(self._single)

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        """Translate the right side of an assignment."""
        if inst.target.name not in self._borrowed:
            return super().lower_assign(ty, inst)
        counted, self.context = self.context, self._uncounted
        try:
            return super().lower_assign(ty, inst)
        finally:
            self.context = counted

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Give a name a value."""
        if name in self._single:
            self._values[name] = value
        elif name in self._borrowed and name not in self._singly_assigned_vars:
            self._alloca_var(name, self.typeof(name))
            self.builder.store(value, self.getvar(name))
        else:
            super().storevar(value, name, argidx)

    def loadvar(self, name: str) -> Any:
        """Return the value of a name."""
        return self._values[name] if name in self._single else super().loadvar(name)

    def delvar(self, name: str) -> None:
        """Release what a name holds."""
        if name not in self._borrowed:
            super().delvar(name)

    def _alloca_var(self, name: str, fetype: Any) -> None:
        if name not in self._single:
            super()._alloca_var(name, fetype)

    def _find_borrowed(self, assigned: Mapping[str, Sequence[Any]]) -> set[str]:
        """Return the names with numbers only, and those whose values all come out of arguments."""
        models = self.context.data_model_manager
        borrowed = set(assigned)
        counted = {name for name in borrowed if models[self.typeof(name)].contains_nrt_meminfo()}
        while True:
            lost = {name for name in counted if not all(self._comes_out(v, borrowed) for v in assigned[name])}
            if not lost:
                return borrowed
            borrowed -= lost
            counted -= lost

    def _comes_out(self, value: Any, borrowed: set[str]) -> bool:
        """Return whether a value holds nothing but what borrowed names hold."""
        if isinstance(value, ir.Arg):
            return True
        if isinstance(value, ir.Var):
            return value.name in borrowed
        if not isinstance(value, ir.Expr) or not all(item.name in borrowed for item in value.list_vars()):
            return False
        if value.op == "call":
            function = self.typeof(value.func.name)
            made = isinstance(getattr(function, "typing_key", None), _Intrinsic)
            return made or isinstance(function, types.NamedTupleClass)
        if value.op == "build_tuple":
            return True
        if value.op not in SELECTIONS or not isinstance(self.typeof(value.value.name), HOLDERS):
            return False
        return value.op != "getitem" or not _holds_array(self.typeof(value.index.name))


def _holds_array(index: types.Type) -> bool:
    kinds = index.types if isinstance(index, types.BaseTuple) else (index,)
    return any(isinstance(kind, types.Array) for kind in kinds)


def _find_single(once: Mapping[str, int], blocks: Mapping[int, ir.Block]) -> dict[str, int]:
    """Return the names that have their value wherever they are used.

    Parameters
    ----------
    once : mapping of str to int
        Names with one assignment, and the blocks where it is.
    blocks : mapping of int to block
    """
    dominators = compute_cfg_from_blocks(blocks).dominators()
    single = dict(once)
    for label, block in blocks.items():
        known: set[str] = set()
        for item in block.body:
            for name in _find_used(item):
                home = single.get(name, label)
                if name not in known and (home == label or home not in dominators[label]):
                    single.pop(name, None)
            if isinstance(item, ir.Assign):
                known.add(item.target.name)
    return single


def _find_used(item: Any) -> Iterator[str]:
    """Yield the names whose values a statement needs."""
    if isinstance(item, ir.Del):
        return
    value = item.value if isinstance(item, ir.Assign) else item
    if isinstance(value, ir.Var):
        yield value.name
    elif hasattr(value, "list_vars"):
        yield from (found.name for found in value.list_vars())


def _catches(block: ir.Block) -> bool:
    """Return whether a block has a part of a ``try`` or ``with``."""
    kinds = (ir.EnterWith, ir.PopBlock, ir.StaticTryRaise, ir.DynamicTryRaise)
    return any(isinstance(item, kinds) for item in block.body)
