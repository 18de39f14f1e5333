"""The monthly pack: what the page says, that it escapes what it says, and that it asks nobody for anything."""

import re
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from api.drawings import Bar, days_svg, track_svg
from api.routes.months import bounds_of
from api.tracks import Fix
from fleet.instants import HOUR_US, from_datetime, to_rfc3339
from tests.api.fix_life import Life
from tests.api.fix_world import Asking, World

NASTY = '<script>alert("1")</script> & Co'


def write_money(url: str, world: World, life: Life) -> None:
    """A report that says a tenth less than was observed under the first lease, and a bucket with three entries."""
    with psycopg.connect(url) as conn:
        conn.execute("SET ROLE keelwing_worker")
        conn.execute(
            "INSERT INTO utilization_report (tenant, lease_id, asset_id, kind, period, figures, received_at) VALUES"
            " ('alpha', %s, %s, 'monthly', tstzrange('2026-05-01', '2026-06-01'), %s, '2026-06-05')",
            [life.first_lease, world.ship, Jsonb({"distance_nm": 3900.0})],
        )
        made = conn.execute(
            "INSERT INTO reserve_account (tenant, lease_id, asset_id, bucket, currency)"
            " VALUES ('alpha', %s, %s, 'drydock', 'USD') RETURNING reserve_account_id",
            [life.first_lease, world.ship],
        ).fetchone()
        assert made is not None
        for kind, amount, day in (("accrual", "62315.03", 6), ("payment", "62315.03", 9), ("adjustment", "100.10", 31)):
            conn.execute(
                "INSERT INTO reserve_entry (tenant, reserve_account_id, kind, month, amount, at)"
                " VALUES ('alpha', %s, %s, '2026-05-01', %s, %s)",
                [made[0], kind, amount, datetime(2026, 5, day, tzinfo=UTC)],
            )


async def test_a_pack_holds_use_beside_the_report_and_the_ledger_and_escapes(ask: Asking, world: World, life: Life) -> None:
    write_money(world.url, world, life)
    await ask("admin").patch(f"/v1/assets/{world.ship}", json={"name": NASTY})

    answer = await ask("viewer").get(f"/v1/assets/{world.ship}/months/2026-05/pack")
    page = answer.text

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert NASTY not in page
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; Co" in page
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "May 2026" in text
    assert "NB-1 nm 4,380.0 3,900.0 -480.0 (-11.0 %) ± " in text  # 438 h at ten knots, a month cut by the tenure
    assert "0.958" in text
    assert "drydock &lt;script&gt;" in text
    assert "62,415.13 USD 62,315.03 USD 0.00 USD 100.10 USD 62,315.03 USD" in text
    assert "voyage CNSHA unknown 2026-05-01 18:00Z lasts confirmed" in text
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*['"]?(?:https?:)?//""", page)


async def test_a_month_of_which_nothing_is_known_says_so(ask: Asking, world: World) -> None:
    page = (await ask("viewer").get(f"/v1/assets/{world.ship}/months/2020-02/pack")).text

    assert "Nothing was observed in this month." in page
    assert "No position in this month." in page


async def test_a_pack_is_the_lessors(ask: Asking, world: World) -> None:
    assert (await ask("lessee").get(f"/v1/assets/{world.ship}/months/2026-05/pack")).status_code == 403
    assert (await ask("beta").get(f"/v1/assets/{world.ship}/months/2026-05/pack")).status_code == 404
    assert (await ask("viewer").get(f"/v1/assets/{world.ship}/months/2026-13/pack")).status_code == 422


def test_a_month_begins_where_its_zone_says() -> None:
    assert [to_rfc3339(each) for each in bounds_of("2026-12", "Asia/Tokyo")] == ["2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z"]
    assert [to_rfc3339(each) for each in bounds_of("2024-02", "UTC")] == ["2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"]


def test_a_track_over_the_antimeridian_is_one_line_and_a_silence_is_dashed() -> None:
    at = from_datetime(datetime(2026, 5, 1, tzinfo=UTC))
    drawn = track_svg([Fix(at, 179.5, 0.0), Fix(at + HOUR_US, -179.5, 0.5), Fix(at + 8 * HOUR_US, -178.0, 1.0)])

    (line,) = re.findall(r'class="track" d="([^"]+)"', drawn)
    places = [float(number) for number in re.findall(r"[ML](-?[\d.]+) ", line)]
    assert places == sorted(places)
    assert max(places) - min(places) < 680
    assert 'class="silent"' in drawn


def test_bars_are_drawn_without_a_value_and_at_the_poles() -> None:
    assert "<rect" in days_svg([Bar("1", 0.0, 1.0)], "nm")
    assert "<path" in track_svg([Fix(0, 0.0, 89.9), Fix(1, 180.0, 89.9)])
