"""A case from the customer's words to their word on it, through the panel's pages."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.browser.conftest import Opened
from tests.browser.hands import Mouse
from tests.conftest import ApiClient

WORDS = "Every morning the export is missing and I look like a fool. <b>Again</b> today."
GAP = re.compile("⟦[^⟧]*⟧")


@dataclass
class Journey:
    """One person before the panel; `client` asks the API what came of each step.

    After each step focus stands in the page, and nothing is wider than its frame.
    """

    panel: Opened
    client: ApiClient
    hands: Mouse
    id: str = ""

    def find(self, selector: str) -> Any:
        return self.panel.frame.locator(selector).first

    def field(self, name: str) -> Any:
        return self.find(f"[name='{name}']")

    def link(self, text: str) -> Any:
        return self.panel.frame.locator("main").get_by_role("link", name=text, exact=True).first

    def button(self, text: str) -> Any:
        return self.panel.frame.locator("main").get_by_role("button", name=text, exact=True).first

    def stands(self, heading: str) -> None:
        """Until the page of this heading stands, whole and as wide as its frame."""
        self.panel.frame.wait_for_selector(f'h1:has-text("{heading}"), .faults')
        assert self.panel.frame.locator(".faults").all_inner_texts() == []
        self.panel.settle()
        self.panel.frame.wait_for_selector("main:focus, main :focus", state="attached")
        assert self.panel.frame.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    def case(self, *more: str) -> dict[str, Any]:
        answer = self.client.get("/".join([f"/api/v1/escalations/{self.id}", *more]))
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def events(self) -> list[str]:
        return [event["kind"] for event in self.case("timeline?limit=200")["items"]]

    def raise_(self) -> None:
        """Who will own it and by when it closes stands there before it is sent."""
        hands = self.hands
        hands.press(self.link("Raise escalation"))
        self.stands("Raise escalation")
        hands.write(self.field("customer_statement"), WORDS)
        hands.write(self.field("impact"), "Their board sees old figures")
        hands.choose(self.find("[name=severity][value='2']"))
        hands.pick(self.field("reason"), "product_limit")
        hands.write(self.field("answers.error_messages"), "E_QUOTA 507")
        self.find("#ahead:has-text('It goes to Owner')").wait_for()
        assert self.find("#ahead").get_by_text("Closed by").is_visible()
        hands.press(self.button("Raise"))
        self.stands("Every morning the export is missing")
        self.id = self.panel.frame.url.rpartition("/")[2]
        case = self.case()
        assert (case["status"], case["severity"], case["reason"]) == ("open", 2, "product_limit")
        assert case["customer_statement"] == WORDS
        assert case["answers"]["error_messages"] == "E_QUOTA 507"

    def acknowledge(self) -> None:
        self.hands.press(self.button("Acknowledge"))
        self.find(".state:has-text('In progress')").wait_for()
        self.panel.settle()
        assert self.case()["status"] == "in_progress"

    def finish_task(self) -> None:
        self.hands.press(self.panel.frame.get_by_role("link", name=re.compile("^Call the customer")).first)
        self.stands("Call the customer")
        self.hands.write(self.field("evidence.text"), "An hour with Jo, repeated back")
        self.hands.press(self.button("Done"))
        self.stands("Every morning")
        done = [task for task in self.case("tasks?limit=200")["items"] if task["key"] == "listen"]
        assert [(task["state"], task["evidence"]["text"]) for task in done] == [
            ("done", "An hour with Jo, repeated back")
        ]

    def update(self) -> None:
        """From a draft of the playbook, its gaps filled, read once as the customer will."""
        self.hands.press(self.link("Write an update"))
        self.stands("Write an update")
        draft = self.field("text").input_value()
        assert len(draft) > 100
        text = GAP.sub("the quota", draft)
        self.hands.write(self.field("subject"), GAP.sub("quota", self.field("subject").input_value()))
        self.hands.write(self.field("text"), text)
        self.hands.press(self.button("As they will read it"))
        self.find("#as-received .letter").wait_for()
        self.hands.press(self.button("Note it as sent"))
        self.stands("Every morning")
        sent = [event for event in self.case("timeline?limit=200")["items"] if event["kind"] == "update"]
        assert [event["texts"]["text"] for event in sent] == [text.strip()]

    def move_up(self) -> None:
        """With the handover that the case drafts."""
        self.hands.press(self.link("Move up"))
        self.stands("Move up")
        assert self.field("to_tier").input_value() == "tier_2"
        self.hands.pick(self.field("reason"), "outside_expertise")
        brief = GAP.sub("raise the quota", self.field("brief").input_value())
        assert "Every morning the export is missing" in brief
        self.hands.write(self.field("brief"), brief)
        self.hands.press(self.button("Move up"))
        self.stands("Every morning")
        assert self.case()["tier"] == "tier_2"

    def resolve(self, today: date) -> None:
        """What solved means is met, what was required is done or not needed, and it will not happen again."""
        hands = self.hands
        hands.press(self.link("Resolve"))
        self.stands("Resolve")
        for box in self.panel.frame.locator("[name=met]").all():
            hands.choose(box)
        for part in self.panel.frame.locator(".criterion:has(a)").all():
            hands.press(part.locator("summary"))
            hands.choose(part.locator("[type=checkbox]"))
            hands.write(part.locator("textarea"), "Said on the first call")
        hands.write(self.field("summary"), "Exports run again")
        hands.write(self.field("root_cause"), "The quota was too small")
        hands.choose(self.find("[name=preventable][value=true]"))
        hands.write(self.field("prevention.action"), "Watch the quota")
        hands.write(self.field("prevention.owner_email"), "manager@example.com")
        hands.enter_day(self.field("prevention.due_on"), today + timedelta(days=20))
        hands.press(self.button("Resolve"))
        self.stands("Every morning")
        case = self.case()
        assert case["status"] == "resolved"
        assert {one["state"] for one in self.case("exit-criteria")["items"]} == {"met"}

    def verify(self) -> None:
        hands = self.hands
        hands.press(self.link("Note the customer's word"))
        self.stands("The customer's word")
        hands.choose(self.find("[name=accepted][value=true]"))
        hands.write(self.field("confirmed_by"), "Jo Weber")
        hands.pick(self.field("channel"), "call")
        hands.write(self.field("comment"), "It works, thank you")
        hands.press(self.button("Note their word"))
        self.find(".state:has-text('Closed')").wait_for()
        case = self.case()
        assert (case["status"], case["outcome"], case["verification"]) == ("closed", "resolved", "confirmed")

    def whole(self, today: date) -> None:
        self.raise_()
        self.acknowledge()
        self.finish_task()
        self.update()
        self.move_up()
        self.resolve(today)
        self.verify()
        spoken = [kind for kind in self.events() if kind in STEPS]
        assert spoken == list(STEPS)


STEPS = ("raise", "acknowledge", "update", "escalate", "resolve", "verify")
