// A page that is looked at follows the runs.
import { redrawCharts } from "./charts.js";
import { showChosen } from "./chosen.js";
import { keeping } from "./keep.js";
import { isGoing, load, show } from "./navigate.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
/** Milliseconds between two refreshes of a page that is looked at. */
const refreshMs = 2000;
/** Milliseconds after which a stream that says nothing is taken for broken: the server speaks every 15 s. */
const silentMs = 60_000;

/** What the server last said of each part, to tell what changed. */
const told = new Map();
let refreshing = false;
/** Whether a refresh was left out as the reader was on the way elsewhere. */
let gaveWay = false;
let waiting = 0;
let refreshedAt = 0;
let newest = main.dataset.version;

const figureIds = (root) =>
  [...root.querySelectorAll("[data-chart]")].map(({ id, dataset }) => `${id} ${dataset.chart}`).join();

/** Takes the page as what the server last said. */
export function rememberParts() {
  told.clear();
  for (const part of main.querySelectorAll("[data-live]")) told.set(part.id, part.innerHTML);
  if (gaveWay) schedule();
  gaveWay = false;
}

async function refresh() {
  waiting = 0;
  if (refreshing || document.hidden || newest === main.dataset.version) return;
  gaveWay = isGoing();
  if (gaveWay) return;
  refreshing = true;
  try {
    const address = location.href;
    const { next, status } = await load(address);
    const nextMain = next.getElementById("main");
    // Whoever went on meanwhile is not called back.
    gaveWay = isGoing();
    if (gaveWay) return;
    if (address !== location.href) return schedule();
    if (status === 404) {
      // What was looked at has been deleted; the page says so, and comes back if it does.
      refreshing = false;
      await show(address, "none");
      return;
    }
    if (nextMain?.dataset.version === undefined) return;
    const parts = [...nextMain.querySelectorAll("[data-live]")];
    const same = parts.every(({ id }) => document.getElementById(id) !== null) &&
      parts.length === main.querySelectorAll("[data-live]").length && figureIds(nextMain) === figureIds(main);
    if (!same) {
      // Something new has come in: the whole page is shown anew, with what the reader opened.
      refreshing = false;
      await show(address, "none");
      return;
    }
    for (const part of parts) {
      if (told.get(part.id) === part.innerHTML) continue;
      told.set(part.id, part.innerHTML);
      const own = document.getElementById(part.id);
      const again = keeping(own);
      own.replaceChildren(...document.adoptNode(part).childNodes);
      again(own);
    }
    main.dataset.version = nextMain.dataset.version;
    showChosen();
    redrawCharts();
    if (newest !== main.dataset.version) schedule();
  } catch {
    // The stream says by itself that the server is gone.
  } finally {
    refreshing = false;
    refreshedAt = performance.now();
  }
}

function schedule() {
  if (waiting !== 0) return;
  waiting = setTimeout(refresh, Math.max(0, refreshedAt + refreshMs - performance.now()));
}

let stream = null;
let retry = 0;
let silence = 0;

/** Ends the stream, with all that waits for it. */
function hangUp() {
  clearTimeout(retry);
  clearTimeout(silence);
  stream?.close();
  stream = null;
}

function heard() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    lost();
    hangUp();
    listen();
  }, silentMs);
}

/** After a break the server may be another, which counts its versions anew: whatever it says next is news. */
function lost() {
  say("lost", "Not connected: is the viewer still running?");
  main.dataset.version = "";
}

function say(state, text) {
  if (live.dataset.state === state) return;
  live.hidden = false;
  live.dataset.state = state;
  live.textContent = text;
}

// A browser keeps few connections per server: pages in the background give theirs back.
/** Hears of changes as long as the page is looked at. */
export function listen() {
  clearTimeout(retry);
  if (document.hidden || main.dataset.version === undefined) return hangUp();
  if (stream !== null && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/events");
  heard();
  stream.addEventListener("change", (event) => {
    heard();
    say("live", "Live");
    newest = String(JSON.parse(event.data).version);
    if (newest !== main.dataset.version) schedule();
  });
  stream.onerror = () => {
    lost();
    if (stream?.readyState === EventSource.CLOSED) retry = setTimeout(listen, 10_000);
  };
}
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", hangUp);
addEventListener("pageshow", listen);
