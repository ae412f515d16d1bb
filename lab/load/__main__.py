"""``python -m lab.load PLAN``: says `ready`, starts when its input says, stops where that ends.

It is talked to over its input because a signal would end at the `nsenter` in between; so it also
ends with whoever started it.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import msgspec

from lab.load.plan import Plan
from lab.load.sending import send


async def _main(plan: Plan) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    line = await reader.readline()
    if not line.strip().isdigit():
        return
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_until_end(reader, stop), name="input")
        tasks.create_task(send(plan, int(line), stop), name="load")


async def _until_end(reader: asyncio.StreamReader, stop: asyncio.Event) -> None:
    await reader.read()
    stop.set()


def main() -> None:
    """Decode the plan and send it."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    gc.disable()  # a collection is a pause of all probes at once
    asyncio.run(_main(plan))


if __name__ == "__main__":
    main()
