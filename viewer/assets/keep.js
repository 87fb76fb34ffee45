// What a reader did to a part of the page outlasts its replacement.

/** Remembers what the reader did to a part of the page that is about to be replaced; returns how to do it again. */
export function keeping(root) {
  const folds = [...root.querySelectorAll("details[id]")].map(({ id, open }) => ({ id, open }));
  const scrolls = [...root.querySelectorAll(".scroll, .log")].map((
    { scrollLeft, scrollTop },
  ) => [scrollLeft, scrollTop]);
  const active = root.contains(document.activeElement) ? document.activeElement : null;
  const label = active?.getAttribute("aria-label");
  const way = active === null
    ? null
    : active.id
    ? `#${CSS.escape(active.id)}`
    : active.name
    ? `[name="${CSS.escape(active.name)}"]${
      active.value && active.type === "checkbox" ? `[value="${CSS.escape(active.value)}"]` : ""
    }`
    : active.dataset.swap !== undefined && active.closest("th") !== null
    ? null
    : active.getAttribute("href")
    ? `a[href="${CSS.escape(active.getAttribute("href"))}"]`
    : label
    ? `[aria-label="${CSS.escape(label)}"]`
    : null;
  const head = active?.closest("thead th")?.cellIndex;
  const row = active?.closest("tbody tr.row")?.querySelector("input")?.value;
  const caret = active?.type === "search" ? active.selectionStart : null;
  return (next) => {
    for (const { id, open } of folds) next.querySelector(`#${CSS.escape(id)}`)?.toggleAttribute("open", open);
    [...next.querySelectorAll(".scroll, .log")].forEach((element, i) => {
      if (scrolls[i] !== undefined) [element.scrollLeft, element.scrollTop] = scrolls[i];
    });
    if (active === null) return;
    const target = head !== undefined
      ? next.querySelectorAll("thead th")[head]?.querySelector("a")
      : row !== undefined && active.classList.contains("fold")
      ? next.querySelector(`input[value="${CSS.escape(row)}"]`)?.closest("tr").querySelector(".fold")
      : way === null
      ? null
      : next.querySelector(way);
    target?.focus({ preventScroll: true });
    if (caret !== null && target?.type === "search") target.setSelectionRange(caret, caret);
  };
}
