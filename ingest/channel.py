"""Frames between the receiver and a step process over a socket pair: four bytes of length, then the frame."""

from __future__ import annotations

import asyncio
import socket

FRAME_BYTES_MAX = 1 << 30  # a window of the largest messages, and what is packed around them, is far below
LENGTH_BYTES = 4


class Channel:
    """One end. `receive` gives None when the other end is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """A channel over a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=end))

    async def send(self, frame: bytes) -> None:
        """Send a frame; returns when the socket has room for more. Raises ConnectionError when the other end is gone."""
        self._writer.write(len(frame).to_bytes(LENGTH_BYTES))
        self._writer.write(frame)
        await self._writer.drain()

    async def receive(self) -> bytes | None:
        """The next frame. Raises ValueError for a length that no frame of ours has (a programmer's error)."""
        try:
            length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
            if length > FRAME_BYTES_MAX:
                raise ValueError(f"a frame of {length} bytes")
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """End it; the other side receives None."""
        self._writer.close()
