"""Calendar months: the one way a day so many months later is found."""

from __future__ import annotations

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later or earlier, at most the month's last: 31 August + 6 is 28 February (2.10; SH14).

    Source: domain.md 2.10. Raises OverflowError or ValueError outside the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
