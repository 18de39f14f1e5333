"""The OpenAPI document, its examples, the documentation page, and a fuzzer's view of the whole API."""

import re
from itertools import islice
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from api import documents
from api.app import create_app
from api.manual import page
from api.problem import ProblemDocument
from api.settings import ApiSettings
from tests.api.fix_served import START_S, serving
from tests.api.fix_world import Asking, World

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
EXAMPLES_MAX = 8
PARTS = 8  # of the document's operations, so that each has the time limit of a test
METHODS = {"get", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document of an application that never starts."""
    found: dict[str, Any] = create_app(ApiSettings(database_url="postgresql://nobody@127.0.0.1:1/none")).openapi()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every (method, path, operation)."""
    return [
        (method, path, found) for path, item in document["paths"].items() for method, found in item.items() if method in METHODS
    ]


def test_every_operation_has_words_and_an_example_of_its_answer(document: dict[str, Any]) -> None:
    assert len(operations(document)) >= 35
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        for status, answer in operation["responses"].items():
            assert answer["description"], where
            for content in answer.get("content", {}).values():
                assert "example" in content, f"{where} {status}"
        body = operation.get("requestBody")
        if body is not None:
            text = msgspec.json.encode((body, document["components"]["schemas"])).decode()
            assert "examples" in text, where


def test_every_example_is_what_its_shape_says(document: dict[str, Any]) -> None:
    shapes: dict[str, Any] = {shape.__name__: shape for shape in documents.SHAPES} | {"ProblemDocument": ProblemDocument}
    seen = 0
    for method, path, operation in operations(document):
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                schema, example = content["schema"], content["example"]
                if "properties" in schema and "$ref" in schema["properties"].get("items", {}).get("items", {}):
                    schema, example = schema["properties"]["items"]["items"], example["items"][0]
                name = schema.get("$ref", "").rpartition("/")[2]
                if name:
                    assert msgspec.to_builtins(msgspec.convert(example, shapes[name])) is not None, f"{method} {path}"
                    seen += 1
    assert seen > 150


def test_errors_are_described_as_problem_documents(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and path != "/readyz":
                assert list(answer["content"]) == ["application/problem+json"], f"{method} {path} {status}"


def test_the_documentation_page_names_every_operation_and_asks_nobody(document: dict[str, Any]) -> None:
    text = page(document)

    for method, path, _ in operations(document):
        assert f"<b>{method.upper()}</b> <code>{path}</code>" in text
    assert "<script" not in text
    assert not re.search(r"""(?:src|href)=['"](?:https?:)?//""", text)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_document_is_served_to_anybody(look: Asking, document: dict[str, Any]) -> None:
    answer = await look(None).get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["paths"] == document["paths"]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_the_schema_allows_or_forbids_ends_in_a_fault(world: World, document: dict[str, Any], part: int) -> None:
    """Hypothesis draws requests out of the document, good and bad; half of those about an asset or alert name a real one."""
    with serving(ApiSettings(database_url=world.url, port=0, pool_max=6)) as served:
        schema = schemathesis.openapi.from_dict(document)
        tried = 0
        for found in islice(schema.get_all_operations(), part, None, PARTS):
            assert isinstance(found, Ok)
            operation = found.ok()
            if operation.path == "/v1/stream":  # it does not end
                continue
            tried += _probe(served.url, operation, GenerationMode.POSITIVE, world)
            if operation.path.startswith("/v1"):  # the others take nothing that could be wrong
                tried += _probe(served.url, operation, GenerationMode.NEGATIVE, world)
    assert tried > 300 / PARTS


def _probe(url: str, operation: Any, mode: GenerationMode, world: World) -> int:
    """Send drawn requests for one operation; returns how many."""
    tried = 0
    real = {
        "asset_id": world.ship, "alert_id": world.alert, "finding_id": world.finding,
        "lease_id": world.lease, "party_id": world.lessee,
    }  # fmt: skip

    @settings(
        max_examples=EXAMPLES_MAX, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), named=st.booleans())
    def probe(case: Case[Any], named: bool) -> None:
        nonlocal tried
        if named:
            case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {world.keys['admin']}"}, timeout=START_S)
        tried += 1
        case.validate_response(response, checks=CHECKS)

    probe()
    return tried
