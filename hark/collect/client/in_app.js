// Hark's messages in the product: a banner for what is new, and an inbox for what was said.
//
// The team's own server says who is signed in, by a token; nothing is asked without it. All words are the
// server's and come as text, never as HTML. What is drawn stands in a shadow root, so that neither page nor
// inbox reaches the other's style.

const STYLE = `
:host { all: initial; color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; --line: #8884; --accent: #35d; }
* { box-sizing: border-box; font: inherit; color: inherit; }
section, dialog { background: Canvas; color: CanvasText; border: 1px solid var(--line); border-radius: 12px;
  box-shadow: 0 8px 30px #0003; }
section { position: fixed; inset: auto 16px 16px auto; z-index: 2147483000; width: min(360px, calc(100vw - 32px));
  padding: 14px 16px; }
section[hidden] { display: none; }
dialog { position: fixed; inset: 16px 16px auto auto; margin: 0; width: min(380px, calc(100vw - 32px));
  max-height: calc(100vh - 32px); padding: 0; overflow: auto; }
dialog::backdrop { background: #0002; }
header { display: flex; align-items: center; gap: 8px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
header h2 { flex: 1; }
h2, h3, p, ul { margin: 0; padding: 0; }
h2, h3 { font-weight: 650; }
p { white-space: pre-line; overflow-wrap: anywhere; }
ul { list-style: none; }
li { padding: 12px 16px; border-bottom: 1px solid var(--line); }
li[data-unread] { border-left: 3px solid var(--accent); }
footer, .none { padding: 12px 16px; font-size: 13px; }
time { font-size: 12px; opacity: .7; }
.row { display: flex; gap: 10px; align-items: center; margin-top: 8px; }
.go { background: var(--accent); color: #fff; padding: 6px 12px; border-radius: 8px; text-decoration: none; }
button { background: none; border: 1px solid var(--line); border-radius: 8px; padding: 6px 10px; cursor: pointer; }
.x { margin-left: auto; }
fieldset { border: 0; margin: 8px 0 0; padding: 0; }
legend { padding: 0; margin-bottom: 6px; font-weight: 650; }
.options { display: flex; flex-wrap: wrap; gap: 4px; }
.option { position: relative; cursor: pointer; }
.option input { position: absolute; opacity: 0; inset: 0; }
.option span { display: block; min-width: 28px; padding: 5px 8px; text-align: center; border: 1px solid var(--line); border-radius: 8px; }
.option input:checked + span { background: var(--accent); color: #fff; }
.option input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 2px; }
.ends { display: flex; justify-content: space-between; font-size: 12px; opacity: .7; }
textarea { width: 100%; margin-top: 8px; padding: 6px 8px; border: 1px solid var(--line); border-radius: 8px; background: none; }
button.go { border: 0; }
.bell { position: relative; }
.bell b { background: var(--accent); color: #fff; border-radius: 9px; padding: 0 6px; font-size: 12px; margin-left: 6px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
const AGAIN_MS = [1000, 5000, 30000, 60000];

/** An element: its attributes, and children or a text. */
function make(name, attributes, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) found.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) found.setAttribute(key, value === true ? "" : value);
  found.append(...children.filter((one) => one != null));
  return found;
}

/** An address that may be followed: of the web, or a link into an app; null for any other. */
function place(url) {
  try {
    const found = new URL(url, location.href);
    return url && !/^(javascript|data|vbscript|blob|file):/.test(found.protocol) ? found.href : null;
  } catch { return null; }
}

/** Reads server-sent events until the answer ends. */
async function events(body, told) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (data.length) told(JSON.parse(data.join("\n")));
    }
  }
}

/**
 * Shows a customer's messages. Options: `host`, Hark's address; `token`, or a function that gives one (asked again
 * when it is over); `inbox`, the element or selector in which the inbox's button stands (none: no inbox);
 * `banner: false` for no banners; `changed`, which is told the messages, for an inbox of the page's own.
 */
function harkInApp(options) {
  const shown = new Set();
  let token = null, over = false, last = { messages: [], unread: 0, words: {} }, tries = 0, asking = null;

  const host = make("hark-in-app", {}), root = host.attachShadow({ mode: "open" });
  const banner = make("section", { role: "status", "aria-live": "polite", hidden: true });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  root.append(banner);
  const stands = () => over || document.body.append(host);
  if (document.body) stands(); else addEventListener("DOMContentLoaded", stands);

  const ask = async (path, more = {}) => {
    token ??= typeof options.token === "function" ? await options.token() : options.token;
    const headers = { authorization: "Bearer " + token, ...more.headers };
    const answer = await fetch(options.host + path, { ...more, headers, credentials: "omit" });
    if (answer.status === 401) token = typeof options.token === "function" ? null : token;
    if (!answer.ok) throw Object.assign(new Error("hark: " + answer.status), { status: answer.status });
    return answer;
  };

  /** What the reader did with a message; kept by Hark, so that their other devices know. */
  const did = (message, what) => ask("/in-app/events", {
    method: "POST", body: JSON.stringify({ message, what }), keepalive: true,
    headers: { "content-type": "application/json" },
  }).catch(() => {});

  function once(one, what) {
    if (shown.has(one.id + what)) return;
    shown.add(one.id + what);
    did(one.id, what);
  }

  function go(one) {
    const url = place(one.url);
    return url && make("a", { class: "go", href: url, onclick: () => once(one, "clicked") },
      one.action || last.words.open || "Open");
  }

  function away(one) {
    return make("button", {
      type: "button", class: "x", "aria-label": (last.words.hide || "Hide") + ": " + (one.title || one.text),
      onclick: () => {
        last = { ...last, messages: last.messages.filter((other) => other.id !== one.id) };
        once(one, "dismissed");
        draw();
      },
    }, last.words.hide || "Hide");
  }

  /** The survey that a message asks: options as buttons of a choice, and a text where one may be added. */
  function survey(one) {
    const asks = one.survey, words = last.words;
    if (!asks) return null;
    if (one.answered || shown.has(one.id + "answered")) return make("p", { role: "status" }, words.answered || "✓");
    const options = asks.answers.map((option) => make("label", { class: "option" },
      make("input", { type: "radio", name: "option", value: option.value, required: true }),
      make("span", {}, option.label)));
    const ends = asks.low || asks.high ? make("div", { class: "ends" },
      make("span", {}, asks.low), make("span", {}, asks.high)) : "";
    const text = asks.takes_text ? make("textarea", { name: "text", rows: 2, maxlength: 2000,
      required: !options.length, "aria-label": options.length ? words.add_text : asks.asks,
      placeholder: options.length ? words.add_text : "" }) : "";
    return make("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        const given = new FormData(event.target);
        const body = { message: one.id, option: given.get("option") || "", text: given.get("text") || "" };
        await ask("/in-app/answers", { method: "POST", body: JSON.stringify(body),
          headers: { "content-type": "application/json" } });
        shown.add(one.id + "answered");
        event.target.replaceWith(survey(one));
      },
    }, make("fieldset", {}, make("legend", {}, asks.asks), make("div", { class: "options" }, ...options), ends), text,
    make("div", { class: "row" }, make("button", { class: "go" }, words.send || "Send")));
  }

  function drawBanner() {
    const one = options.banner !== false && last.messages.find((found) => found.banner && !found.gone);
    const same = one && banner.dataset.id === one.id;
    if (!one) { banner.hidden = true; banner.replaceChildren(); delete banner.dataset.id; }
    if (!one || same) return;
    banner.dataset.id = one.id;
    banner.hidden = false;
    banner.replaceChildren(one.title ? make("h3", {}, one.title) : "", make("p", {}, one.text),
      survey(one) || "", make("div", { class: "row" }, go(one), away(one)));
    once(one, "shown");
  }

  const list = make("dialog", { "aria-labelledby": "title" });
  const bell = make("button", { type: "button", class: "bell", "aria-haspopup": "dialog", onclick: openList });
  let placed = false;

  function openList() {
    drawList();
    list.showModal();
    for (const one of last.messages) if (one.unread) once(one, "opened");
  }

  function drawList() {
    const words = last.words, chooses = place(last.preferences);
    const items = last.messages.map((one) => make("li", { "data-unread": one.unread },
      one.title ? make("h3", {}, one.title) : "", make("p", {}, one.text),
      make("time", { datetime: new Date(one.sent_at / 1000).toISOString() },
        new Date(one.sent_at / 1000).toLocaleDateString()), survey(one) || "",
      make("div", { class: "row" }, go(one), away(one))));
    list.replaceChildren(
      make("header", {}, make("h2", { id: "title" }, words.messages || "Messages"),
        make("button", { type: "button", "aria-label": words.hide || "Hide", onclick: () => list.close() }, "\u00d7")),
      items.length ? make("ul", {}, ...items) : make("p", { class: "none" }, words.nothing_new || "Nothing new"),
      chooses ? make("footer", {}, make("a", { href: chooses, target: "_blank", rel: "noopener" },
        words.preferences || "Choose what you get")) : "");
  }

  function drawBell() {
    const where = typeof options.inbox === "string" ? document.querySelector(options.inbox) : options.inbox;
    if (!where) return;
    if (!placed) {
      const inner = make("span", {}), tree = inner.attachShadow({ mode: "open" });
      tree.adoptedStyleSheets = [sheet];
      tree.append(bell);
      where.append(inner);
      root.append(list);
      placed = true;
    }
    const name = last.words.messages || "Messages", fresh = last.unread;
    bell.setAttribute("aria-label", fresh ? `${name}, ${fresh} ${last.words.unread || "new"}` : name);
    bell.replaceChildren(name, fresh ? make("b", {}, String(fresh)) : "");
    if (list.open && !list.contains(root.activeElement)) drawList();
  }

  function draw() {
    drawBanner();
    drawBell();
    if (list.open && !root.activeElement?.closest?.("form")) drawList();
    if (options.changed) options.changed(last.messages, last.unread);
  }

  function told(found) {
    tries = 0;
    // A banner that this page shows stays until its reader has done with it, though it counts as seen by now.
    const mine = banner.dataset.id;
    last = { ...found, messages: found.messages.map((one) => one.id === mine ? { ...one, banner: true } : one) };
    draw();
  }

  async function listen() {
    while (!over) {
      try {
        asking = new AbortController();
        const answer = await ask("/in-app/stream", { signal: asking.signal });
        await events(answer.body, told);
      } catch (error) {
        if (over) return;
        if (error.status === 401 && typeof options.token !== "function") return;
        if (error.status === 503) await ask("/in-app/messages").then((one) => one.json()).then(told, () => {});
        tries++;
      }
      await new Promise((then) => setTimeout(then, AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]));
    }
  }

  listen();
  return {
    /** Ends it: on signing out. */
    stop() { over = true; asking?.abort(); host.remove(); bell.getRootNode().host?.remove(); },
    /** Asks for leave to push to this browser, and tells Hark where; `worker` is a file of the page's own address. */
    async push(worker = "/hark-sw.js") {
      const { key } = await (await ask("/in-app/push")).json();
      const registration = await navigator.serviceWorker.register(worker);
      const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
      const body = JSON.stringify(found.toJSON());
      await ask("/in-app/push", { method: "POST", body, headers: { "content-type": "application/json" } });
    },
    /** For an inbox of the page's own: `did(id, "shown" | "opened" | "clicked" | "dismissed")`. */
    did: (id, what) => once({ id }, what),
  };
}
