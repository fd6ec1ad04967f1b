"""Compiled kernels as they are kept, and made callable again without what only compilation needs.

numba would first load all that it has for functions of Python and NumPy, which takes longer than everything
else that a process does before its first kernel runs. A kernel that is compiled needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from llvmlite import binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult
from numba.core.runtime import _nrt_python


class Stored(NamedTuple):
    """A compiled kernel.

    Parameters
    ----------
    name : str
        Of its library.
    machine_code : bytes
    code : bytes
        What other kernels are compiled with that call it.
    description, environment, signature : object
        What numba knows of the function and its types.
    initializers : tuple of callable
        Called before it is used.
    environments : tuple of object
        Of the functions in it that have constants of Python.
    symbols : tuple of str
        Names of the functions and objects of Python, NumPy and C that it refers to.
    """

    name: str
    machine_code: bytes
    code: bytes
    description: Any
    environment: Any
    signature: Any
    initializers: tuple[Any, ...]
    environments: tuple[Any, ...]
    symbols: tuple[str, ...]


class LoadedLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code of a kernel that was compiled by another process."""

    code = b""
    parsed: Any = None

    def _get_module_for_linking(self) -> Any:
        if self.parsed is None:
            self.parsed = llvm.parse_bitcode(self.code)
        return self.parsed


def store(compiled: Any) -> Stored:
    """Return what has to be kept of a compiled kernel.

    Parameters
    ----------
    compiled : CompileResult

    Returns
    -------
    Stored
    """
    name, _, (machine_code, code) = compiled.library.serialize_using_object_code()
    description = compiled.fndesc
    description.typemap = description.calltypes = None  # neither needed nor always possible to keep
    # those without constants are never read, and each would load the module of its function
    environments = tuple(item for item in compiled._find_referenced_environments() if item.consts)
    return Stored(
        name, machine_code, code, description, compiled.environment, compiled.signature,
        tuple(compiled.reload_init), environments, tuple(_find_symbols(compiled.library)),
    )  # fmt: skip


def restore(target: Any, stored: Stored) -> Any:
    """Make a kernel callable.

    Parameters
    ----------
    target : BaseContext
        Of numba, for the processor.
    stored : Stored

    Returns
    -------
    CompileResult
    """
    provide_symbols()
    if not all(map(llvm.address_of_symbol, stored.symbols)):
        target.refresh()  # loads everything that kernels may refer to
    for initialize in stored.initializers:
        initialize()
    codegen, description = target.codegen(), stored.description
    library = LoadedLibrary(codegen, stored.name)
    library.code = stored.code
    library.enable_object_caching()
    library._set_compiled_object(stored.machine_code)
    library._finalize_final_module()
    codegen._engine._defined_symbols |= {description.llvm_func_name, description.llvm_cpython_wrapper_name}
    entry = target.get_executable(library, description, stored.environment)
    for environment in stored.environments:
        codegen.set_env(environment.env_name, environment)
    known = dict.fromkeys(CompileResult._fields)
    known |= {
        "typing_context": target.typing_context, "target_context": target, "entry_point": entry,
        "type_annotation": "", "signature": stored.signature, "objectmode": False, "lifted": (),
        "fndesc": description, "library": library, "environment": stored.environment,
        "reload_init": stored.initializers, "referenced_envs": stored.environments,
    }  # fmt: skip
    return CompileResult(**known)


def _find_symbols(library: Any) -> Iterator[str]:
    module = library._final_module
    for item in (*module.functions, *module.global_variables):
        if item.is_declaration and not item.name.startswith("llvm."):
            yield item.name


@cache
def provide_symbols() -> None:
    """Tell LLVM the addresses of numba's functions that compiled kernels call."""
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
