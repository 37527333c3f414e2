import { LightningElement, api } from "lwc";
import launch from "@salesforce/apex/FirsthandPanelController.launch";
import { heard, target, tokenFor } from "./conversation";

const FIRST_HEIGHT = 480;
const UNKNOWN = "Firsthand could not be opened. Try again in a minute.";

/** The panel of this record's account in a frame; it lives as long as this page brings it new launch tokens. */
export default class FirsthandPanel extends LightningElement {
    url = null;
    trouble = null;
    height = FIRST_HEIGHT;
    nonce = null;
    record = null;
    turn = 0;
    listening = (event) => this.listen(event);

    @api
    get recordId() {
        return this.record;
    }

    set recordId(value) {
        const moved = value !== this.record;
        this.record = value;
        if (moved && this.isConnected) this.open();
    }

    connectedCallback() {
        window.addEventListener("message", this.listening);
        this.open();
    }

    disconnectedCallback() {
        window.removeEventListener("message", this.listening);
        this.turn += 1;
    }

    /** Without a frame nothing typed can be lost, so opening it again is offered. */
    get closed() {
        return !this.url;
    }

    get frameStyle() {
        return `height: ${this.height}px`;
    }

    /** A fresh frame: the launch stands behind the # of its address, which no server sees and the panel removes. */
    async open() {
        this.url = null;
        this.nonce = null;
        const opened = await this.ask();
        if (opened) this.url = opened.url;
    }

    /** A launch for the record now shown; null when it is refused or another record has come meanwhile. */
    async ask() {
        this.turn += 1;
        const mine = this.turn;
        try {
            const opened = await launch({ recordId: this.record });
            if (mine !== this.turn) return null;
            this.trouble = null;
            return opened;
        } catch (refused) {
            if (mine === this.turn) this.trouble = refused?.body?.message || UNKNOWN;
            return null;
        }
    }

    listen(event) {
        const frame = this.refs.frame?.contentWindow;
        const origin = this.url && new URL(this.url).origin;
        const said = heard(event, { frame, origin });
        if (!said) return;
        this.nonce = this.nonce ?? said.nonce;
        if (said.nonce !== this.nonce) this.meet(said);
        else if (said.type === "resize") this.resize(said.height);
        else if (said.type === "token-request") this.renew(frame, target(event, origin));
    }

    /** Another panel in the same frame: it was loaded anew, without its launch, and gets a new frame. */
    meet(said) {
        if (said.type === "ready") this.open();
    }

    resize(height) {
        if (Number.isFinite(height) && height > 0) this.height = Math.ceil(height);
    }

    async renew(frame, origin) {
        const nonce = this.nonce;
        const opened = await this.ask();
        if (opened) frame.postMessage(tokenFor(nonce, opened.token), origin);
    }

    retry() {
        this.open();
    }
}
