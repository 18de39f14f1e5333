"""The use machines of all asset classes in one table: another class is one module and one line."""

from __future__ import annotations

from fleet import flight_machine, train_use, vessel_use
from fleet.use import UseMachine

MACHINES: dict[str, UseMachine] = {
    machine.name: machine for machine in (flight_machine.MACHINE, vessel_use.MACHINE, train_use.MACHINE)
}
"""By class name; a class without a machine is not followed."""

PARTICULARS = frozenset(name for machine in MACHINES.values() for name in machine.particulars)
"""Every number of an asset's particulars that some machine asks for."""
