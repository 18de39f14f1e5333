"""The smallest bench runs end to end, so that bench code cannot rot between two measurements."""

from __future__ import annotations

from bench.report import Report
from bench.servers import Database
from bench.throughput import measure, plans, tell
from tests.fix_postgres import PostgresServer


def test_the_smallest_bench_runs_and_every_contender_loses_nothing(postgres_server: PostgresServer) -> None:
    embedded = postgres_server.embedded
    database = Database(postgres_server.url, None if embedded is None else embedded.pid)
    report = Report("throughput", quick=True)
    for wanted in plans(quick=True):
        tell(report, wanted, measure(database, wanted))
    report.close()
    by_keelwing = [one for one in report.figures if one.name.endswith("keelwing")]
    assert {one.reference for one in by_keelwing} == {"bare", "obvious"}
    assert all(one.value > 0 and one.beside["lost"] == 0 for one in report.figures)
    assert report.document()["figures"]
