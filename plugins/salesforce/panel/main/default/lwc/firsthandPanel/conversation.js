/**
 * What the panel and this page say to each other by postMessage.
 *
 * The panel's frame may have an opaque origin, which no message can name as its target, so besides the window and the
 * origin a number counts that the panel made for itself: it stands in each of its messages, and in our answers.
 */
const PANEL = "escalations-panel";
const HOST = "escalations-panel-host";
const VERSION = 1;
const OPAQUE = "null";

/** The panel's message in an event, or null for whatever else is said on this page. */
export function heard(event, { frame, origin }) {
    if (!frame || event.source !== frame) return null;
    if (event.origin !== origin && event.origin !== OPAQUE) return null;
    const said = event.data;
    const ours = said && said.source === PANEL && said.v === VERSION && typeof said.nonce === "string" && said.nonce;
    return ours ? said : null;
}

/** A new launch token for the panel whose number this is. */
export function tokenFor(nonce, token) {
    return { source: HOST, v: VERSION, type: "token", nonce, token };
}

/** Whom a message may reach: the panel's origin, or any where the frame's own is opaque. */
export function target(event, origin) {
    return event.origin === OPAQUE ? "*" : origin;
}
