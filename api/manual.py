"""The documentation page: one HTML text made from the OpenAPI document. No script, no font, no request to anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1d2733;background:#fff}
h1,h2{font-weight:600}h2{border-bottom:1px solid #d5dde5;margin-top:2.5rem}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:#f2f5f8;padding:.7rem;overflow:auto;border-radius:4px}summary{cursor:pointer;padding:.35rem 0}
summary b{display:inline-block;min-width:4.5rem;color:#0b5cad}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #eef1f4}
@media (prefers-color-scheme:dark){body{background:#11161c;color:#dbe3ea}pre{background:#1a222b}h2,td,th{border-color:#2a3540}
summary b,a{color:#7db8f0}}
"""
METHODS = ("get", "post", "put", "patch", "delete")


def page(document: dict[str, Any]) -> str:
    """The whole page.

    Args:
        document: the OpenAPI document.
    """
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style>",
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>",
        "<p>Send a key as <code>Authorization: Bearer kw_…</code>. For machines: <a href='openapi.json'>openapi.json</a>.</p>",
    ]
    for tag in document["tags"]:
        parts.append(f"<h2 id='{escape(tag['name'])}'>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>")
        parts.extend(_operation(*each) for each in _operations(document, tag["name"]))
    return "".join(parts)


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            if operation is not None and tag in operation.get("tags", ()):
                yield method, path, operation


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    head = f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    text = f"<p>{escape(operation.get('description', ''))}</p>"
    return f"<details>{head}{text}{_parameters(operation)}{_answers(operation)}</details>"


def _parameters(operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}{', required' if each.get('required') else ''}"
        f"<td>{escape(each.get('description', ''))}"
        for each in operation.get("parameters", ())
    ]
    return f"<table><tr><th>parameter<th>where<th>meaning{''.join(rows)}</table>" if rows else ""


def _answers(operation: dict[str, Any]) -> str:
    parts = []
    for status, answer in operation["responses"].items():
        parts.append(f"<p><b>{escape(status)}</b> {escape(answer['description'])}</p>")
        if status.startswith("2"):
            parts.extend(_example(media, content) for media, content in answer.get("content", {}).items() if "example" in content)
    return "".join(parts)


def _example(media: str, content: dict[str, Any]) -> str:
    example = content["example"]
    text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
    return f"<p><code>{escape(media)}</code></p><pre>{escape(text)}</pre>"
