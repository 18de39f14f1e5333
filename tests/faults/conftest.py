"""What the tests of faults share."""

from tests.faults.fix_fleet import fleet, through

__all__ = ["fleet", "through"]
