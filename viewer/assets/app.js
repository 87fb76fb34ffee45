// What pages do beyond links and forms: they all work without it.
"use strict";
{
  const build = document.body.dataset.build;
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  /** Milliseconds between two refreshes of a page that is looked at. */
  const refreshMs = 2000;

  // ---------------------------------------------------------------------------------------------------- theme

  const themeButton = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosenTheme = () => document.documentElement.dataset.theme ?? "system";
  const theme = () => chosenTheme() === "system" ? (dark.matches ? "dark" : "light") : chosenTheme();
  const nameTheme = () => themeButton.textContent = `Theme: ${chosenTheme()}`;
  themeButton.hidden = false;
  nameTheme();
  themeButton.addEventListener("click", () => {
    const next = themes[(themes.indexOf(chosenTheme()) + 1) % themes.length];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // Storage may be forbidden: the choice lasts as long as the page.
    }
    nameTheme();
    redrawCharts();
  });
  dark.addEventListener("change", () => redrawCharts());

  // --------------------------------------------------------------------------------------------------- charts

  /** Figure to its drawn chart. */
  const charts = new Map();
  let library = null;
  const loadLibrary = () =>
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `/assets/echarts.js?${build}`;
      script.onload = () => resolve(globalThis.echarts);
      script.onerror = () => reject(new Error("the chart library could not be loaded"));
      document.head.append(script);
    });

  const format = (value) =>
    typeof value !== "number" || !Number.isFinite(value)
      ? "–"
      : value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
      ? value.toExponential(3)
      : String(Number(value.toFixed(4)));

  /** Words beside the pointer: each line with its value, and half of its band. */
  function axisTooltip(xTitle) {
    return (points) => {
      const rows = new Map();
      for (const { seriesId, seriesName, value, marker } of points) {
        const row = rows.get(seriesName) ?? {};
        if (String(seriesId).startsWith("line ")) Object.assign(row, { value: value[1], marker });
        if (String(seriesId).startsWith("width ") && value[1] != null) row.half = value[1] / 2;
        rows.set(seriesName, row);
      }
      const text = [...rows].filter(([, { value }]) => value != null).map(([name, { value, half, marker }]) =>
        `${marker ?? ""}${name}: ${format(value)}${half === undefined ? "" : ` ± ${format(half)}`}`
      );
      return [`${xTitle} ${format(points[0]?.value[0])}`, ...text].join("\n");
    };
  }

  function complete(option) {
    const series = option.series ?? [];
    if (series.some(({ type }) => type === "heatmap")) {
      option.tooltip.formatter = ({ value, name }) =>
        `Epoch ${name}, ${option.yAxis.data[value[1]]}: ${format(value[2])} %`;
    } else if (series.some(({ id }) => id === "means")) {
      option.tooltip.formatter = ({ value }) =>
        `${option.yAxis.data[value[1]]}: ${format(value[0])} ${option.xAxis.name}`;
    } else {
      option.tooltip.formatter = axisTooltip(option.xAxis.name);
      // A wheel alone scrolls the page; with Ctrl it zooms, as in maps.
      option.dataZoom = [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: true }];
    }
    return option;
  }

  async function drawChart(figure) {
    const plot = figure.querySelector(".plot");
    const drawn = charts.get(figure) ?? { busy: false, again: false, instance: null, width: 0 };
    charts.set(figure, drawn);
    if (drawn.busy) {
      drawn.again = true;
      return;
    }
    drawn.busy = true;
    try {
      const width = Math.max(200, Math.min(2400, Math.round(plot.clientWidth)));
      const address = figure.dataset.chart;
      const [echarts, answer] = await Promise.all([
        loadLibrary(),
        fetch(`${address}${address.includes("?") ? "&" : "?"}theme=${theme()}&width=${width}`),
      ]);
      if (!answer.ok || !figure.isConnected) return;
      const { option, height } = await answer.json();
      if (!figure.isConnected) return;
      if (drawn.instance === null) {
        const canvas = document.createElement("div");
        canvas.className = "canvas";
        canvas.style.height = `${height}px`;
        plot.append(canvas);
        drawn.instance = echarts.init(canvas, null, { renderer: "canvas" });
        figure.classList.add("drawn");
      }
      drawn.width = width;
      drawn.instance.getDom().style.height = `${height}px`;
      drawn.instance.resize();
      drawn.instance.setOption(complete(option), { notMerge: true });
    } catch {
      // The picture stays, and the next refresh tries again.
    } finally {
      drawn.busy = false;
      if (drawn.again) {
        drawn.again = false;
        drawChart(figure);
      }
    }
  }

  function redrawCharts() {
    for (const [figure, { instance }] of charts) if (instance !== null && figure.isConnected) drawChart(figure);
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      drawChart(target);
    }
  }, { rootMargin: "200px" });

  let resizing = 0;
  new ResizeObserver(() => {
    clearTimeout(resizing);
    resizing = setTimeout(() => {
      for (const [figure, { instance, width }] of charts) {
        if (instance !== null && Math.abs(figure.querySelector(".plot").clientWidth - width) > 2) drawChart(figure);
      }
    }, 150);
  }).observe(main);

  function findCharts() {
    for (const [figure, { instance }] of charts) {
      if (figure.isConnected) continue;
      instance?.dispose();
      charts.delete(figure);
    }
    for (const figure of main.querySelectorAll("[data-chart]")) if (!charts.has(figure)) seen.observe(figure);
  }

  // ------------------------------------------------------------------------------------- what a swap must keep

  /** Remembers what the reader did to a part of the page that is about to be replaced; returns how to do it again. */
  function keeping(root) {
    const open = [...root.querySelectorAll("details[id][open]")].map(({ id }) => id);
    const checked = [...root.querySelectorAll("input[form=compare]:checked")].map(({ name, value }) => [name, value]);
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
      for (const id of open) next.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
      for (const [name, value] of checked) {
        const box = next.querySelector(`input[form=compare][name="${name}"][value="${CSS.escape(value)}"]`);
        if (box !== null) box.checked = true;
      }
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

  // ---------------------------------------------------------------------------------------------- navigation

  let going = null;

  async function load(url, signal) {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, signal });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  /** Shows another state of this page: the server says what it is, the address holds it. */
  async function show(url, how) {
    going?.abort();
    const mine = going = new AbortController();
    main.setAttribute("aria-busy", "true");
    try {
      const next = await load(url, mine.signal);
      const nextMain = next.getElementById("main");
      if (nextMain === null) throw new Error("no page");
      const again = keeping(main);
      main.replaceChildren(...document.adoptNode(nextMain).childNodes);
      if (how === "push") history.pushState(null, "", url);
      if (how === "replace") history.replaceState(null, "", url);
      document.title = next.title;
      document.body.dataset.version = next.body.dataset.version ?? "";
      again(main);
      begin();
    } catch (error) {
      if (error.name === "AbortError") return;
      location.assign(url);
    } finally {
      if (going === mine) main.removeAttribute("aria-busy");
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
    if (form?.id === "compare") return countChosen();
    if (!form?.matches("[data-auto]") || event.target.type === "search") return;
    show(addressOf(form), "push");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get") return;
    event.preventDefault();
    clearTimeout(typing);
    if (form.matches("[data-auto]")) show(addressOf(form), "push");
    else location.assign(addressOf(form));
  });

  function countChosen() {
    const bar = document.getElementById("compare");
    if (bar === null) return;
    const count = document.querySelectorAll("input[form=compare]:checked").length;
    bar.classList.toggle("chosen", count > 0);
    bar.querySelector("button").disabled = count === 0;
    bar.querySelector(".hint").textContent = count === 0 ? "Choose configurations by their boxes." : `${count} chosen`;
  }

  // ---------------------------------------------------------------------------------------------------- copy

  function findCommands() {
    for (const block of main.querySelectorAll("[data-copy]:not([data-ready])")) {
      block.dataset.ready = "";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(block.querySelector("code").textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(block.querySelector("code"));
          button.textContent = "Press Ctrl+C";
        }
        setTimeout(() => button.textContent = "Copy", 2000);
      });
      block.append(button);
    }
  }

  // ---------------------------------------------------------------------------------------------------- live

  /** What the server last said of each part, to tell what changed. */
  const told = new Map();
  let refreshing = false;
  let waiting = 0;
  let refreshedAt = 0;
  let newest = document.body.dataset.version;

  const figureIds = (root) =>
    [...root.querySelectorAll("[data-chart]")].map(({ id, dataset }) => `${id} ${dataset.chart}`).join();

  function rememberParts() {
    told.clear();
    for (const part of main.querySelectorAll("[data-live]")) told.set(part.id, part.innerHTML);
  }

  async function refresh() {
    waiting = 0;
    if (refreshing || document.hidden || newest === document.body.dataset.version) return;
    refreshing = true;
    try {
      const address = location.href;
      const next = await load(address);
      if (address !== location.href || next.body.dataset.version === undefined) return;
      const parts = [...next.querySelectorAll("#main [data-live]")];
      const same = parts.every(({ id }) => document.getElementById(id) !== null) &&
        parts.length === main.querySelectorAll("[data-live]").length && figureIds(next) === figureIds(main);
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
      document.body.dataset.version = next.body.dataset.version;
      countChosen();
      redrawCharts();
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

  function say(state, text) {
    if (live.dataset.state === state) return;
    live.hidden = false;
    live.dataset.state = state;
    live.textContent = text;
  }

  // A browser keeps few connections per server: pages in the background give theirs back.
  function listen() {
    clearTimeout(retry);
    if (document.hidden || document.body.dataset.version === undefined) {
      stream?.close();
      stream = null;
      return;
    }
    if (stream !== null && stream.readyState !== EventSource.CLOSED) return;
    stream = new EventSource("/api/events");
    stream.addEventListener("change", (event) => {
      say("live", "Live");
      newest = String(JSON.parse(event.data).version);
      if (newest !== document.body.dataset.version) schedule();
    });
    stream.onerror = () => {
      say("lost", "Not connected: is the viewer still running?");
      if (stream !== null && stream.readyState === EventSource.CLOSED) retry = setTimeout(listen, 10_000);
    };
  }
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => {
    stream?.close();
    stream = null;
  });
  addEventListener("pageshow", listen);

  // ---------------------------------------------------------------------------------------------------- begin

  function begin() {
    findCharts();
    findCommands();
    countChosen();
    rememberParts();
  }

  begin();
  listen();
  document.documentElement.dataset.ready = "";
}
