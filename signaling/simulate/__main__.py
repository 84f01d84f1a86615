"""``python -m signaling.simulate``: one job on standard input, a JSON line; the input's end ends us too."""

import asyncio
import logging
import signal
import sys

import msgspec
import uvloop

from signaling.process import allow_many_files
from signaling.simulate.crowd import attend
from signaling.simulate.job import Job


async def main() -> None:
    """Attend until the job is done, the parent is gone, or somebody says stop."""
    loop = asyncio.get_running_loop()
    job = msgspec.json.decode(await loop.run_in_executor(None, sys.stdin.buffer.readline), type=Job)
    attending = asyncio.create_task(attend(job))
    parent = asyncio.create_task(_parent_gone())
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, attending.cancel)
    await asyncio.wait((attending, parent), return_when=asyncio.FIRST_COMPLETED)
    for task in (attending, parent):
        task.cancel()
    results = await asyncio.gather(attending, parent, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _parent_gone() -> None:
    """The pipe from our parent has ended: without it there is no server to be simulated for."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    await reader.read()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s simulate %(message)s")
    allow_many_files()
    uvloop.run(main())
