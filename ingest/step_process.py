"""One step process: takes orders over a channel, runs them through a pipeline of its own, reports what became of each.

It knows no broker. Between two orders it keeps its own house: derives again what late readings touched, loads assets that moved
on before a restart. It ends when the receiver does; what it had not committed was not acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

import msgspec
import structlog

from detect.model import Listening
from ingest import collector
from ingest.channel import Channel
from ingest.elsewhere import Aside, Elsewhere
from ingest.parcels import Failure, Order, Report, pack, read_order, unpacked
from ingest.patience import open_pool_patiently
from ingest.pipeline import Outcome, Pipeline, PipelineConfig
from ingest.ports import SystemClock
from ingest.rederive import Rederived, rederive_due
from store.commits import Fenced
from store.transaction import PostgresStore

log = structlog.get_logger(__name__)

HOUSE_EVERY_S = 0.5  # chosen: as the worker that steps by itself


class StepConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a step process is told in its first frame."""

    database_url: str
    pipeline: PipelineConfig
    pool_max: int = 2
    rederive_quiet_us: int = 2_000_000


async def run(end: socket.socket) -> None:
    """Serve orders until the other end is gone or told everything was drained; the first frame is a `StepConfig`."""
    collector.calm()
    channel = await Channel.over(end)
    first = await channel.receive()
    if first is None:
        return
    config = msgspec.msgpack.decode(first, type=StepConfig)
    pool = await open_pool_patiently(config.database_url, config.pool_max, config.pipeline.retry_s_max)
    if pool is None:
        return
    try:
        step_process = StepProcess(config, Pipeline(PostgresStore(pool), config.pipeline, SystemClock()), channel)
        await step_process.serve()
    finally:
        channel.close()
        await pool.close()


class StepProcess:
    """A pipeline behind a channel."""

    def __init__(self, config: StepConfig, pipeline: Pipeline, channel: Channel) -> None:
        self.config = config
        self.pipeline = pipeline
        self.channel = channel
        self._rederived: list[Rederived] = []

    async def serve(self) -> None:
        """Claim the shards and say so, then one report for each order. A failure is the last report."""
        try:
            await self.pipeline.start()
            await self._report(None)
            receiving = asyncio.create_task(self.channel.receive(), name="order")
            while True:
                await self._keep_house_until(receiving)
                frame = receiving.result()
                if frame is None:
                    return
                # Received while this order is worked on, so that an end is noticed at the latest after it.
                receiving = asyncio.create_task(self.channel.receive(), name="order")
                await self._report(await self._carry_out(read_order(frame)))
        except Fenced as error:
            await self._fail("fenced", str(error), sorted(error.shards))
        except TimeoutError as error:
            await self._fail("away", str(error), [])

    async def _keep_house_until(self, receiving: asyncio.Task[bytes | None]) -> None:
        while not receiving.done():
            if self.pipeline.assets_behind:
                await self.pipeline.catch_up()
            self._rederived += await rederive_due(self.pipeline, self.config.rederive_quiet_us)
            await asyncio.wait((receiving,), timeout=0.0 if self.pipeline.assets_behind else HOUSE_EVERY_S)

    async def _carry_out(self, order: Order) -> Outcome:
        if order.listening is not None:
            self.pipeline.listen(Listening(order.listening))
        for group, share in order.contributions:
            self.pipeline.book.hear(group, share)
        elsewhere = Elsewhere(
            clocks={(tenant, feed): time_us for tenant, feed, time_us in order.clocks},
            told=order.told,
            look_again=order.look_again,
        )
        return await self.pipeline.process(unpacked(order.parcels), order.frontier_us, drain=order.drain, elsewhere=elsewhere)

    async def _report(self, outcome: Outcome | None) -> None:
        aside, self.pipeline.aside = self.pipeline.aside, Aside()
        rederived, self._rederived = self._rederived, []
        fields = {} if outcome is None else msgspec.structs.asdict(outcome)
        heard = fields.pop("heard", {})
        report = Report(
            outcome=fields,
            heard=list(heard.items()),
            clocks=[(*feed, time_us) for feed, time_us in aside.clocks.items()],
            told=aside.told,
            earliest=aside.earliest,
            contributions=aside.contributions,
            wake_us=self.pipeline.watch.next_wake_us("live"),
            assets=self.pipeline.assets_in_memory,
            behind=self.pipeline.assets_behind,
            in_question=len(self.pipeline.scene_echoes),
            rederived=[msgspec.structs.asdict(one) for one in rederived],
        )
        with contextlib.suppress(ConnectionError):  # the receiver is gone: nothing of this was acknowledged
            await self.channel.send(pack(report))

    async def _fail(self, kind: str, detail: str, shards: list[int]) -> None:
        log.error("step_process.ended", kind=kind, detail=detail)
        with contextlib.suppress(ConnectionError):
            await self.channel.send(pack(Report(failure=Failure(kind, detail, shards))))
