import { createElement } from "lwc";
import FirsthandPanel from "c/firsthandPanel";
import launch from "@salesforce/apex/FirsthandPanelController.launch";

jest.mock("@salesforce/apex/FirsthandPanelController.launch", () => ({ default: jest.fn() }), { virtual: true });

const ORIGIN = "https://firsthand.example.com";
const ACCOUNT = "001000000000001AAA";
const NONCE = "5f0c";
const settled = () => new Promise((resolve) => process.nextTick(resolve));

function opens(token) {
    return { url: `${ORIGIN}/panel/t/t1#t=${token}`, token };
}

async function shown(recordId = ACCOUNT) {
    const element = createElement("c-firsthand-panel", { is: FirsthandPanel });
    element.recordId = recordId;
    document.body.appendChild(element);
    await settled();
    return element;
}

const frameOf = (element) => element.shadowRoot.querySelector("iframe");

function says(element, message, { origin = ORIGIN, source = frameOf(element).contentWindow } = {}) {
    const data = { source: "escalations-panel", v: 1, nonce: NONCE, ...message };
    window.dispatchEvent(new MessageEvent("message", { data, origin, source }));
}

/** What is posted to the panel, as [message, target] pairs. */
function heardBy(element) {
    return jest.spyOn(frameOf(element).contentWindow, "postMessage").mockImplementation(() => {}).mock.calls;
}

describe("the Firsthand panel on a record page", () => {
    beforeEach(() => launch.mockReset());

    afterEach(() => document.body.replaceChildren());

    it("opens the panel of the record at the address that Firsthand gave", async () => {
        launch.mockResolvedValue(opens("fl_1"));
        const element = await shown();
        expect(launch).toHaveBeenCalledTimes(1);
        expect(launch).toHaveBeenCalledWith({ recordId: ACCOUNT });
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_1`);
        expect(frameOf(element).title).toBe("Firsthand");
        expect(frameOf(element).getAttribute("referrerpolicy")).toBe("no-referrer");
    });

    it("brings a new launch when the panel asks, to the panel's origin and with its number", async () => {
        launch.mockResolvedValueOnce(opens("fl_1")).mockResolvedValueOnce(opens("fl_2"));
        const element = await shown();
        const posted = heardBy(element);
        says(element, { type: "ready" });
        says(element, { type: "token-request" });
        await settled();
        const answer = { source: "escalations-panel-host", v: 1, type: "token", nonce: NONCE, token: "fl_2" };
        expect(posted).toEqual([[answer, ORIGIN]]);
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_1`);
    });

    it("reaches a panel whose sandbox has an opaque origin", async () => {
        launch.mockResolvedValueOnce(opens("fl_1")).mockResolvedValueOnce(opens("fl_2"));
        const element = await shown();
        const posted = heardBy(element);
        says(element, { type: "ready" }, { origin: "null" });
        says(element, { type: "token-request" }, { origin: "null" });
        await settled();
        expect(posted).toHaveLength(1);
        expect(posted[0][1]).toBe("*");
    });

    it.each([
        ["another window", { source: window }, {}],
        ["another origin", { origin: "https://evil.example" }, {}],
        ["another program", {}, { source: "someone" }],
        ["another version", {}, { v: 2 }],
        ["another number", {}, { nonce: "other" }],
        ["no number", {}, { nonce: undefined }],
    ])("gives no token to a message of %s", async (_, from, message) => {
        launch.mockResolvedValue(opens("fl_1"));
        const element = await shown();
        const posted = heardBy(element);
        says(element, { type: "ready" });
        says(element, { type: "token-request", ...message }, from);
        await settled();
        expect(launch).toHaveBeenCalledTimes(1);
        expect(posted).toEqual([]);
    });

    it("knows the panel by its first word, whichever it is", async () => {
        launch.mockResolvedValueOnce(opens("fl_1")).mockResolvedValueOnce(opens("fl_2"));
        const element = await shown();
        const posted = heardBy(element);
        says(element, { type: "open", path: "/mine" });
        says(element, { type: "token-request", nonce: "other" });
        says(element, { type: "token-request" });
        await settled();
        expect(launch).toHaveBeenCalledTimes(2);
        expect(posted).toHaveLength(1);
        expect(posted[0][0].nonce).toBe(NONCE);
    });

    it("is as high as the panel says", async () => {
        launch.mockResolvedValue(opens("fl_1"));
        const element = await shown();
        says(element, { type: "ready" });
        says(element, { type: "resize", height: 801.2 });
        await settled();
        expect(frameOf(element).style.height).toBe("802px");
        says(element, { type: "resize", height: -5 });
        says(element, { type: "resize", height: "9000px" });
        await settled();
        expect(frameOf(element).style.height).toBe("802px");
    });

    it("opens anew when the frame was loaded again and has lost its session", async () => {
        launch.mockResolvedValueOnce(opens("fl_1")).mockResolvedValueOnce(opens("fl_2"));
        const element = await shown();
        says(element, { type: "ready" });
        says(element, { type: "ready", nonce: "reloaded" });
        await settled();
        expect(launch).toHaveBeenCalledTimes(2);
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_2`);
    });

    it("follows when another record is shown, and drops the answer for the former", async () => {
        const late = {};
        launch.mockReturnValueOnce(new Promise((resolve) => (late.answer = resolve)));
        launch.mockResolvedValueOnce(opens("fl_2"));
        const element = await shown();
        element.recordId = "001000000000002AAA";
        await settled();
        late.answer(opens("fl_1"));
        await settled();
        expect(launch).toHaveBeenLastCalledWith({ recordId: "001000000000002AAA" });
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_2`);
    });

    it("says why it did not open, and opens on another try", async () => {
        launch.mockRejectedValueOnce({ body: { message: "Firsthand does not know you: Ask an admin." } });
        launch.mockResolvedValueOnce(opens("fl_1"));
        const element = await shown();
        const alert = element.shadowRoot.querySelector("[role=alert]");
        expect(alert.querySelector("p").textContent).toBe("Firsthand does not know you: Ask an admin.");
        expect(frameOf(element)).toBeNull();
        alert.querySelector("lightning-button").click();
        await settled();
        expect(element.shadowRoot.querySelector("[role=alert]")).toBeNull();
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_1`);
    });

    it("keeps the panel when a new launch is refused, and says why without offering to close it", async () => {
        launch.mockResolvedValueOnce(opens("fl_1")).mockRejectedValueOnce(new Error("offline"));
        const element = await shown();
        const posted = heardBy(element);
        says(element, { type: "ready" });
        says(element, { type: "token-request" });
        await settled();
        expect(posted).toEqual([]);
        expect(frameOf(element).src).toBe(`${ORIGIN}/panel/t/t1#t=fl_1`);
        const alert = element.shadowRoot.querySelector("[role=alert]");
        expect(alert.textContent).toContain("Firsthand could not be opened.");
        expect(alert.querySelector("lightning-button")).toBeNull();
    });

    it("hears nothing once it is gone", async () => {
        launch.mockResolvedValue(opens("fl_1"));
        const element = await shown();
        const gone = frameOf(element).contentWindow;
        says(element, { type: "ready" });
        element.remove();
        says(element, { type: "token-request" }, { source: gone });
        await settled();
        expect(launch).toHaveBeenCalledTimes(1);
    });
});
