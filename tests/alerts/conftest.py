"""What the tests of `alerts` share."""

from tests.alerts.fix_receiver import receiver

__all__ = ["receiver"]
