"""Two ways of using a page: with the mouse, and with the keyboard alone."""

from typing import Any

from playwright.sync_api import Locator


class Mouse:
    """Points and types."""

    def press(self, target: Locator) -> None:
        """A link, a button, or what folds a part open."""
        target.click()

    def write(self, target: Locator, text: str) -> None:
        """In place of what stands there."""
        target.fill(text)

    def pick(self, target: Locator, value: str) -> None:
        """One of a list, by its value."""
        target.select_option(value)

    def choose(self, target: Locator) -> None:
        """A box or one of several round ones."""
        target.check()

    def enter_day(self, target: Locator, day: Any) -> None:
        target.fill(day.isoformat())
