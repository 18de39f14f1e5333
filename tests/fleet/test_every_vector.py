"""Every worked figure of the domain has a row in `docs/formulas.md`, a public function behind it, and a test that loads it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fleet.fix_vectors import vector_ids

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "formulas.md"
NAMES = re.compile(r"`([^`]+)`")


class Row(NamedTuple):
    """One line of the table: vectors (none: a formula without a worked figure), functions, tests."""

    vectors: tuple[str, ...]
    functions: tuple[str, ...]
    tests: tuple[str, ...]


def rows() -> list[Row]:
    """The table; what stands in parentheses says which part of a vector is meant."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        Row(tuple(NAMES.findall(re.sub(r"\([^)]*\)", "", said))), tuple(NAMES.findall(by)), tuple(NAMES.findall(tried)))
        for said, by, tried in cells
    ]


ROWS = rows()


def found(name: str) -> Any:
    """What a dotted name leads to: a module's function, or a method of its class. Raises AttributeError or ImportError."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            here: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            here = getattr(here, part)
        return here
    raise ImportError(name)


@pytest.mark.parametrize("vector_id", vector_ids())
def test_a_vector_has_a_function_and_a_test_that_loads_it(vector_id: str) -> None:
    own = [row for row in ROWS if vector_id in row.vectors]
    assert own, f"{vector_id} has no row in docs/formulas.md"
    assert all(row.functions and row.tests for row in own)
    for test in {test for row in own for test in row.tests}:
        text = (ROOT / test).read_text()
        assert "tests.fleet.fix_vectors import" in text, f"{test} loads no vector"
        assert f'"{vector_id}"' in text, f"{test} does not name {vector_id}"


@pytest.mark.parametrize("name", sorted({name for row in ROWS for name in row.functions}))
def test_a_function_of_the_table_can_be_imported_and_is_public_and_described(name: str) -> None:
    function = found(name)
    assert callable(function)
    assert function.__doc__
    assert not any(part.startswith("_") for part in name.split("."))


def test_the_table_names_no_vector_that_the_file_does_not_hold() -> None:
    assert {name for row in ROWS for name in row.vectors} <= set(vector_ids())


def test_every_test_of_the_table_is_there() -> None:
    assert {test for row in ROWS for test in row.tests if not (ROOT / test).is_file()} == set()
