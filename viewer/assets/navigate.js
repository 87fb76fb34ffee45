// Links and forms of a page change it in place; the address says what is shown.
import { takeChoice } from "./chosen.js";
import { keeping } from "./keep.js";

const main = document.getElementById("main");

let going = null;
/** Whether somebody is on the way to another state of this page. */
export const isGoing = () => going !== null;

let shown = () => {};
/** Says what to do when something else is shown. */
export function onShow(run) {
  shown = run;
}

/**
 * A page as the server says it is now, as a fragment, and the status of the answer.
 *
 * Pictures for browsers without scripts are left out: a browser keeps what was parsed for good where an image is in it, and a
 * page that stays open over night would grow. They are the only elements of that name, as all text is escaped.
 */
export async function load(url, signal) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
  const template = document.createElement("template");
  template.innerHTML = (await answer.text()).replaceAll(/<noscript>[^]*?<\/noscript>/g, "");
  return { next: template.content, status: answer.status };
}

/** Shows another state of this page: the server says what it is, the address holds it. */
export async function show(url, how) {
  going?.abort();
  const mine = going = new AbortController();
  main.setAttribute("aria-busy", "true");
  try {
    const { next } = await load(url, mine.signal);
    const nextMain = next.getElementById("main");
    if (nextMain === null) throw new Error("no page");
    const again = keeping(main);
    main.replaceChildren(...document.adoptNode(nextMain).childNodes);
    if (how === "push") history.pushState(null, "", url);
    if (how === "replace") history.replaceState(null, "", url);
    document.title = next.querySelector("title").textContent;
    if (nextMain.dataset.version !== undefined) main.dataset.version = nextMain.dataset.version;
    again(main);
    shown();
  } catch (error) {
    if (error.name === "AbortError") return;
    location.assign(url);
  } finally {
    if (going === mine) {
      going = null;
      main.removeAttribute("aria-busy");
    }
  }
}

addEventListener("popstate", () => show(location.href, "none"));

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link.href, "push");
});

/** Address of what a form says, without what is usual. */
function addressOf(form) {
  const values = new Map();
  for (const [name, value] of new FormData(form)) {
    values.set(name, [...values.get(name) ?? [], ...(value === "" ? [] : [value])]);
  }
  const params = new URLSearchParams();
  for (const [name, list] of values) {
    const text = list.join(",");
    const usual = form.querySelector(`[data-usual][name="${name}"]`)?.dataset.usual ?? "";
    if (text !== usual) params.set(name, text);
  }
  if (form.id === "filters") {
    const open = new URLSearchParams(location.search).get("open");
    if (open) params.set("open", open);
  }
  const search = params.toString().replaceAll("%2C", ",");
  return `${new URL(form.action).pathname}${search === "" ? "" : `?${search}`}`;
}

let typing = 0;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (event.target.type !== "search" || !form?.matches("[data-auto]")) return;
  clearTimeout(typing);
  typing = setTimeout(() => show(addressOf(form), "replace"), 300);
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.id === "compare") return takeChoice(event.target);
  if (!form?.matches("[data-auto]") || event.target.type === "search") return;
  show(addressOf(form), "push");
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  // By its attribute: a field called "method" stands before the property of that name.
  if (form.getAttribute("method") !== "get") return;
  event.preventDefault();
  clearTimeout(typing);
  if (form.matches("[data-auto]")) show(addressOf(form), "push");
  else location.assign(addressOf(form));
});
