"""The house's figures of practice, of all modules of this room in one book.

A module adds its `FIGURES` here with one line.
"""

from __future__ import annotations

from fleet import use
from fleet.practice import Practice

HOUSE = Practice((*use.FIGURES,))
"""What holds where a tenant has no setting of its own."""
