"""Compilation of kernels out of fragments.

numba optimizes every compiled function together with all that it calls, and generates machine code and an
entry point from Python for it. Only kernels need these. A fragment remains as it was translated: each kernel
that calls it optimizes it together with the rest of its code, once.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from types import CodeType, MappingProxyType
from typing import Any

import numpy as np
from numba import _dynfunc, jit, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags, _LowerResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.errors import ForceLiteralArg, NumbaError
from numba.core.lowering import Lower
from numba.core.registry import CPUDispatcher
from numba.core.sigutils import normalize_signature
from numba.core.target_extension import CPU, jit_registry
from numba.core.typed_passes import NativeLowering
from numba.core.typing.typeof import Purpose, typeof
from numba.core.untyped_passes import InlineClosureLikes
from numba.np.numpy_support import from_dtype, map_layout

from netdesc.dynamics.borrowing import BorrowingLower
from netdesc.dynamics.records import MODELS

log = logging.getLogger("netdesc.kernels")

TRANSLATED: set[Callable[..., Any]] = set()
"""Functions that have been translated in this process, for whatever types."""

GARBAGE = 200_000
"""Objects between two searches for garbage while a kernel is compiled, which makes few cycles."""


class FragmentLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code of a fragment and of all that it calls, simplified but not optimized."""

    def finalize(self) -> None:
        """Add the code of what the fragment calls."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            if hasattr(library, "_reload_init"):  # since numba 0.63
                self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager(
            opt=1, loop_vectorize=False, slp_vectorize=False
        )
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):  # type: ignore[misc]
    """Translates a kernel."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> Any:
        """Return the class that translates."""
        return BorrowingLower

    def run_pass(self, state: Any) -> bool:
        """Translate a function for LLVM."""
        state.targetctx = state.targetctx.subtarget(data_model_manager=MODELS)
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class FragmentLowering(KernelLowering):
    """Translates a fragment."""

    _name = "fragment_lowering"
    counted = True

    def run_pass(self, state: Any) -> bool:
        """Translate a function for LLVM, without making it executable."""
        state.library = FragmentLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.flags.no_compile = True
        super().run_pass(state)
        found = state.cr
        name = found.fndesc.qualname.split(".")[-1]
        # numba refers to a compiled function by its entry point; this one is never called
        entry = _dynfunc.make_function(found.fndesc.lookup_module(), name, "", 0, found.env, (state.library,))
        state.library._ensure_finalized()
        state.targetctx.insert_user_function(entry, found.fndesc, [state.library])
        state["cr"] = _LowerResult(found.fndesc, found.call_helper, cfunc=entry, env=found.env)
        function = state.func_id.func
        if self.counted and function.__module__ and function not in TRANSLATED:
            TRANSLATED.add(function)
            log.debug("translated %s", name)
        return True


class KernelCompiler(CompilerBase):  # type: ignore[misc]
    """Compiles a kernel."""

    lowering: type[NativeLowering] = KernelLowering

    def define_pipelines(self) -> list[PassManager]:
        """Return numba's passes, with our translation in place of its own."""
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes = [(self.lowering if step is NativeLowering else step, text) for step, text in manager.passes]
        if not any(isinstance(item, CodeType) for item in self.state.func_id.code.co_consts):
            # The pass is for functions within a function.
            passes = [(step, text) for step, text in passes if step is not InlineClosureLikes]
        replaced = PassManager(manager.pipeline_name)
        replaced.passes = passes
        replaced.finalize()
        return [replaced]


class FragmentCompiler(KernelCompiler):
    """Compiles a fragment."""

    lowering = FragmentLowering


@register_pass(mutates_CFG=True, analysis_only=False)
class ForeignLowering(FragmentLowering):
    """Translates what numba has for a function of Python or NumPy, as numba does."""

    _name = "foreign_lowering"
    counted = False

    @property
    def lowering_class(self) -> Any:
        """Return the class that translates."""
        return Lower


class ForeignCompiler(KernelCompiler):
    """Compiles as a fragment what numba has for a function of Python or NumPy."""

    lowering = ForeignLowering


class SettledFlags(Flags):  # type: ignore[misc]
    """Options of a compilation that are compared quickly: they are part of the key of every look-up."""

    def __hash__(self) -> int:
        return hash(frozenset(self._values))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SettledFlags) and (self is other or bool(self._values == other._values))


