"""Columns of values as arrays: what the server reads is what was given."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.instants import from_datetime
from store import arrays
from store.staging import INSTANT

Column = tuple[str, str, list[Any]]


def values(kind: str, type_name: str, one: st.SearchStrategy[Any]) -> st.SearchStrategy[Column]:
    several = st.lists(one, max_size=9) | st.lists(st.none() | one, max_size=9)
    return st.tuples(st.just(kind), st.just(type_name), several)


COLUMN = (
    values("int8", "bigint", st.integers(-(2**63), 2**63 - 1))
    | values("int4", "integer", st.integers(-(2**31), 2**31 - 1))
    | values("int2", "smallint", st.integers(-(2**15), 2**15 - 1))
    | values("bytea", "bytea", st.binary())
    | values("uuid", "uuid", st.uuids().map(str))
    | values("float8", "float8", st.floats(allow_nan=False))
    | values("bool", "boolean", st.booleans())
    | values("text", "text", st.text(st.characters(codec="utf-8", exclude_characters="\0")))
    | values("jsonb", "jsonb", st.dictionaries(st.text("ab_", min_size=1), st.floats(-1e9, 1e9)))
    | values(INSTANT, "timestamptz", st.datetimes().map(lambda at: round(at.timestamp() * 1e6)))
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url) as opened:
        opened.execute("SET TIME ZONE 'UTC'")
        arrays.register(opened.adapters)
        yield opened


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COLUMN)
def test_the_server_reads_what_was_given(connection: psycopg.Connection[Any], column: Column) -> None:
    kind, type_name, given_values = column
    asked = f"SELECT held FROM unnest(%s::{type_name}[]) WITH ORDINALITY AS held (held, place) ORDER BY place"
    read = [row[0] for row in connection.execute(asked, [arrays.array(kind, given_values)])]
    if kind == INSTANT:
        read = [None if one is None else from_datetime(one) for one in read]
    if kind == "uuid":
        read = [None if one is None else str(one) for one in read]
    assert read == given_values


def test_rows_become_one_array_a_column(connection: psycopg.Connection[Any]) -> None:
    binds = arrays.columns({"name": "text", "count": "int4"}, [("b", 2), ("a", None)])
    read = connection.execute("SELECT * FROM unnest(%(name)s::text[], %(count)s::integer[])", binds).fetchall()
    assert read == [("b", 2), ("a", None)]


def test_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        arrays.columns({"name": "text", "count": "int4"}, [("b", 2), ("a",)])
