"""The evaluation as a document of plain values, and that document as Markdown tables; knows how figures look, measures nothing.

`results/evaluation.json` is the document; docs/evaluation.md holds its tables between two markers. Whatever falls short of a
target needs words in `notes.toml`, under the name that the table gives it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "evaluation.json"
PAGE = HERE.parent / "docs" / "evaluation.md"
NOTES = HERE / "notes.toml"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
RECALL_MIN, NAMED_MIN = 0.95, 0.9
HOURS_PER_WARNING = 730.0
Document = dict[str, Any]
Rows = list[dict[str, Any]]


def notes() -> dict[str, str]:
    """Why a figure falls short, by the name of what it is of."""
    told: dict[str, str] = tomllib.loads(NOTES.read_text())["notes"]
    return told


def targets(document: Mapping[str, Any]) -> Rows:
    """Each thing that the evaluation is to show: name, what was found, what was wanted, whether it is met (None: not run)."""
    rows: Rows = []
    for rate in document["rates"]:
        if rate["asset_class"] == "aircraft":
            rows.append(
                _row("clean aircraft", f"{rate['warnings']} warnings in {rate['watched_h']} h", "0", rate["warnings"] == 0)
            )
        else:
            bound = rate["watched_h"] / HOURS_PER_WARNING
            met = rate["warnings"] <= bound
            rows.append(
                _row(
                    "clean ships",
                    f"{rate['warnings']} warnings in {rate['watched_h']} h",
                    f"at most {bound:.2f}: one in {HOURS_PER_WARNING:g} h",
                    met,
                )
            )
    for row in document["transformed"]:
        rows.append(_row(f"clean, {row['change']}", f"{row['warnings']} warnings", "0", row["warnings"] == 0))
    for row in document["injected"]:
        name = f"{row['kind']}, {row['tracks']}"
        wanted = "nothing said" if row["rule"] is None else f"{row['rule']} at {row['severity']}, recall ≥ {RECALL_MIN}"
        rows.append(_row(name, f"{row['found']} of {row['cases']}", wanted, row["recall"] >= RECALL_MIN))
        if row["late"]:
            told = f"{row['late']} later than {row['allowed_min']:g} min, the latest after {row['delay_max_min']:g}"
            rows.append(_row(f"{name}, delay", told, "none", met=False))
        if row["named_in_top_3"] is not None:
            met = row["named_in_top_3"] >= NAMED_MIN
            rows.append(_row(f"{name}, channel named", f"{row['named_in_top_3']:.0%}", f"≥ {NAMED_MIN:.0%} in the top 3", met))
    for row in document["labelled"]:
        rows.append(_row(row["path"], row["outcome"], row["label"], row["is_met"]))
    rows += _nab_target(document["nab"]) + _cmapss_target(document["cmapss"])
    return rows


def _row(name: str, found: str, wanted: str, met: bool) -> dict[str, Any]:
    return {"name": name, "found": found, "wanted": wanted, "met": met}


def _nab_target(rows: Rows) -> Rows:
    own = next((row for row in rows if row["detector"].startswith("keelwing")), None)
    others = [row for row in rows if row["detector"].startswith("sum of three")]
    if own is None or not others:
        return []
    best = {name: max(row[name] for row in others) for name in ("standard", "reward_low_FP_rate", "reward_low_FN_rate")}
    return [
        _row(f"NAB, {name}", f"{own[name]}", f"more than {best[name]}, the best combination", own[name] > best[name])
        for name in best
    ]


def _cmapss_target(rows: Rows) -> Rows:
    own = next((row for row in rows if row["detector"].startswith("keelwing")), None)
    if own is None:
        return []
    simple = [row for row in rows if row["detector"].startswith(("fixed", "z-score"))]
    found = f"{own['false_in_first_half']} false, {own['found']} found, {own['lead_median_cycles']} cycles before failure"
    wanted = "; ".join(
        f"{row['detector']}: {row['false_in_first_half']} false, {row['lead_median_cycles']} cycles" for row in simple
    )
    no_worse = all(
        own["false_in_first_half"] <= row["false_in_first_half"] or (own["lead_median_cycles"] or 0) > row["lead_median_cycles"]
        for row in simple
    )
    return [_row("C-MAPSS FD001", found, f"more lead or fewer false drifts than {wanted}", no_worse)]


def short(document: Mapping[str, Any]) -> list[str]:
    """Names of what falls short."""
    return [row["name"] for row in document["targets"] if not row["met"]]


# -- Markdown ---------------------------------------------------------------------------------------------------------


def table(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; None shows as a dash."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += ["| " + " | ".join("–" if cell is None else str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def markdown(document: Mapping[str, Any], why: Mapping[str, str]) -> str:
    """The whole document as tables."""
    parts = [
        _about(document),
        "### What falls short",
        _short(document["targets"], why),
        "### Clean real tracks",
        _rates(document["rates"]),
        _tracks(document["tracks"]),
        "### Every warning on a real track",
        _warnings(document["tracks"]),
        "### Clean real tracks told otherwise",
        _transformed(document["transformed"]),
        "### Injected faults",
        _injected(document["injected"]),
        "### Simple methods on the same tracks and faults",
        _simple(document["simple"], document["rates"]),
        "### Labelled cases",
        _labelled(document["labelled"]),
        "### NAB",
        _nab(document["nab"]),
        "### C-MAPSS FD001",
        _cmapss(document["cmapss"]),
    ]
    return "\n\n".join(parts)


def _about(document: Mapping[str, Any]) -> str:
    about, all_of = document["about"], document["targets"]
    missed = sum(not row["met"] for row in all_of)
    on = f"{about['machine']['cores_used']} cores of {about['machine']['cpu']}"
    run = f"Run {about['at']} at `{about['commit']}` on {on} in {about['took_s']:.0f} s; seed {about['seed']}."
    return f"{run} {len(all_of)} figures have a target, {missed} fall short."


def _short(rows: Rows, why: Mapping[str, str]) -> str:
    missed = [(row["name"], row["found"], row["wanted"], why.get(row["name"], "")) for row in rows if not row["met"]]
    return table(["what", "found", "wanted", "why"], missed) if missed else "Nothing."


def _labelled(rows: Rows) -> str:
    told = ((row["path"], row["label"], row["outcome"], _yes(row["is_met"])) for row in rows)
    return table(["recording", "label", "outcome", "as labelled"], told)


def _transformed(rows: Rows) -> str:
    told = ([row["change"], row["recordings"], row["readings"], row["warnings"], "; ".join(row["where"])] for row in rows)
    return table(["told", "recordings", "readings", "warnings", "where"], told)


def _nab(rows: Rows) -> str:
    ranked = sorted(rows, key=lambda row: -row["standard"])
    told = ((row["detector"], row["standard"], row["reward_low_FP_rate"], row["reward_low_FN_rate"]) for row in ranked)
    return table(["detector", "standard", "low FP", "low FN"], told)


def _cmapss(rows: Rows) -> str:
    header = ["detector", "engines", "false in the first half", "found", "missed", "median lead, cycles", "low decile", "least"]
    names = (
        "detector",
        "engines",
        "false_in_first_half",
        "found",
        "missed",
        "lead_median_cycles",
        "lead_low_decile_cycles",
        "lead_min_cycles",
    )
    return table(header, ([row[name] for name in names] for row in rows))


def _yes(met: object) -> str:
    return "yes" if met else "NO"


def _rates(rates: Rows) -> str:
    return table(
        ["class", "recordings", "assets", "watched hours", "warnings", "by rule", "95 % interval of the count", "in 730 h"],
        (
            (
                rate["asset_class"],
                rate["recordings"],
                rate["assets"],
                rate["watched_h"],
                rate["warnings"],
                ", ".join(f"{rule} {count}" for rule, count in rate["by_rule"].items()),
                f"{rate['low_95']} to {rate['high_95']}",
                _carried(rate),
            )
            for rate in rates
        ),
    )


def _carried(rate: Mapping[str, Any]) -> str:
    """What the hours carry: an interval where they make a month of one asset, otherwise nothing is claimed."""
    if rate["watched_h"] < HOURS_PER_WARNING:
        return f"{rate['watched_h']} h carry no rate"
    return f"{rate['per_730_h_low_95']} to {rate['per_730_h_high_95']}"


def _tracks(tracks: Rows) -> str:
    return table(
        ["recording", "counts as clean", "because", "assets", "watched hours", "warnings", "infos"],
        (
            (
                one["path"],
                "yes" if one["is_clean"] else "no",
                one["reason"],
                one["assets"],
                f"{one['watched_h']:.1f}",
                len(one["warnings"]),
                ", ".join(f"{rule} {count}" for rule, count in one["infos"].items()),
            )
            for one in tracks
        ),
    )


def _warnings(tracks: Rows) -> str:
    """One line for each words: the same words stand for several episodes of one rule on one asset."""
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for one in tracks:
        for line in one["warnings"]:
            key = (one["path"], line["asset"], f"{line['rule']} ({line['severity']})", line["why"] or "NO EXPLANATION")
            grouped.setdefault(key, []).append(line["opened_at"])
    if not grouped:
        return "None."
    return table(
        ["recording", "asset", "rule", "episodes", "first opened", "what a person found"],
        ((path, asset, rule, len(at), min(at), why) for (path, asset, rule, why), at in grouped.items()),
    )


def _injected(rows: Rows) -> str:
    return table(
        [
            "kind",
            "tracks",
            "rule",
            "severity",
            "found",
            "recall",
            "delay min, median",
            "most",
            "allowed",
            "precision",
            "false",
            "named",
        ],
        (
            (
                row["kind"],
                row["tracks"],
                row["rule"],
                row["severity"],
                f"{row['found']} of {row['cases']}",
                f"{row['recall']:.2f}",
                row["delay_median_min"],
                row["delay_max_min"],
                row["allowed_min"],
                row["precision"],
                ", ".join([str(row["false_warnings"]), *row["false_rules"]]),
                None if row["named_in_top_3"] is None else f"{row['named_in_top_3']:.0%}",
            )
            for row in rows
        ),
    )


def _simple(rows: Rows, rates: Rows) -> str:
    injected = table(
        ["faults", "method", "cases", "recall", "false alarms", "detection's recall", "its false warnings"],
        (
            (
                row["family"],
                row["method"],
                row["cases"],
                f"{row['recall']:.2f}",
                row["false_alarms"],
                f"{row['detection_recall']:.2f}",
                row["detection_false"],
            )
            for row in rows
        ),
    )
    clean = table(
        ["clean real tracks", "method", "alarms", "detection's warnings", "watched hours"],
        (
            (rate["asset_class"], method, count, rate["warnings"], rate["watched_h"])
            for rate in rates
            for method, count in rate["simple_methods"].items()
        ),
    )
    return f"{injected}\n\n{clean}"


def write(document: Document, path: Path = RESULTS, page: Path = PAGE) -> None:
    """Write the JSON, and its tables between the markers of the page."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(document, notes())}\n\n{END}{after}")


def between_markers(page: Path = PAGE) -> str:
    """What stands between the markers of the page."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip()
