// Charts that answer to the pointer, in place of pictures.
import { shownTheme } from "./theme_switch.js";

const build = document.body.dataset.build;
const main = document.getElementById("main");

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

// Numbers as numbers.ts writes them: a minus sign, and thousands apart.
const signed = (text) => text.replace(/^-/, "−");
const format = (value) =>
  typeof value !== "number" || !Number.isFinite(value) ? "–" : signed(
    value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)
      ? value.toExponential(3)
      : String(Number(value.toPrecision(4))),
  );
const tick = (value) =>
  signed(
    Number.isInteger(value) && Math.abs(value) < 1e15
      ? String(value).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f")
      : String(Number(value.toPrecision(6))),
  );

/** Words beside the pointer: each line with its value, and the ends of its band. */
function axisTooltip(xTitle) {
  return (points) => {
    const rows = new Map();
    for (const { seriesId, seriesName, value, marker } of points) {
      const row = rows.get(seriesName) ?? {};
      if (String(seriesId).startsWith("line ")) Object.assign(row, { value: value[1], marker });
      if (String(seriesId).startsWith("low ") && value[1] != null) row.low = value[1];
      if (String(seriesId).startsWith("width ") && value[1] != null) row.width = value[1];
      rows.set(seriesName, row);
    }
    const text = [...rows].filter(([, { value }]) => value != null).map(([name, { value, low, width, marker }]) =>
      `${marker ?? ""}${name}: ${format(value)}${
        low === undefined || width === undefined ? "" : ` (${format(low)} to ${format(low + width)})`
      }`
    );
    return [`${xTitle} ${format(points[0]?.value[0])}`, ...text].join("\n");
  };
}

function complete(option) {
  const series = option.series ?? [];
  for (const axis of [option.xAxis, option.yAxis]) {
    if (axis.type !== "category") axis.axisLabel = { ...axis.axisLabel, formatter: tick };
  }
  if (series.some(({ id }) => id === "field")) {
    option.tooltip.formatter = ({ value: [x, y, value] }) =>
      `${option.yAxis.name} ${option.yAxis.data[y]}, ${option.xAxis.name} ${option.xAxis.data[x]}: ${format(value)}`;
  } else if (
    series.some(({ type }) => type === "scatter") && series.every(({ id }) => String(id).startsWith("points "))
  ) {
    option.tooltip.formatter = ({ name, seriesName }) => `sample ${name}, ${seriesName}`;
  } else if (series.some(({ type }) => type === "heatmap")) {
    option.tooltip.formatter = ({ value, name }) =>
      `Epoch ${name}, ${option.yAxis.data[value[1]]}: ${format(value[2])} %`;
  } else if (series.some(({ id }) => id === "means")) {
    // Half of each row's interval, of those that have one.
    const halves = new Map(
      series.filter(({ id }) => String(id).startsWith("interval ")).map((
        { data: [[low, row], [high]] },
      ) => [row, (high - low) / 2]),
    );
    option.tooltip.formatter = (points) => {
      const [mean, row] = points.find(({ seriesId }) => seriesId === "means")?.value ?? [];
      if (row === undefined) return "";
      const half = halves.has(row) ? ` ± ${format(halves.get(row))}` : "";
      return `${option.yAxis.data[row]}: ${format(mean)}${half} ${option.xAxis.name}`;
    };
  } else {
    option.tooltip.formatter = axisTooltip(option.xAxis.name);
    // A wheel alone scrolls the page; with Ctrl it zooms, as in maps.
    option.dataZoom = [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: true }];
  }
  return option;
}

/** Draws a chart in place of its picture, or anew. */
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
    if (drawn.instance === null) plot.dataset.waiting = "";
    const width = Math.max(200, Math.min(2400, Math.round(plot.clientWidth)));
    const address = figure.dataset.chart;
    const [echarts, answer] = await Promise.all([
      loadLibrary(),
      fetch(`${address}${address.includes("?") ? "&" : "?"}theme=${shownTheme()}&width=${width}`),
    ]);
    if (!answer.ok || !figure.isConnected) return;
    const { option, height } = await answer.json();
    if (!figure.isConnected) return;
    if (drawn.instance === null) {
      plot.replaceChildren();
      const canvas = document.createElement("div");
      canvas.className = "canvas";
      canvas.style.height = `${height}px`;
      plot.append(canvas);
      plot.style.minHeight = "";
      drawn.instance = echarts.init(canvas, null, { renderer: "canvas" });
      figure.classList.add("drawn");
    }
    drawn.width = width;
    drawn.instance.getDom().style.height = `${height}px`;
    drawn.instance.resize();
    drawn.instance.setOption(complete(option), { notMerge: true });
  } catch {
    // The next refresh tries again; the exports below it work all the same.
    if (drawn.instance === null) plot.textContent = "The chart could not be drawn here; the exports below show it.";
  } finally {
    delete plot.dataset.waiting;
    drawn.busy = false;
    if (drawn.again) {
      drawn.again = false;
      drawChart(figure);
    }
  }
}

/** Draws all charts anew that were drawn: their data or the theme changed. */
export function redrawCharts() {
  for (const [figure, { instance }] of charts) if (instance !== null && figure.isConnected) drawChart(figure);
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    drawChart(target);
  }
}, { rootMargin: "200px" });

// On paper nothing scrolls into view.
addEventListener("beforeprint", () => {
  for (const figure of main.querySelectorAll("[data-chart]")) {
    if (figure.checkVisibility() && !charts.has(figure)) drawChart(figure);
  }
});

let resizing = 0;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const [figure, { instance, width }] of charts) {
      if (instance !== null && Math.abs(figure.querySelector(".plot").clientWidth - width) > 2) drawChart(figure);
    }
  }, 150);
}).observe(main);

/** Takes charts up that came in, and lets go of those that went. */
export function findCharts() {
  for (const [figure, { instance }] of charts) {
    if (figure.isConnected) continue;
    instance?.dispose();
    charts.delete(figure);
  }
  for (const figure of main.querySelectorAll("[data-chart]")) {
    if (charts.has(figure)) continue;
    const plot = figure.querySelector(".plot");
    // Its place is kept, so that nothing jumps when it comes.
    plot.style.minHeight = `${plot.dataset.height}px`;
    seen.observe(figure);
  }
}
