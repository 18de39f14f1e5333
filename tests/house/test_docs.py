"""What exists is documented, and what is documented exists: settings, commands, rules, metrics, paths, reasons, names, links."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
import typer
from packaging.utils import canonicalize_name
from prometheus_client import CollectorRegistry

from alerts.metrics import NotifierMetrics
from api.app import create_app
from api.metrics import Metrics
from api.settings import ApiSettings
from detect import feed_silent, identity_changed
from detect.scene_watch import RULES as SCENE_RULES
from detect.step import RULES
from fleet.asset_class import ASSET_CLASSES
from fleet.calendar_rules import FIGURES as CALENDAR_FIGURES
from fleet.calendar_rules import RULES as CALENDAR_RULES
from fleet.identifiers import SCHEME_FORMS
from fleet.lease import FORMS, Terms
from fleet.lease_phase import FOLLOWS, TRANSITIONS
from fleet.reading import STATIC_FIELDS
from fleet.stage import PASSAGES, STATUSES
from ingest.metrics import WorkerMetrics
from keelwing.cli import app
from keelwing.settings import PREFIX, TEST_VARIABLES, Settings
from tests.house.fix_tree import ROOT, definitions, trees

PAGES = ("README.md", "DECISIONS.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
METHODS = ("get", "post", "put", "patch", "delete")


@cache
def described_api() -> dict[str, Any]:
    """The API's own description, made once."""
    described: dict[str, Any] = create_app(ApiSettings(database_url="postgresql://nobody@127.0.0.1/nowhere")).openapi()
    return described


def page(name: str) -> str:
    return (ROOT / name).read_text()


