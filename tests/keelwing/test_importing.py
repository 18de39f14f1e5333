"""`keelwing import`: the same way as the API, each file whole or not at all, a second time nothing."""

from pathlib import Path

import pytest

from keelwing.importing import import_all, lines_of
from store import registry
from store.pool import open_pool


async def test_files_are_imported_each_whole_or_not_at_all(database_url: str, tmp_path: Path) -> None:
    pool = await open_pool(database_url, "keelwing_worker", 1)
    async with pool.connection() as conn:
        await registry.create_tenant(conn, "demo", "Demo")
    await pool.close()
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("class,name,imo\nvessel,Grey Tern,9319466\n")
    bad.write_text("class,name,imo\nvessel,White Tern,9319478\nvessel,Odd,12\n")

    tried = await import_all(database_url, "demo", [good, bad], None, dry_run=True)
    first = await import_all(database_url, "demo", [good, bad], None, dry_run=False)
    second = await import_all(database_url, "demo", [good], "assets", dry_run=False)

    assert [each["applied"] for each in (*tried, *first, *second)] == [False, False, True, False, True]
    assert list(lines_of(first[0])) == [f"{good}: assets, 1 rows: 1 were added, 0 were changed, 0 there already"]
    assert list(lines_of(first[1]))[-2:] == [f"{bad}: fault: row 3, column imo: is no imo", f"{bad}: nothing was written"]
    assert second[0]["tables"][0]["unchanged"] == 1
    with pytest.raises(SystemExit, match="no tenant nobody"):
        await import_all(database_url, "nobody", [good], None, dry_run=True)
