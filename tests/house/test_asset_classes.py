"""A class of assets is a module per room and a row in tables of classes: docs/add-a-class.md lists each file that names one."""

from __future__ import annotations

import ast
import re

from tests.house.fix_tree import ROOT, trees

CLASS = re.compile(r"\btrainsets?\b|\btrain_use\b")


def named_in_code(tree: ast.Module) -> bool:
    """Whether a module's code, its docstrings aside, names the class: a name, an import, or text that is it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            words = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Name):
            words = [node.id]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            words = [node.value]
        else:
            continue
        if any(CLASS.search(word) for word in words):
            return True
    return False


def test_no_file_names_the_third_class_but_those_that_the_page_lists() -> None:
    listed = set(re.findall(r"`((?:\w+/)+\w+\.py)`", (ROOT / "docs/add-a-class.md").read_text()))
    found = {str(path) for path, tree in trees().items() if named_in_code(tree)}
    assert found - listed == set()
    assert [name for name in listed if not (ROOT / name).is_file()] == []
