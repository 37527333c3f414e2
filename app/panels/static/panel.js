/* The panel's own behaviour: its session in memory, its pages under hash addresses, forms that lose nothing, and the
   conversation with the page that embeds it. Works without cookies, storage and form submission (an opaque origin). */
(() => {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.getElementById("words").textContent);
  const origins = [location.origin, ...(root.dataset.origins || "").split(" ").filter(Boolean)];
  const embedded = window.parent !== window;
  const session = { token: null, endsAt: 0, renewal: "self", origin: null };
  const typed = new Map(); // what was typed into each form of each page, until it is sent
  let here = "/mine";
  let waiting = null; // resolves when the host has brought a new launch

  const page = () => document.getElementById("page");
  const notice = () => document.getElementById("notice");

  // ---- the session -------------------------------------------------------------------------------------------------

  async function post(path, values, bearer) {
    const headers = bearer ? { Authorization: `Bearer ${bearer}` } : {};
    const body = new URLSearchParams(values);
    const answer = await fetch(path, { method: "POST", body, headers, credentials: "omit" });
    const type = answer.headers.get("Content-Type") || "";
    return { ok: answer.ok, status: answer.status, body: type.includes("json") ? await answer.json() : {} };
  }

  function keep(opened) {
    session.token = opened.token;
    session.endsAt = Date.now() + opened.seconds * 1000;
    if (opened.renewal) session.renewal = opened.renewal;
    if (opened.origin) session.origin = opened.origin;
    if (opened.user && session.user && opened.user !== session.user) typed.clear();
    if (opened.user) session.user = opened.user;
  }

  async function redeem(launch) {
    const values = session.token ? { launch, former: session.token } : { launch };
    const { ok, body } = await post("/panel/session", values);
    if (!ok) return { detail: body.detail || words.signedOut };
    keep(body);
    return body;
  }

  async function renew() {
    if (session.renewal === "host" && embedded) return askHost();
    const { ok, status, body } = await post("/panel/session/renew", {}, session.token);
    if (ok) keep(body);
    else if (status === 401) session.token = null;
    return ok;
  }

  /* A minute before the end there is time for the host to answer. */
  async function fresh() {
    if (!session.token || Date.now() < session.endsAt - 60000) return Boolean(session.token);
    try {
      await renew();
    } catch {
      /* Away for a moment: the request itself will tell. */
    }
    return Boolean(session.token) && Date.now() < session.endsAt;
  }

  // ---- the page that embeds us -------------------------------------------------------------------------------------

  function tell(message) {
    if (!embedded) return;
    const said = { source: "escalations-panel", v: 1, nonce, ...message };
    for (const origin of session.origin ? [session.origin] : origins.filter((one) => !one.includes("*")))
      window.parent.postMessage(said, origin);
  }

  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  function isHost(event) {
    if (event.source !== window.parent) return false;
    return session.origin ? event.origin === session.origin : origins.some((one) => covers(one, event.origin));
  }

  function covers(pattern, origin) {
    if (!pattern.includes("*.")) return pattern === origin;
    const [start, end] = pattern.split("*");
    return origin.startsWith(start) && origin.endsWith(end) && origin.length > pattern.length - 1;
  }

  function askHost() {
    if (!waiting) {
      waiting = {};
      waiting.promise = new Promise((resolve) => (waiting.resolve = resolve));
      setTimeout(() => settle(false), 10000);
      tell({ type: "token-request" });
    }
    return waiting.promise;
  }

  function settle(done) {
    const asked = waiting;
    waiting = null;
    if (asked) asked.resolve(done);
  }

  window.addEventListener("message", async (event) => {
    const said = event.data;
    if (!isHost(event) || !said || said.source !== "escalations-panel-host" || said.v !== 1) return;
    if (said.type !== "token" || typeof said.token !== "string" || said.nonce !== nonce) return;
    const first = !session.token;
    const opened = await redeem(said.token);
    settle(!opened.detail);
    if (opened.detail) return signedOut(opened.detail);
    if (first) start(opened.path);
  });

  let height = 0;
  new ResizeObserver(() =>
    requestAnimationFrame(() => {
      const now = Math.ceil(root.scrollHeight);
      if (now !== height) tell({ type: "resize", height: (height = now) });
    }),
  ).observe(document.body);

  // ---- pages under hash addresses ----------------------------------------------------------------------------------

  /* Only the panel's own pages: `#/../attachments/…` would have somebody's file act in its reader's name. */
  const isOurs = (path) => new URL(`/panel${path}`, location.href).pathname.startsWith("/panel/");
  const pathOf = (hash) => (hash.startsWith("#/") && isOurs(hash.slice(1)) ? hash.slice(1) : null);

  let arrived = null; // what is done once the page that is under way stands

  function load(path, then = null) {
    here = path;
    arrived = then;
    notice().replaceChildren();
    page().setAttribute("aria-busy", "true");
    return htmx.ajax("GET", `/panel${path}`, { target: "#page", swap: "innerHTML" });
  }

  function go(path) {
    page().setAttribute("aria-busy", "true");
    if (path && path !== here) return void (location.hash = path);
    remember(page());
    load(here, () => recall(page()) || begin());
  }

  window.addEventListener("hashchange", () => {
    const path = pathOf(location.hash);
    if (path && session.token) load(path, begin);
    if (path) window.scrollTo(0, 0);
  });

  /* Where writing begins, if the page is there to write. */
  function begin() {
    const first = page().querySelector("[data-begin]") || document.getElementById("main");
    first?.focus({ preventScroll: true });
  }

  function start(path) {
    const first = pathOf(location.hash) || path || here;
    tell({ type: "open", path: first });
    if (pathOf(location.hash) === first) load(first);
    else location.hash = first;
  }

  function signedOut(detail) {
    session.token = null;
    const shown = document.getElementById("signed-out").content.cloneNode(true);
    if (detail) shown.querySelector("[data-detail]").textContent = detail;
    if (page().querySelector("main form")) notice().replaceChildren(shown);
    else page().replaceChildren(shown);
    page().removeAttribute("aria-busy");
  }

  /* Whoever comes next to this screen reads nothing of it, even where the server could not be told. */
  async function signOut() {
    typed.clear();
    page().replaceChildren();
    try {
      await post("/panel/session/end", {}, session.token);
    } finally {
      signedOut(words.goodbye);
    }
  }

  // ---- requests ----------------------------------------------------------------------------------------------------

  Object.assign(htmx.config, {
    historyEnabled: false, allowEval: false, allowScriptTags: false, includeIndicatorStyles: false, timeout: 20000,
    scrollBehavior: "instant", selfRequestsOnly: true,
    responseHandling: [{ code: "204", swap: false }, { code: ".*", swap: true }],
  });

  document.addEventListener("htmx:confirm", async (event) => {
    event.preventDefault();
    const question = event.detail.elt.dataset?.confirm;
    if (question && !(await confirmed(question))) return;
    place.acted = document.activeElement;
    if (!(await fresh())) return signedOut();
    event.detail.issueRequest(true);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers.Authorization = `Bearer ${session.token}`;
    const form = sentForm(event.detail.elt);
    if (form && event.detail.verb === "post") event.detail.headers["Idempotency-Key"] = form.key ||= nonceOf();
  });

  const nonceOf = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
  const formOf = (element) => (element instanceof Element ? element.closest("form") : null);
  /* A part inside a form that asks on its own is not the form being sent. */
  const sentForm = (element) => (element instanceof HTMLFormElement ? element : null);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    const form = sentForm(requestConfig.elt);
    if (xhr.status === 401) {
      event.detail.shouldSwap = false;
      return signedOut();
    }
    if (xhr.status >= 400) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
      event.detail.swapOverride = "innerHTML";
      event.detail.target = form ? form.querySelector(".refusal") || notice() : requestConfig.verb === "get" &&
        requestConfig.target === page() ? page() : notice();
    }
    if (form) form.key = null;
    if (form && form === requestConfig.elt && requestConfig.verb === "post" && xhr.status < 400) {
      typed.delete(keyOf(form));
      delete form.dataset.dirty;
    }
    if ((xhr.getResponseHeader("HX-Trigger") || "").includes("fh-go")) event.detail.shouldSwap = false;
    if (!form && event.detail.target !== page()) remember(event.detail.target);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const { xhr, requestConfig, target } = event.detail;
    const form = sentForm(requestConfig.elt);
    page().removeAttribute("aria-busy");
    if (!form && target !== page()) goOn(target.isConnected ? target : event.target);
    if (form) markFaults(form, xhr.status >= 400);
    else if (xhr.status < 400) notice().replaceChildren();
  });

  /* Once the page's parts listen, they hear of what was typed before. */
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== page()) return;
    restore();
    arrived?.();
    arrived = null;
    if (!embedded) document.querySelector("[data-sign-out]")?.removeAttribute("hidden");
  });

  // ---- one's place -------------------------------------------------------------------------------------------------

  const STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const place = { acted: null, held: null, row: null, open: [] };

  /* Each thing one can stand on, by what it is called and the how-manieth of that name it is. */
  function stopsOf(part) {
    const counted = {};
    return [part, ...part.querySelectorAll(STOPS)].filter((one) => one.matches(STOPS)).map((one) => {
      const name = `${one.tagName} ${one.id || one.getAttribute("href") || one.name || one.textContent.trim()}`;
      counted[name] = (counted[name] || 0) + 1;
      return [`${name} ${counted[name]}`, one];
    });
  }

  /* Before a part is made anew: what is folded open in it, and where one stands. A button that acts is shut meanwhile. */
  function remember(part) {
    const stops = stopsOf(part);
    const called = (wanted) => stops.find(([, one]) => wanted && one === wanted)?.[0];
    const at = document.activeElement === document.body ? place.acted : document.activeElement;
    place.open = stops.filter(([, one]) => one.tagName === "SUMMARY" && one.parentElement.open).map(([name]) => name);
    place.held = at && part.contains(at) ? called(at) || "" : null;
    place.row = called(at?.closest?.("[data-row]")?.querySelector("a"));
  }

  /* Afterwards it is as open as before, and one stands on the same thing, else in the same row. */
  function recall(part) {
    const stops = new Map(stopsOf(part));
    for (const name of place.open) if (stops.has(name)) stops.get(name).parentElement.open = true;
    const lost = () => document.activeElement === document.body;
    if (place.held !== null && lost()) (stops.get(place.held) || stops.get(place.row))?.focus({ preventScroll: true });
    return !lost();
  }

  /* Where a part came in its place: the first of it, if nothing of the old one is there. */
  function goOn(part) {
    const first = part.querySelector("[data-begin]");
    if (first) return first.focus();
    if (recall(part) || place.held === null) return;
    stopsOf(part)[0]?.[1].focus({ preventScroll: true });
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => remember(event.detail.target));
  document.addEventListener("htmx:oobAfterSwap", (event) => recall(event.detail.target));

  /* Done: the next page, or this one anew. */
  document.addEventListener("fh-go", (event) => go(event.detail.path));

  for (const lost of ["htmx:sendError", "htmx:timeout"])
    document.addEventListener(lost, (event) => {
      const { elt, triggeringEvent } = event.detail.requestConfig;
      const form = sentForm(elt);
      page().removeAttribute("aria-busy");
      if (triggeringEvent?.type === "every") return;
      const shown = document.getElementById("offline").content.cloneNode(true);
      notice().replaceChildren(shown);
      if (!form && formOf(elt)) retry = () => htmx.trigger(formOf(elt), "restored");
      else retry = () => (form && form.isConnected ? htmx.trigger(form, "send") : load(here));
    });
  let retry = null;
  const again = () => {
    const doing = retry;
    retry = null;
    if (doing) {
      notice().replaceChildren();
      doing();
    }
  };
  window.addEventListener("online", again);

  // ---- forms -------------------------------------------------------------------------------------------------------

  /* A sandbox without allow-forms never fires "submit", so a button's click sends its form; Enter clicks it too. */
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-again]")) return again();
    if (event.target.closest("[data-sign-out]")) return signOut();
    const link = event.target.closest("a[href^='#/']");
    if (link && link.getAttribute("href").slice(1) === here) load(here);
    const fill = event.target.closest("[data-version]");
    const form = formOf(fill);
    if (fill && form && form.elements.version) form.elements.version.value = fill.dataset.version;
    const button = event.target.closest("button");
    if (!button || !button.form || button.type !== "submit" || !sends(button.form)) return;
    event.preventDefault();
    if (button.form.matches(".htmx-request") || page().hasAttribute("aria-busy")) return;
    if (!button.formNoValidate && !button.form.reportValidity()) return;
    if (button.form.dataset.go) return go(addressOf(button.form));
    if (button.name) hidden(button.form, button.name, button.value);
    htmx.trigger(button.form, "send");
  });

  /* A box that is to be copied is selected; the clipboard may be closed to a frame, the keyboard's copy is not. */
  document.addEventListener("click", (event) => {
    const box = document.getElementById(event.target.closest("[data-copy]")?.dataset.copy);
    if (!box) return;
    box.closest("details")?.setAttribute("open", "");
    box.select();
    navigator.clipboard?.writeText(box.value).catch(() => document.execCommand("copy"));
  });

  document.addEventListener("submit", (event) => event.preventDefault());

  const sends = (form) => form.hasAttribute("hx-post") || form.hasAttribute("hx-get") || form.hasAttribute("data-go");

  /* A question whose answer has an address of its own. */
  function addressOf(form) {
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    return asked.size ? `${form.dataset.go}?${asked}` : form.dataset.go;
  }

  function hidden(form, name, value) {
    let field = form.querySelector(`input[type=hidden][data-pressed][name="${CSS.escape(name)}"]`);
    if (!field) {
      field = Object.assign(document.createElement("input"), { type: "hidden", name });
      field.dataset.pressed = "";
      form.append(field);
    }
    field.value = value;
  }

  function markFaults(form, refused) {
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    for (const told of form.querySelectorAll("[data-fault]")) told.remove();
    if (!refused) return;
    for (const fault of form.querySelectorAll(".refusal [data-field]")) {
      const first = fieldOf(form, fault.dataset.field);
      if (!first || first.type === "hidden") continue;
      first.setAttribute("aria-invalid", "true");
      const told = Object.assign(document.createElement("p"), { className: "fault", textContent: fault.dataset.detail });
      told.dataset.fault = "";
      told.id = `fault-${nonceOf()}`;
      first.setAttribute("aria-describedby", told.id);
      (first.closest(".field") || first).append(told);
      if (!first.id) first.id = `field-${nonceOf()}`;
      first.closest("details")?.setAttribute("open", "");
      fault.href = `#${first.id}`;
    }
    form.querySelector(".refusal")?.scrollIntoView({ block: "nearest" });
    form.querySelector(".refusal [tabindex]")?.focus();
  }

  /* The field of this name, else of what holds it, else the first of what it holds. */
  function fieldOf(form, name) {
    for (let parts = name.split("."); parts.length; parts.pop()) {
      const field = form.elements.namedItem(parts.join("."));
      if (field) return field instanceof RadioNodeList ? field[0] : field;
    }
    return [...form.elements].find((field) => field.name.startsWith(`${name}.`));
  }

  document.addEventListener("click", (event) => {
    const fault = event.target.closest(".refusal a[data-field]");
    if (!fault) return;
    event.preventDefault();
    document.getElementById(fault.getAttribute("href").slice(1))?.focus();
  });

  /* How far a file is on its way. */
  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = formOf(event.target)?.querySelector("progress");
    if (!bar || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = event.detail.loaded / event.detail.total;
  });

  document.addEventListener("click", (event) => event.target.closest("[data-print]") && window.print());

  /* Nothing typed is lost: it is kept by page and form, and stands there again when the page comes back. Of forms that
     are sent to one address each has its own, by its name or by its place among them. */
  function keyOf(form) {
    const to = form.getAttribute("hx-post");
    const alike = [...page().querySelectorAll("form[hx-post]")].filter((one) => one.getAttribute("hx-post") === to);
    return `${here} ${to} ${form.getAttribute("name") || alike.indexOf(form)}`;
  }

  document.addEventListener("input", (event) => {
    const form = formOf(event.target);
    if (!form || !form.hasAttribute("hx-post") || event.target.type === "file") return;
    form.dataset.dirty = "";
    const kept = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "version");
    typed.set(keyOf(form), kept);
  });

  function restore() {
    for (const form of page().querySelectorAll("form[hx-post]")) {
      const kept = typed.get(keyOf(form));
      if (!kept) continue;
      form.dataset.dirty = "";
      form.closest("details")?.setAttribute("open", "");
      for (const field of form.elements) {
        if (!field.name || field.type === "hidden") continue;
        const values = kept.filter(([name]) => name === field.name).map(([, value]) => value);
        if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
        else if (field.multiple) for (const option of field.options) option.selected = values.includes(option.value);
        else if (values.length) field.value = values[0];
      }
      putAside(form, kept);
      htmx.trigger(form, "restored");
    }
  }

  /* What was typed into fields that the page does not show yet waits where they will stand. */
  function putAside(form, kept) {
    const rest = form.querySelector("[data-rest]");
    for (const [name, value] of rest ? kept : [])
      if (!form.elements.namedItem(name)) rest.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }

  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-dirty]")) event.preventDefault();
  });

  // ---- a question before what can't be undone ----------------------------------------------------------------------

  function confirmed(question) {
    const dialog = document.getElementById("ask");
    dialog.querySelector("[data-question]").textContent = question;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.onclick = (event) => {
        const answer = event.target.closest("[data-answer]");
        if (answer) dialog.close(answer.dataset.answer);
      };
      dialog.onclose = () => resolve(dialog.returnValue === "yes");
    });
  }

  // ---- keys --------------------------------------------------------------------------------------------------------

  const rows = () => [...document.querySelectorAll("[data-row]")];

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    next?.querySelector("a, button")?.focus();
  }

  document.addEventListener("keydown", (event) => {
    const sent = (event.ctrlKey || event.metaKey) && event.key === "Enter" ? formOf(event.target) : null;
    if (sent) return sent.querySelector("button[type=submit]")?.click();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    if (event.key === "j" || event.key === "k") return move(event.key === "j" ? 1 : -1);
    const row = document.activeElement?.closest("[data-row]");
    const wanted = `[data-key="${CSS.escape(event.key)}"]`;
    const found = row?.querySelector(wanted) || document.querySelector(`main ${wanted}:not([data-row] *)`) ||
      document.querySelector(`nav ${wanted}`);
    if (!found) return;
    event.preventDefault();
    found.click();
  });

  // ---- begin -------------------------------------------------------------------------------------------------------

  async function open() {
    const given = location.hash.startsWith("#t=") ? decodeURIComponent(location.hash.slice(3)) : root.dataset.launch;
    if (location.hash.startsWith("#t=")) history.replaceState(null, "", location.pathname);
    delete root.dataset.launch;
    tell({ type: "ready" });
    if (!given) return embedded ? undefined : signedOut();
    const opened = await redeem(given);
    if (opened.detail) return signedOut(opened.detail);
    start(opened.path);
  }

  open();
})();
