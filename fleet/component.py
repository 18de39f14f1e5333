"""Components: assets that sit on others and never send. An engine keeps its own life when it changes wings (domain.md 1.1, 4)."""

from __future__ import annotations

PARENT_CLASSES: dict[str, frozenset[str]] = {
    "engine": frozenset({"aircraft", "vessel"}),
    "apu": frozenset({"aircraft"}),
    "landing_gear": frozenset({"aircraft"}),
    "car": frozenset({"trainset"}),
}
"""Each class of component and the classes of asset that it may sit on (domain.md 5.1; a ship's engine by the same rule)."""

COMPONENT_CLASSES = tuple(PARENT_CLASSES)


def installation_fault(component_class: str, parent_class: str) -> str | None:
    """Why a component of one class cannot sit on an asset of another: `not_a_component` or `wrong_parent`; None when it can."""
    parents = PARENT_CLASSES.get(component_class)
    if parents is None:
        return "not_a_component"
    return None if parent_class in parents else "wrong_parent"
