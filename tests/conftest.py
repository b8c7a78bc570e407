from __future__ import annotations

from hypothesis import settings

# A loaded machine must not fail a property: no test here asserts a time.
settings.register_profile("clr-tui", deadline=None)
settings.load_profile("clr-tui")
