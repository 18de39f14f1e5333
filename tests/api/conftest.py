"""Every test here may ask for the world, its application and a client of a role."""

from tests.api.fix_life import life
from tests.api.fix_world import app, ask, look, populated, world

__all__ = ["app", "ask", "life", "look", "populated", "world"]
