"""Every error is a problem document, whoever found it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.listing import encode_cursor
from api.settings import ApiSettings
from tests.api.fix_world import Asking, World

SHIP = {"class": "vessel", "name": "X", "identifiers": [{"scheme": "imo", "value": "9319466"}]}


def problem(answer: httpx.Response, status: int) -> dict[str, object]:
    """The answer as a problem document, after the checks that hold for all."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = answer.json()
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["instance"] == answer.request.url.path
    return document


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer kw_wrong"}, {"Authorization": "Bearer"}]
)
@pytest.mark.asyncio(loop_scope="session")
async def test_without_a_key_is_401(look: Asking, header: dict[str, str]) -> None:
    answer = await look(None).get("/v1/assets", headers=header)

    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="keelwing"')


async def test_an_unknown_address_is_404_and_a_wrong_method_405(ask: Asking) -> None:
    problem(await ask("admin").get("/v1/nothing"), 404)
    problem(await ask("admin").get("/nothing"), 404)
    wrong = await ask("admin").delete("/v1/assets")
    problem(wrong, 405)
    assert wrong.headers["allow"] == "GET, POST"
    one = await ask("admin").post("/v1/webhooks/00000000-0000-4000-8000-000000000000")
    assert one.headers["allow"] == "DELETE, GET, PATCH"


FORGED: list[tuple[str, list[object]]] = [
    ("/v1/assets", ["no-uuid"]),
    ("/v1/states", ["\x00"]),
    ("/v1/alerts", [0, "no-uuid"]),
    ("/v1/alerts", [2**62, "00000000-0000-4000-8000-000000000000"]),
    ("/v1/findings", [-(2**62), "a", "b", "c", "d"]),
    ("/v1/findings", [0, "a\x00", "b", "c", "d"]),
    ("/v1/feeds", ["a", "\x00"]),
    ("/v1/rejections", [2**64]),
    ("/v1/alerts/{alert}/revisions", [2**40]),
    ("/v1/assets/{ship}/telemetry", [2**60, "device", 1, 1]),
    ("/v1/assets/{ship}/telemetry?bucket=PT1H", [2**60]),
]


@pytest.mark.parametrize(("path", "key"), FORGED)
@pytest.mark.asyncio(loop_scope="session")
async def test_a_forged_cursor_is_422_pointed_at_and_never_reaches_the_database(
    look: Asking, path: str, key: list[object]
) -> None:
    there = path.format(alert=look.world.alert, ship=look.world.ship)

    answer = await look("admin").get(there, params=dict(httpx.URL(there).params) | {"cursor": encode_cursor(*key)})

    errors = problem(answer, 422)["errors"]
    assert errors == [{"in": "query", "pointer": "#/cursor", "detail": "not a cursor of this list"}]


