/** The app's files as HubSpot's own parser reads them, and the card in HubSpot's own renderer; no account is asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createElement } from "react";
import { parseProjectConfig } from "@hubspot/project-parsing-lib/projects";
import { translate } from "@hubspot/project-parsing-lib/translate";
import { Alert, Button, StatisticsItem, StatusTag, Text } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { FirsthandCard } from "../build/card/FirsthandCard.js";
import { due, localeOf, money } from "../build/card/words.js";

const PROJECT = fileURLToPath(new URL("../hubspot", import.meta.url));
const ADDRESS = "https://panel.acme.example/panel/embed/hubspot/0a.0b";
const GLOBEX = {
    account: { id: "a1", name: "Globex" },
    value_at_stake: { amount: "310000.00", currency: "EUR", incomplete: false },
    open_count: 2,
    overdue_count: 1,
    open: [
        {
            id: "e1",
            number: "ESC-1042",
            title: "Exports fail",
            status: "in_progress",
            status_text: "In progress",
            owner: "Olga Owner",
            due_at: "2020-01-01T00:00:00Z",
            overdue: true,
        },
    ],
    as_of: "2026-11-22T06:00:00Z",
};

let asked;
let answers;

/** HubSpot's fetch: it keeps what was asked and gives the answers in turn. */
globalThis.self = globalThis;
globalThis.hsFetch = async (url, options) => {
    asked.push({ url, ...options });
    const [status, body] = answers.shift();
    if (status === 0) throw new Error("timed out");
    return new Response(body, { status });
};

beforeEach(() => {
    asked = [];
    answers = [];
});

const json = (status, body) => answers.push([status, JSON.stringify(body)]);

function shown() {
    const renderer = createRenderer("crm.record.sidebar");
    Object.assign(renderer.mocks.context, {
        crm: { objectId: 123, objectTypeId: "0-2" },
        portal: { id: 7, timezone: "Europe/Berlin" },
        variables: { FIRSTHAND_URL: "https://panel.acme.example", FIRSTHAND_INSTALLATION: "0a.0b" },
    });
    renderer.mocks.context.user.locale = "en-gb";
    renderer.render(createElement(FirsthandCard));
    return renderer;
}

const button = (renderer, text) => renderer.find(Button, (one) => one.text.includes(text));
const opened = (renderer) => renderer.mocks.actions.openIframeModal.calls;
const told = (renderer) => renderer.findAll(Text).map((one) => one.text);

test("the project is one app with one card, as HubSpot's parser reads it", async () => {
    const config = parseProjectConfig(PROJECT);
    const profile = JSON.parse(readFileSync(join(PROJECT, "src/hsprofile.firsthand.json"), "utf8"));
    const { intermediateRepresentation: read, skippedHsMetaFiles } = await translate(
        { projectSourceDir: join(PROJECT, config.srcDir), platformVersion: config.platformVersion, accountId: 0 },
        { skipValidation: true, profile: "firsthand" },
    );
    const parts = read.intermediateNodesIndexedByUid;
    assert.deepEqual(Object.keys(parts).sort(), ["firsthand_app", "firsthand_card"]);
    assert.deepEqual(skippedHsMetaFiles, []);
    assert.equal(parts.firsthand_app.componentType, "APPLICATION");
    assert.equal(parts.firsthand_card.componentType, "CARD");
    const host = profile.variables.FIRSTHAND_URL;
    assert.deepEqual(parts.firsthand_app.config.permittedUrls, { fetch: [host], iframe: [host], img: [] });
    assert.ok(readFileSync(join(PROJECT, "src", parts.firsthand_card.config.entrypoint), "utf8").includes("hubspot.extend"));
});

test("the card shows what is at stake, as of when, and what is open", async () => {
    json(200, GLOBEX);
    const card = shown();
    await card.waitFor(() => card.find(StatisticsItem));
    assert.deepEqual(asked, [
        { url: ADDRESS, method: "POST", timeout: 10000, body: { objectId: "123", objectTypeId: "0-2" } },
    ]);
    const figures = card.findAll(StatisticsItem).map((one) => [one.props.label, one.props.number]);
    assert.deepEqual(figures, [["Value at stake", "€310,000"], ["Open escalations", 2]]);
    assert.ok(told(card).includes("as of 07:00"));
    assert.ok(told(card).includes("1 past its time"));
    assert.ok(told(card).some((text) => /^Olga Owner · Missed by \d+ days$/.test(text)));
    assert.ok(told(card).includes("and 1 more in the panel"));
    assert.equal(card.find(StatusTag).props.variant, "danger");
    assert.equal(card.find(StatusTag).text, "In progress");
});

