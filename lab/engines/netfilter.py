"""Applying nft rules in a node's network namespace, from this process.

libnftables is what the `nft` command itself consists of. Called directly it takes a millisecond,
where starting the command may take a hundred on a busy machine: a gap of 300 ms would be one of
400 ms. Where the library is not found the command is started after all.
"""

from __future__ import annotations

import ctypes
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

from lab.engines.faults import LabError
from lab.fibs.namespaces import inside

LIBRARY: Final = "libnftables.so.1"


def apply(network: Path, rules: str, who: str) -> None:
    """Carry out `rules`, all or none; `who` is named where they are refused.

    Raises:
        LabError: refused; says why.
    """
    library = _library()
    said = _command(network, rules) if library is None else _call(library, network, rules)
    if said is not None:
        msg = f"nft on {who}: {said}"
        raise LabError(msg)


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    library.nft_ctx_buffer_error.argtypes = [ctypes.c_void_p]
    library.nft_ctx_buffer_output.argtypes = [ctypes.c_void_p]
    library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    library.nft_ctx_get_error_buffer.argtypes = [ctypes.c_void_p]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library


def _call(library: Any, network: Path, rules: str) -> str | None:
    """What the library says against it; the context's socket is made in the namespace."""
    with inside(network):
        context = library.nft_ctx_new(0)
        try:
            library.nft_ctx_buffer_error(context)
            library.nft_ctx_buffer_output(context)
            if library.nft_run_cmd_from_buffer(context, rules.encode()) == 0:
                return None
            said: bytes = library.nft_ctx_get_error_buffer(context) or b"no word why"
            return said.decode(errors="replace").strip()
        finally:
            library.nft_ctx_free(context)


def _command(network: Path, rules: str) -> str | None:
    argv = ["nsenter", f"--net={network}", "nft", "-f", "-"]
    done = subprocess.run(argv, input=rules, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None
