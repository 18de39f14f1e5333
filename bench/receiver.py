"""A webhook's receiver: a process of its own that says 200 at once and writes down when each event came.

Each line of its file is a JSON object: `at_us` (wall time when the request was whole) and `event` (its body).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


async def serve(port: int, path: Path) -> None:
    """Answer for ever."""
    with path.open("ab", buffering=0) as out:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
                    lengths = [line.partition(":")[2] for line in head if line.startswith("content-length:")]
                    body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                    out.write(b'{"at_us":%d,"event":%s}\n' % (time.time_ns() // 1000, body))
                    writer.write(ANSWER)
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()  # the sender keeps a connection as long as it likes

        server = await asyncio.start_server(answer, "127.0.0.1", port)
        async with server:
            await server.serve_forever()


def main() -> None:
    """Receive until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.out))


if __name__ == "__main__":
    main()
