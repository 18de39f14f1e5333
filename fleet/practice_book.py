"""The house's figures of practice, of all modules of this room in one book.

A module adds its `FIGURES` here with one line.
"""

from __future__ import annotations

from fleet import area, operating_state, port_call, registration_tables, use, utilization, voyage
from fleet.practice import Practice

HOUSE = Practice(
    (
        *area.FIGURES,
        *operating_state.FIGURES,
        *port_call.FIGURES,
        *registration_tables.FIGURES,
        *use.FIGURES,
        *utilization.FIGURES,
        *voyage.FIGURES,
    )
)
"""What holds where a tenant has no setting of its own."""