def find_kind(value: Any) -> types.Type:
    """Return numba's type of an argument.

    numba itself asks of every array whether it is masked, and loads NumPy's masked arrays for that.
    """
    if type(value) is np.ndarray:
        kind, layout = from_dtype(value.dtype), map_layout(value)
        return types.Array(kind, value.ndim, layout, readonly=not value.flags.writeable)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return types.BaseTuple.from_types([find_kind(item) for item in value], type(value))
    return typeof(value, Purpose.argument)


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A function that is compiled for every combination of types with which it is called.

    Parameters
    ----------
    function : callable
    compiler : class
        What compiles it.
    **options
        For numba's compiler.
    """

    options: Mapping[str, Any] = MappingProxyType(
        {
            "nopython": True,
            "nogil": True,
            "error_model": "numpy",
            "boundscheck": None,
            "no_cfunc_wrapper": True,
        }
    )

    def __init__(
        self, function: Callable[..., Any], compiler: type[CompilerBase] = KernelCompiler, **options: Any
    ) -> None:
        super().__init__(
            function, locals={}, targetoptions={**self.options, **options}, pipeline_class=compiler
        )
        self._compiler._customize_flags = SettledFlags

    def typeof_pyval(self, value: Any) -> Any:
        """Return the type of an argument."""
        try:
            kind = find_kind(value)
        except NumbaError:
            return super().typeof_pyval(value)
        self._types_active_call.add(kind)
        return kind

    def compile(self, sig: Any) -> Any:
        """Compile the function for one combination of types."""
        with global_compiler_lock, rare_collection(), foreign_fragments():
            return super().compile(sig)


COMPLETED = frozenset(
    (
        *("__code__", "__defaults__", "_cache", "_cache_hits", "_cache_misses", "_compiler", "doc"),
        *("_compiling_counter", "_tm", "_type", "_types_active_call", "func_code"),
        *("locals", "overloads", "targetctx", "typingctx"),
    )
)
"""What a function has as soon as numba can compile it, besides what `Fragment` gives it."""


class Fragment(Kernel):
    """A function that becomes part of the kernels that call it.

    Parameters
    ----------
    function : callable
    **options
        For numba's compiler.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        # What numba needs of a function is made where one is compiled: hundreds are defined that a process
        # with a cache of kernels does not compile.
        update_wrapper(self, function)
        self.py_func = function
        self.targetoptions = {**self.options, "no_cpython_wrapper": True, **options}

    def __getattr__(self, name: str) -> Any:
        if name not in COMPLETED or "overloads" in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}", name=name, obj=self)
        self.complete()
        return getattr(self, name)

    def complete(self) -> None:
        """Make all that numba needs of the function, where that has not been done."""
        if "overloads" not in vars(self):
            Kernel.__init__(self, self.py_func, FragmentCompiler, **self.targetoptions)

    @property
    def _numba_type_(self) -> Any:
        self.complete()
        return types.Dispatcher(self)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how a call is typed."""
        self.complete()
        return super().get_call_template(args, kws)

    def compile(self, sig: Any) -> Any:
        """Translate the function for one combination of types.

        Every function would time itself and so slow down those within it; the kernel around them does that.
        """
        self.complete()
        with global_compiler_lock, self._compiling_counter:
            kinds, result = normalize_signature(sig)
            if (known := self.overloads.get(tuple(kinds))) is not None:
                return known.entry_point
            try:
                compiled = self._compiler.compile(kinds, result)
            except ForceLiteralArg:
                return super().compile(sig)
            self.add_overload(compiled)
            return compiled.entry_point

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, compiled as a kernel of its own."""
        return self._alone(*arguments)

    @cached_property
    def _alone(self) -> Kernel:
        return Kernel(self.py_func)


def _compile_foreign(*functions: Any, **options: Any) -> Any:
    ours = {"pipeline_class": ForeignCompiler, "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
    return jit(*functions, **{**ours, **options})


@contextmanager
def foreign_fragments() -> Iterator[None]:
    """Let numba compile as fragments what it has for functions of Python and NumPy."""
    before = jit_registry.pop(CPU)
    jit_registry[CPU] = _compile_foreign
    try:
        yield
    finally:
        del jit_registry[CPU]
        jit_registry[CPU] = before


@contextmanager
def rare_collection() -> Iterator[None]:
    """Search for garbage rarely: each search visits all that numba has loaded."""
    before = gc.get_threshold()
    if not 0 < before[0] < GARBAGE:
        yield
        return
    gc.set_threshold(GARBAGE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
