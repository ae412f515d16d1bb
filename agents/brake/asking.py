"""Asking the running agent: an answer within two seconds, or it counts as silent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from agents.brake.status import Agent, Status

ANSWER_WITHIN = 2.0
_LARGEST = 4 * 1024 * 1024


async def ask(path: Path, question: str) -> Status | Agent:
    """The agent's answer; else whether it is silent or gone.

    Raises:
        PermissionError: the socket belongs to another user.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            line = await _exchange(path, question)
    except TimeoutError:
        return Agent.SILENT
    except PermissionError:
        raise
    except (OSError, ValueError):
        return Agent.GONE
    if not line:
        return Agent.GONE
    try:
        return msgspec.json.decode(line, type=Status)
    except msgspec.MsgspecError:
        return Agent.SILENT


async def _exchange(path: Path, question: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path, limit=_LARGEST)
    try:
        writer.write(f"{question}\n".encode())
        return await reader.readline()
    finally:
        writer.close()
