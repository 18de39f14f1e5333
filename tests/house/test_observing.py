"""The dashboard, the alert rules and the scrape configuration: every expression parses and speaks of metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry

from alerts.metrics import NotifierMetrics
from api.metrics import Metrics
from ingest.metrics import WorkerMetrics
from tests.house.fix_tree import ROOT

DASHBOARD = ROOT / "deploy/grafana/keelwing.json"
RULES = ROOT / "deploy/prometheus/keelwing.rules.yml"
SCRAPES = ROOT / "deploy/prometheus/prometheus.yml"
FOREIGN = {"up": "gauge", "process_cpu_seconds_total": "counter", "process_resident_memory_bytes": "gauge"}
"""What Prometheus and its client library say by themselves."""
OF_SCRAPE = {"job", "instance", "le"}
OVER_COUNTERS = {"rate", "increase", "irate"}


def registries() -> Iterator[CollectorRegistry]:
    yield from (Metrics().registry, NotifierMetrics().registry, WorkerMetrics(ROOT).registry)


@pytest.fixture(scope="module")
def known() -> dict[str, tuple[str, set[str]]]:
    """Type and labels of every series that can be asked for."""
    found: dict[str, tuple[str, set[str]]] = {name: (kind, set()) for name, kind in FOREIGN.items()}
    for registry in registries():
        labels = {
            name: set(getattr(one, "_labelnames", ())) for one, names in registry._collector_to_names.items() for name in names
        }
        for family in registry.collect():
            own = labels.get(family.name, set()) | set(getattr(family, "_labelnames", ()))
            if family.type == "histogram":
                found |= {f"{family.name}_{part}": ("counter", own) for part in ("bucket", "sum", "count")}
            else:
                found[f"{family.name}_total" if family.type == "counter" else family.name] = (family.type, own)
    return found


def dashboard() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return parsed


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """(where, expression) of both."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for rule in rules():
        yield rule["alert"], rule["expr"]


def nodes(expression: promql_parser.Expr, above: tuple[promql_parser.Expr, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every part of an expression with what encloses it."""
    yield expression, above
    children = [
        getattr(expression, name) for name in ("lhs", "rhs", "expr", "param", "vector_selector") if hasattr(expression, name)
    ]
    for child in (*children, *getattr(expression, "args", ())):
        if isinstance(child, promql_parser.Expr):
            yield from nodes(child, (*above, expression))


def selectors(expression: promql_parser.Expr) -> Iterator[tuple[str, promql_parser.VectorSelector, tuple[Any, ...]]]:
    """Every series asked for: its name, the selector, and what encloses it."""
    for node, above in nodes(expression):
        if isinstance(node, promql_parser.VectorSelector):
            yield node.name or "", node, above


def test_every_expression_parses_and_asks_for_series_and_labels_that_exist(known: dict[str, tuple[str, set[str]]]) -> None:
    wrong: list[str] = []
    for where, text in expressions():
        parsed = promql_parser.parse(text)
        wrong += [f"{where}: {name}" for name, _, _ in selectors(parsed) if name not in known]
        for name, selector, _ in selectors(parsed):
            asked = {matcher.name for matcher in selector.matchers.matchers}
            wrong += [f"{where}: {name}{{{label}}}" for label in asked - known[name][1] - OF_SCRAPE]
        for node, _ in nodes(parsed):
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
                inner = {label for name, _, _ in selectors(node) for label in known[name][1]}
                wrong += [f"{where}: by {label}" for label in set(node.modifier.labels) - inner - OF_SCRAPE]
    assert wrong == []


def test_counters_are_asked_for_their_increase_and_gauges_for_their_value(known: dict[str, tuple[str, set[str]]]) -> None:
    wrong: list[str] = []
    for where, text in expressions():
        for name, _, above in selectors(promql_parser.parse(text)):
            calls = {one.func.name for one in above if isinstance(one, promql_parser.Call)}
            if (known[name][0] == "counter") != bool(calls & OVER_COUNTERS):
                wrong.append(f"{where}: {name} within {sorted(calls)}")
    assert wrong == []


def bare(series: str) -> str:
    """The metric of a series of a histogram."""
    return re.sub(r"_(bucket|sum|count)$", "", series)


def test_no_metric_is_left_out(known: dict[str, tuple[str, set[str]]]) -> None:
    asked = {bare(name) for _, text in expressions() for name, _, _ in selectors(promql_parser.parse(text))}
    ours = {bare(name) for name in known if name.startswith("keelwing_")}
    assert ours - asked == {"keelwing_worker_messages_total"}  # the readings in them are shown


def test_the_dashboard_is_whole() -> None:
    board = dashboard()
    assert board["schemaVersion"] >= 39
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        own = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not own & cells, panel["title"]
        cells |= own
        for target in panel.get("targets", ()):
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["type"] == "row" or panel["description"]


def test_every_alert_says_how_grave_it_is_and_is_explained() -> None:
    text = (ROOT / "docs/metrics.md").read_text().partition("## Alerts")[2]
    named = [rule["alert"] for rule in rules()]
    assert len(set(named)) == len(named)
    assert set(re.findall(r"`(Keelwing\w+)`", text)) == set(named)
    for rule in rules():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert rule["annotations"]["summary"]


def test_the_jobs_are_those_that_rules_and_dashboard_know() -> None:
    scrapes = yaml.safe_load(SCRAPES.read_text())
    jobs = {one["job_name"] for one in scrapes["scrape_configs"]}
    asked = {job for _, text in expressions() for job in re.findall(r'job="([^"]+)"', text)}
    assert jobs == asked == {"keelwing-worker", "keelwing-notifier", "keelwing-api"}
    assert scrapes["rule_files"] == [RULES.name]
