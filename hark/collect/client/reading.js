// Hark's reader: was a text really read, and how long did it hold somebody's attention?
//
// A text is cut into slices. While the page is visible and the person is there, the slices on the screen share
// the passing time. A slice is read once it had PACE of the time that its words take at WORDS_PER_MIN
// (Brysbaert 2019, the mean of silent reading); the text is read once ENOUGH of its slices are. So neither a
// dash to the end nor a page left open counts. Nothing is measured of robots, of who asks not to be tracked
// (Do Not Track, Global Privacy Control), or before consent where that is asked for.

const WORDS_PER_MIN = 238, PACE = 0.4, ENOUGH = 0.75, IDLE_MS = 30000, TICK_MS = 500, SLICE_PX = 160;
const STORE = "ajs_anonymous_id", USER = "ajs_user_id", DONE = "hark_read", KEPT = "hark_told", KEPT_MS = 12 * 3600e3;
const SIGNS = ["pointermove", "pointerdown", "keydown", "scroll", "wheel", "touchstart"];
const SCRIPT_ROBOT = /bot\b|crawl|spider|headless|lighthouse|prerender|preview/i;

const now = () => performance.now();
const get = (store, key) => { try { return store.getItem(key); } catch { return null; } };
const set = (store, key, value) => { try { store.setItem(key, value); } catch { /* a browser without storage */ } };
const seconds = (ms) => Math.round(ms / 100) / 10;
const fresh = () => crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();

/** Whether this browser may be measured at all. */
function allowed() {
  const n = navigator;
  return !(n.webdriver || SCRIPT_ROBOT.test(n.userAgent) || n.globalPrivacyControl
    || n.doNotTrack === "1" || window.doNotTrack === "1");
}

/** The words of a text; scripts without spaces are counted by two characters a word. */
function words(text) {
  const dense = (text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g) || []).length;
  return dense / 2 + (text.replace(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g, " ").match(/\S+/g) || []).length;
}

function plain(value) { try { return JSON.parse(value); } catch { return value; } }

/** The ids that Segment's browser client keeps under the same names; one of our own where it is not there. */
function who() {
  const user = plain(get(localStorage, USER)), known = plain(get(localStorage, STORE));
  const anonymous = known || fresh();
  if (!known) set(localStorage, STORE, JSON.stringify(anonymous));
  return user ? { userId: String(user), anonymousId: anonymous } : { anonymousId: anonymous };
}

/**
 * Sends by Segment's client. What it is told while a page is being left it may lose: so that is kept, and told
 * again with the next page of the same half day, under the same id, by which no second event comes of it.
 */
function bySegment(analytics) {
  const kept = () => (plain(get(localStorage, KEPT)) || []).filter((one) => Date.now() - Date.parse(one.timestamp) < KEPT_MS);
  const keep = (all) => set(localStorage, KEPT, JSON.stringify(all.slice(-20)));
  const track = ({ event, properties, ...more }) => analytics.track(event, properties, more);
  const again = kept();
  keep([]);
  again.forEach(track);
  return (event, properties) => {
    const user = analytics.user && analytics.user(), ids = {};
    if (user && user.anonymousId) ids.anonymousId = user.anonymousId();
    if (user && user.id && user.id()) ids.userId = user.id();
    const one = { event, properties, messageId: fresh(), timestamp: new Date().toISOString(), ...ids };
    if (document.visibilityState !== "visible") keep([...kept(), one]);
    track(one);
  };
}

/** Sends by Segment's client where one is given, else to Hark itself; also while the page is being left. */
function sender(options) {
  if (options.analytics) return bySegment(options.analytics);
  return (event, properties) => {
    const { href, pathname, search, hash } = location;
    const page = { url: href, path: pathname, search, hash, title: document.title, referrer: document.referrer };
    const body = JSON.stringify({
      ...who(), event, properties, writeKey: options.key, messageId: fresh(), timestamp: new Date().toISOString(),
      context: { page, locale: navigator.language, userAgent: navigator.userAgent, library: { name: "hark.js" } },
    });
    const to = options.host + "/v1/t";
    if (!(navigator.sendBeacon && navigator.sendBeacon(to, new Blob([body], { type: "text/plain" }))))
      fetch(to, { method: "POST", body, keepalive: true, headers: { "content-type": "text/plain" } }).catch(() => {});
  };
}

