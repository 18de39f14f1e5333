"""The house's figures of practice, of all modules of this room in one book.

A module adds its `FIGURES` here with one line.
"""

from __future__ import annotations

from fleet import (
    area,
    calendar_rules,
    carbon,
    cii,
    displacement,
    flight,
    fuel,
    hull_performance,
    lease,
    milestone,
    noon_report,
    obligation,
    off_hire,
    operating_state,
    port_call,
    presence,
    registration_tables,
    survey,
    train_use,
    use,
    utilization,
    voyage,
)
from fleet.practice import Practice

HOUSE = Practice(
    (
        *area.FIGURES,
        *calendar_rules.FIGURES,
        *carbon.FIGURES,
        *cii.FIGURES,
        *displacement.FIGURES,
        *flight.FIGURES,
        *fuel.FIGURES,
        *hull_performance.FIGURES,
        *lease.FIGURES,
        *milestone.FIGURES,
        *noon_report.FIGURES,
        *obligation.FIGURES,
        *off_hire.FIGURES,
        *operating_state.FIGURES,
        *port_call.FIGURES,
        *presence.FIGURES,
        *registration_tables.FIGURES,
        *survey.FIGURES,
        *train_use.FIGURES,
        *use.FIGURES,
        *utilization.FIGURES,
        *voyage.FIGURES,
    )
)
"""What holds where a tenant has no setting of its own."""
