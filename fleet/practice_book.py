"""The house's figures of practice, of all modules of this room in one book.

A module adds its `FIGURES` here with one line.
"""

from __future__ import annotations

from fleet import operating_state, port_call, use, voyage
from fleet.practice import Practice

HOUSE = Practice((*use.FIGURES, *port_call.FIGURES, *operating_state.FIGURES, *voyage.FIGURES))
"""What holds where a tenant has no setting of its own."""