/** One text on one page, from now until `stop`. */
function reading(element, options, send) {
  const about = {
    content: element.dataset.harkContent || options.content || location.pathname,
    title: element.dataset.harkTitle || document.title, words: Math.round(words(element.innerText)),
    url: (document.querySelector("link[rel=canonical]") || location).href,
  };
  const expected = about.words / WORDS_PER_MIN * 60000;
  const slices = new Array(Math.max(1, Math.min(60, Math.round(element.scrollHeight / SLICE_PX)))).fill(0);
  const needed = PACE * expected / slices.length;
  let last = now(), touched = last, active = 0, visible = 0, told = [0, 0], depth = 0, over = !about.words;

  const here = () => { touched = now(); };
  const share = () => slices.filter((ms) => ms >= needed).length / slices.length;
  const summary = () => ({
    ...about, active_s: seconds(active), visible_s: seconds(visible), depth: Math.round(depth * 100) / 100,
    share_read: Math.round(share() * 100) / 100, expected_s: seconds(expected),
  });

  function tick() {
    const at = now(), passed = Math.min(at - last, 4 * TICK_MS);
    last = at;
    if (document.visibilityState !== "visible") return;
    visible += passed;
    if (at - touched > IDLE_MS) return;
    active += passed;
    const box = element.getBoundingClientRect(), high = box.height / slices.length || 1;
    const from = Math.max(0, Math.floor(-box.top / high));
    const to = Math.min(slices.length, Math.ceil((innerHeight - box.top) / high));
    depth = Math.max(depth, Math.min(1, (innerHeight - box.top) / (box.height || 1)));
    for (let one = from; one < to; one++) slices[one] += passed / (to - from);
    if (!over && share() >= ENOUGH) read();
  }

  function read() {
    over = true;
    const seen = (get(sessionStorage, DONE) || "").split("\n");
    if (seen.includes(about.content)) return;
    set(sessionStorage, DONE, [...seen, about.content].join("\n"));
    send("Content Read", summary());
  }

  function tell() {
    if (document.visibilityState === "visible") { last = now(); return here(); }
    const since = [active - told[0], visible - told[1]];
    if (since[0] < 1000) return;
    told = [active, visible];
    send("Time Spent", { ...summary(), active_s: seconds(since[0]), visible_s: seconds(since[1]) });
  }

  const timer = setInterval(tick, TICK_MS);
  for (const sign of SIGNS) addEventListener(sign, here, { passive: true, capture: true });
  document.addEventListener("visibilitychange", tell);
  return {
    about,
    stop() {
      clearInterval(timer);
      for (const sign of SIGNS) removeEventListener(sign, here, { capture: true });
      document.removeEventListener("visibilitychange", tell);
    },
  };
}

/** A click on what is marked data-hark-worth="yes" or "no" answers: was this worth your time? */
function worth(event, send, about) {
  const found = event.target.closest && event.target.closest("[data-hark-worth]");
  if (!found || found.disabled) return;
  for (const one of document.querySelectorAll("[data-hark-worth]")) one.disabled = true;
  found.setAttribute("aria-pressed", "true");
  send("Worth It", { worth: found.dataset.harkWorth !== "no", content: about.content, title: about.title, url: about.url });
}

/**
 * Starts measuring. Options: `key` and `host` (Hark's address), or `analytics` (Segment's client); `element` or
 * `selector` of the text; `content`, its name; `consent: false` to wait for `consent(true)`.
 */
function hark(options = {}) {
  let send = null, current = null, told = null, may = options.consent !== false;

  function begin() {
    const found = options.element || document.querySelector(options.selector || "[data-hark-content],article,main")
      || document.body;
    if (!may || !allowed() || !found || current) return;
    send ??= sender(options);
    current = reading(found, options, send);
    told = (event) => worth(event, send, current.about);
    document.addEventListener("click", told);
  }

  function end() {
    if (!current) return;
    current.stop();
    document.removeEventListener("click", told);
    current = null;
  }

  const api = {
    /** What the customer decided; without it nothing is kept, sent or measured. */
    consent(yes) { may = yes; if (yes) begin(); else { end(); set(localStorage, KEPT, "[]"); } },
    /** A new page without loading one: its text is measured anew. */
    page() { end(); begin(); },
    stop: end,
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin); else begin();
  return api;
}

/** For Segment's browser client: `analytics.register(harkPlugin())` measures each of its pages. */
function harkPlugin(options = {}) {
  let one = null;
  return {
    name: "Hark reading", type: "after", version: "1.0.0", isLoaded: () => !!one,
    load: async (_, analytics) => { one = hark({ ...options, analytics }); },
    page: (context) => { one.page(); return context; },
  };
}
