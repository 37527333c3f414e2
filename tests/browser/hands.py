"""Two ways of using a page: with the mouse, and with the keyboard alone."""

from typing import Any

from playwright.sync_api import Locator, Page

# Where the keyboard stands: on what is looked for, and whether one sees that.
AT = """(target) => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  return {
    there: at === target || (target.type === "radio" && at.type === "radio" && at.name === target.name),
    seen: at === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
    what: at.outerHTML.slice(0, 120),
  };
}"""
MOST_STOPS = 200
TYPED = 60


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


class Keys(Mouse):
    """Tab, Enter, Space, arrows and letters; each stop on the way is seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        for tabs in range(MOST_STOPS):
            at = target.evaluate(AT)
            assert at["seen"] or not tabs, f"no focus is seen on {at['what']}"
            if at["there"]:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.press("Control+A")
        if len(text) < TYPED:
            self.page.keyboard.type(text)
        else:
            self.page.keyboard.insert_text(text)

    def pick(self, target: Locator, value: str) -> None:
        self.reach(target)
        self.page.keyboard.press("Home")
        for _ in range(MOST_STOPS):
            if target.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"arrows do not lead to {value}")

    def choose(self, target: Locator) -> None:
        self.reach(target)
        if target.get_attribute("type") == "checkbox":
            self.page.keyboard.press("Space")
        else:
            self.page.keyboard.press("Space")
            for _ in range(MOST_STOPS):
                if target.is_checked():
                    break
                self.page.keyboard.press("ArrowDown")
        assert target.is_checked()

    def enter_day(self, target: Locator, day: Any) -> None:
        self.reach(target)
        self.page.keyboard.type(f"{day:%d%m%Y}")
        assert target.input_value() == day.isoformat()