@pytest.mark.parametrize(
    ("path", "part", "pointer"),
    [
        ("/v1/assets?limit=0", "query", "#/limit"),
        ("/v1/assets?limit=1001", "query", "#/limit"),
        ("/v1/assets?bbox=1,2,3", "query", "#/bbox"),
        ("/v1/assets?identifier=imo", "query", "#/identifier"),
        ("/v1/assets?class=submarine", "query", "#/class"),
        ("/v1/assets?valid_at=yesterday", "query", "#/valid_at"),
        ("/v1/assets?known_at=2026-11-22T07:00:00", "query", "#/known_at"),
        ("/v1/assets?q=%00", "query", "#/q"),
        ("/v1/assets/not-a-uuid", "path", "#/asset_id"),
        ("/v1/findings?from=2026-13-01T00:00:00Z", "query", "#/from"),
        ("/v1/alerts?status=closed", "query", "#/status"),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_a_bad_parameter_is_422_and_pointed_at(look: Asking, path: str, part: str, pointer: str) -> None:
    errors = problem(await look("admin").get(path), 422)["errors"]

    assert [(each["in"], each["pointer"]) for each in errors] == [(part, pointer)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**SHIP, "name": ""}, "#/name"),
        ({**SHIP, "colour": "red"}, "#/colour"),
        ({**SHIP, "identifiers": []}, "#/identifiers"),
        ({**SHIP, "identifiers": [{"scheme": "imo", "value": "12"}]}, "#/identifiers/0"),
        ({**SHIP, "identifiers": [{"scheme": "imo"}]}, "#/identifiers/0/value"),
        ({**SHIP, "identifiers": SHIP["identifiers"] * 2}, "#/identifiers/1"),  # type: ignore[operator]
        ({**SHIP, "particulars": {"a/b~c": "\x00"}}, None),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_a_bad_body_is_422_and_pointed_at(look: Asking, body: object, pointer: str | None) -> None:
    errors = problem(await look("admin").post("/v1/assets", json=body), 422).get("errors")

    if pointer is not None:
        assert [(each["in"], each["pointer"]) for each in errors] == [("body", pointer)]  # type: ignore[attr-defined]


async def test_a_body_that_is_no_json_is_400(ask: Asking) -> None:
    problem(await ask("admin").post("/v1/assets", content=b"{", headers={"Content-Type": "application/json"}), 400)


async def test_a_body_too_large_is_413_announced_or_not(ask: Asking) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 10_000

    problem(await ask("admin").post("/v1/assets", content=b" " * 300_000), 413)
    problem(await ask("admin").post("/v1/assets", content=pieces(), headers={"Content-Type": "application/json"}), 413)


async def test_a_plus_that_arrived_as_a_space_is_read_as_the_plus(ask: Asking) -> None:
    assert (await ask("admin").get("/v1/findings?from=2026-11-20T00:00:00+00:00")).status_code == 200


async def test_a_crash_is_500_and_says_nothing_of_the_inside(ask: Asking) -> None:
    ask.app.state.pool = lambda: 1 / 0
    transport = httpx.ASGITransport(ask.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers={"Authorization": "Bearer kw_x"}) as client:
        document = problem(await client.get("/v1/assets"), 500)

    assert "division" not in str(document)


async def test_a_database_away_is_503_and_unready(ask: Asking, world: World) -> None:
    await ask.app.state.pool_open.close()

    answer = await ask("admin").get("/v1/assets")

    assert problem(answer, 503)["reason"] == "database_away"
    assert answer.headers["retry-after"]
    unready = await ask(None).get("/readyz")
    assert (unready.status_code, unready.json()["checks"]["database"]) == (503, "away")
    assert (await ask(None).get("/healthz")).json() == {"status": "ok", "version": "0.1.0", "checks": {}}


async def test_health_readiness_and_metrics_need_no_key(ask: Asking) -> None:
    ready = await ask(None).get("/readyz")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": "ok", "migrations": "ok"})
    await ask("admin").get("/v1/assets")

    text = (await ask(None).get("/metrics")).text

    assert 'keelwing_api_requests_total{method="GET",route="/v1/assets",status="200"} 1.0' in text


async def test_the_page_is_served_with_its_policy_or_a_sentence_instead(tmp_path: Path) -> None:
    def client(directory: Path) -> httpx.AsyncClient:
        built = create_app(ApiSettings(database_url="postgresql://nobody@127.0.0.1:1/none", page_directory=directory))
        return httpx.AsyncClient(transport=httpx.ASGITransport(built), base_url="http://api")

    async with client(tmp_path / "none") as browser:
        missing = await browser.get("/")
    assert "not built" in missing.text
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-abc.js").write_text("1;" * 2000)
    (tmp_path / "index.html").write_text("<p>page")
    (tmp_path / "icon.svg").write_text("<svg/>")

    async with client(tmp_path) as browser:
        page, script, icon = await browser.get("/"), await browser.get("/assets/main-abc.js"), await browser.get("/icon.svg")
        post = await browser.post("/v1/alerts")
        manual = await browser.get("/docs")

    assert (page.text, page.headers["cache-control"]) == ("<p>page", "no-cache")
    assert "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:" in page.headers["content-security-policy"]
    assert "immutable" in script.headers["cache-control"]
    assert (script.headers["content-encoding"], len(script.text)) == ("gzip", 4000)
    assert icon.text == "<svg/>"
    problem(post, 405)
    assert "/v1/assets/{asset_id}/track" in manual.text