def commands() -> Iterator[str]:
    """Every command of the command line as one types it, without the program."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        yield from [name] if inner is None else (f"{name} {sub}" for sub in inner)


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    table = page("docs/operate.md").partition("<!-- settings -->")[2].partition("<!-- end of settings -->")[0]
    wanted = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "unset" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        wanted.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    rows = [line for line in table.splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == wanted


@pytest.mark.parametrize("name", PAGES)
def test_every_variable_named_is_a_setting(name: str) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields} | TEST_VARIABLES
    named = set(re.findall(r"\bKEELWING_[A-Z_]+", page(name)))
    assert named <= known


def test_every_check_of_the_doctor_is_explained() -> None:
    made = set(re.findall(r'"((?:settings|data|http|worker|notifier|database|broker)\.\w+)"', page("keelwing/doctor.py")))
    made |= {"database.login_worker", "database.login_api"}
    table = page("docs/operate.md").partition("## Doctor")[2].partition("\n## ")[0]
    assert set(re.findall(r"`((?:settings|data|http|worker|notifier|database|broker)\.\w+)`", table)) == made


def test_every_command_is_documented() -> None:
    text = page("docs/operate.md")
    assert [name for name in commands() if f"| `keelwing {name}" not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_named_is_a_command_with_its_options(name: str) -> None:
    root = typer.main.get_command(app)
    text = page(name)
    for line in re.findall(r"(?:`|^\$ )keelwing ([a-z][^`\n]*)", text, re.MULTILINE):
        words = line.split()
        command = root.commands.get(words[0])  # type: ignore[attr-defined]
        assert command is not None, line
        if hasattr(command, "commands") and len(words) > 1:
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"--[a-z][a-z-]*", line)) <= known, line


def test_the_readme_starts_with_exactly_two_commands() -> None:
    text = page("README.md")
    assert re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) == ["make demo\n", "make test\n"]
    code = re.findall(r"`[^`\n]+`|^```.*?^```$", text, re.MULTILINE | re.DOTALL)
    assert {found for one in code for found in re.findall(r"\bmake [a-z]+", one)} == {"make demo", "make test"}


def test_every_rule_is_explained_and_listed() -> None:
    explained = re.findall(r"^## (\w+)$", page("detect/RULES.md"), re.MULTILINE)
    listed = re.findall(
        r"^\| \[(\w+)\]\(\.\./detect/RULES\.md#(\w+)\) \| ([^|]+) \| ([^|]+) \|", page("docs/rules.md"), re.MULTILINE
    )
    watched = {rule.name: rule.classes for rule in RULES} | {identity_changed.NAME: identity_changed.CLASSES}
    apart = {**SCENE_RULES, feed_silent.NAME: feed_silent.CLASSES}
    assert [name for name in explained if name not in apart] == [*watched]
    assert sorted(explained) == sorted(watched | apart)
    assert [(name, anchor) for name, anchor, _, _ in listed] == [(name, name) for name in explained]
    for name, _, _, classes in listed:
        assert {each.strip() for each in classes.split(",")} == (watched | apart)[name]


def test_every_rule_of_the_calendar_is_explained_and_listed() -> None:
    explained = re.findall(r"^### (\w+)$", page("docs/calendar.md"), re.MULTILINE)
    row = r"^\| \[(\w+)\]\(calendar\.md#(\w+)\) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|"
    listed = re.findall(row, page("docs/rules.md"), re.MULTILINE)
    assert explained == [rule.name for rule in CALENDAR_RULES]
    assert listed == [(rule.name, rule.name, " or ".join(rule.severities), rule.owner, rule.says) for rule in CALENDAR_RULES]


def test_every_figure_of_the_calendar_is_named_on_its_page() -> None:
    text = page("docs/calendar.md")
    assert [figure.name for figure in CALENDAR_FIGURES if f"`{figure.name}`" not in text] == []


def test_every_metric_is_documented_with_its_type_and_none_that_is_not() -> None:
    wanted: dict[str, str] = {}
    for families in (Metrics().registry, WorkerMetrics(ROOT).registry, NotifierMetrics().registry):
        wanted |= {name: kind for name, kind in metric_types(families).items() if name.startswith("keelwing_")}
    rows = re.findall(r"^\| `(keelwing_\w+)(?:\{[^}]+\})?` \| (\w+) \|", page("docs/metrics.md"), re.MULTILINE)
    assert dict(rows) == wanted
    assert len(rows) == len(wanted)


def metric_types(registry: CollectorRegistry) -> dict[str, str]:
    """Every metric of a registry as Prometheus names it, with its type."""
    return {f"{one.name}_total" if one.type == "counter" else one.name: one.type for one in registry.collect()}


def test_every_operation_of_the_api_is_documented_and_none_that_is_not() -> None:
    described = described_api()
    there = {f"{method.upper()} {path}" for path, one in described["paths"].items() for method in one if method in METHODS}
    text = page("docs/api.md")
    documented = set(re.findall(r"\b((?:GET|POST|PUT|PATCH|DELETE) /(?:v1|healthz|readyz|metrics)[^`\s,|]*)", text))
    documented -= {"GET /docs", "GET /openapi.json"}
    assert documented == there


@pytest.mark.parametrize("name", PAGES)
def test_every_path_of_the_api_that_a_page_names_is_there(name: str) -> None:
    described = described_api()
    named = set(re.findall(r"(?:GET|POST|PATCH|DELETE) (/v1[^`\s,|?]*)", page(name)))
    assert named <= set(described["paths"])


def test_every_form_term_event_and_guard_of_leases_is_documented() -> None:
    text = page("docs/leases.md")
    terms = {field.name for field in msgspec.structs.fields(Terms)}
    events = {kind for kind in TRANSITIONS if kind not in FOLLOWS} | set(PASSAGES)
    open_ones = {f"{status}_started" for status in STATUSES if status == "maintenance"}
    guards = {guard for step in TRANSITIONS.values() for guard in step.guards} - {"not_lost", "after_delivery"}
    assert {name for name in {*FORMS, *terms, *events, *open_ones, *guards} if f"`{name}`" not in text} == set()


def test_every_field_scheme_and_reason_of_the_wire_is_documented() -> None:
    text = page("docs/mqtt.md")
    fields = {field.name for one in ASSET_CLASSES.values() for field in one.fields} | {field.name for field in STATIC_FIELDS}
    assert {name for name in fields | set(SCHEME_FORMS) if f"`{name}`" not in text} == set()
    assert {reason for reason in reasons() if f"`{reason}`" not in text} == set()


def reasons() -> set[str]:
    """Every reason code by which something is rejected, as the code writes them."""
    found: set[str] = set()
    for path, tree in trees(("ingest", "fleet")).items():
        if str(path) not in {"ingest/decode.py", "ingest/routing.py", "ingest/pipeline.py", "fleet/identifiers.py"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_RefusedError":
                found |= {str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)}
            if isinstance(node, ast.keyword) and node.arg == "reason" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
        found |= set(
            re.findall(
                r'"(unknown_scheme|malformed_identifier|unknown_tenant|too_many_feeds)"', ast.unparse(tree).replace("'", '"')
            )
        )
    assert len(found) > 15
    return found


def test_every_file_and_function_of_the_way_is_there() -> None:
    text = page("docs/way-of-a-reading.md")
    files = set(re.findall(r"`((?:\w+/)+[\w.-]+\.(?:py|ts|sql))`", text))
    assert files
    assert {name for name in files if not (ROOT / name).is_file()} == set()
    defined = {node.name for path in trees() for node in definitions(path)}
    named = set(re.findall(r"`([A-Z]\w+(?:\.\w+)?|_?[a-z]\w+)(?:\([^`]*\))?`", text))
    words = {"detect", "ingest", "store", "RULES", "KEELWING_BATCH_READINGS_MAX", "KEELWING_BATCH_WAIT_MS", "None"}
    missing = {one for one in named - words if not set(one.split(".")) <= defined}
    assert missing == set()


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    here = (ROOT / name).parent
    prose = re.sub(r"^```.*?^```$", "", page(name), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)", prose):
        path = (here / target) if target else ROOT / name
        assert path.exists(), f"{name}: {target}"
        if anchor:
            headings = [heading.strip("#").strip() for heading in re.findall(r"^#+ .+$", path.read_text(), re.MULTILINE)]
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                f"{name}: #{anchor}"
            )


def test_decisions_have_a_number_each_and_say_their_price() -> None:
    text = page("DECISIONS.md")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    assert sorted(set(numbers)) == sorted(numbers)
    entries = re.split(r"^\d+\. (?=\*\*)", text.partition("## Libraries")[0], flags=re.MULTILINE)[1:]
    assert [number for number, entry in enumerate(entries, 1) if "*Price*" not in entry] == []


def test_every_library_has_its_reason() -> None:
    reasons_given = set(re.findall(r"[a-z][a-z0-9-]+", page("DECISIONS.md").partition("## Libraries")[2]))
    providers = importlib.metadata.packages_distributions()
    used: set[str] = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            used |= {canonicalize_name(provider) for name in names for provider in providers.get(name.partition(".")[0], [])[:1]}
    transitive = {"keelwing", "pydantic", "pydantic-core", "starlette", "typing-extensions", "click"}
    assert len(used) > 15
    assert used - transitive - reasons_given == set()


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs").iterdir():
        assert path.stat().st_size < 300_000
    assert (ROOT / "docs" / "flow.svg").stat().st_size < 100_000
