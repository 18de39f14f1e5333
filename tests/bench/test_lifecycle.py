"""The bench of a ten years' life, at its smallest: the API's figures agree with the raw readings, and everything is measured."""

from __future__ import annotations

from bench.lifecycle import Size, load, measure
from bench.report import Report
from tests.fix_postgres import PostgresServer


def test_a_small_life_agrees_with_its_raw_readings(postgres_server: PostgresServer, database_url: str) -> None:
    life = load(database_url, Size(days=48))
    report = Report("lifecycle", quick=True)
    measure(report, life, database_url, requests=2)
    agreed, *timed = report.figures
    assert agreed.met
    assert agreed.beside["tenures"] == 8
    assert len(timed) == 3
    assert all(one.value > 0 and one.beside["body_bytes"] > 1000 for one in timed)
