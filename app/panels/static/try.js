/* What a CRM's page does for the panel: gives it room, and brings a new launch when it asks. */
(() => {
  "use strict";
  const frame = document.querySelector("iframe");
  window.addEventListener("message", async (event) => {
    const said = event.data;
    if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
    if (!said || said.source !== "escalations-panel" || said.v !== 1) return;
    if (said.type === "resize") frame.height = said.height;
    if (said.type !== "token-request") return;
    const body = new URLSearchParams({ user: document.body.dataset.user });
    const answer = await fetch(`${location.pathname}/launch`, { method: "POST", body });
    const { token } = await answer.json();
    const brought = { source: "escalations-panel-host", v: 1, type: "token", token, nonce: said.nonce };
    frame.contentWindow.postMessage(brought, location.origin);
  });
})();