for (const [pressed, begins] of [
    ["Open", {}],
    ["Raise escalation", { page: "raise" }],
    ["ESC-1042", { escalation_id: "e1" }],
]) {
    test(`"${pressed}" asks for a launch when it is pressed and opens it in a window`, async () => {
        json(200, GLOBEX);
        json(201, { panel_url: "https://panel.acme.example/panel/t/t1#t=fl_1", expires_at: "2026-11-22T06:01:00Z" });
        json(200, { ...GLOBEX, open_count: 0, overdue_count: 0, open: [] });
        const card = shown();
        await card.waitFor(() => card.find(StatisticsItem));
        assert.equal(asked.length, 1);
        button(card, pressed).trigger("onClick");
        await card.waitFor(() => assert.equal(opened(card).length, 1));
        assert.equal(asked[1].url, `${ADDRESS}/launch`);
        assert.deepEqual(asked[1].body, { objectId: "123", objectTypeId: "0-2", ...begins });
        const [window, closed] = opened(card)[0];
        assert.equal(window.uri, "https://panel.acme.example/panel/t/t1#t=fl_1");
        assert.equal(window.title, "Firsthand");
        closed();
        await card.waitFor(() => assert.ok(told(card).includes("nothing to do")));
    });
}

test("a launch that HubSpot sent twice is asked for anew, once", async () => {
    json(200, GLOBEX);
    json(409, { code: "replayed", title: "This request was seen before", detail: "Ask again." });
    json(201, { panel_url: "https://panel.acme.example/panel/t/t1#t=fl_2", expires_at: "2026-11-22T06:01:00Z" });
    const card = shown();
    await card.waitFor(() => card.find(StatisticsItem));
    button(card, "Open").trigger("onClick");
    await card.waitFor(() => assert.equal(opened(card).length, 1));
    assert.equal(opened(card)[0][0].uri, "https://panel.acme.example/panel/t/t1#t=fl_2");
});

test("who is not known reads why, and nothing opens", async () => {
    json(200, GLOBEX);
    json(403, { code: "user_unknown", title: "Firsthand does not know you", detail: "Ask an admin to add you." });
    const card = shown();
    await card.waitFor(() => card.find(StatisticsItem));
    button(card, "Raise").trigger("onClick");
    await card.waitFor(() => assert.equal(card.find(Alert).props.title, "Firsthand does not know you"));
    assert.equal(card.find(Alert).text, "Ask an admin to add you.");
    assert.equal(opened(card).length, 0);
});

test("a company that Firsthand does not know is told in its words", async () => {
    const message = { title: "This company is not in Firsthand yet", text: "It comes with the next import." };
    json(200, { account: null, message, value_at_stake: null, open_count: 0, overdue_count: 0, open: [] });
    const card = shown();
    await card.waitFor(() => assert.equal(card.find(Alert).props.title, message.title));
    assert.equal(card.find(Alert).text, message.text);
    assert.equal(card.maybeFind(Button), null);
});

for (const answer of [[0, null], [502, "<html>Bad gateway</html>"], [200, "null"]]) {
    test(`without an answer (${answer[0]} ${answer[1]}) it says so and can be tried again`, async () => {
        answers.push(answer);
        json(200, GLOBEX);
        const card = shown();
        await card.waitFor(() => assert.equal(card.find(Alert).props.title, "Firsthand could not be reached"));
        button(card, "Try again").trigger("onClick");
        await card.waitFor(() => card.find(StatisticsItem));
        assert.equal(card.maybeFind(Alert), null);
    });
}

test("times and money are written in plain words", () => {
    const now = Date.parse("2026-11-22T06:00:00Z");
    assert.equal(due("2026-11-25T06:00:00Z", now), "Due in 3 days");
    assert.equal(due("2026-11-22T07:59:00Z", now), "Due in 1 hour");
    assert.equal(due("2026-11-22T06:00:20Z", now), "Due now");
    assert.equal(due("2026-11-20T05:00:00Z", now), "Missed by 2 days");
    assert.equal(money({ amount: "310000.00", currency: "EUR", incomplete: true }, "en"), "at least €310,000");
    assert.equal(money({ amount: null, currency: "EUR", incomplete: true }, "en"), "not known");
    assert.equal(money(null, "en"), "not known");
    assert.equal(localeOf("pt_BR"), "pt-BR");
    assert.equal(localeOf("?"), "en");
});
