/** @jsxImportSource hono/jsx */
/**
 * The form that says what a comparison draws.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { Comparison } from "../compare.ts";
import { asksFor, compareUrl, plainCompare, presets } from "../query.ts";

/** Weights of smoothing that are offered. */
const weights = [0, 0.3, 0.6, 0.9];

/** The form above the curves. */
export const Controls: FC<{ comparison: Comparison }> = ({ comparison }) => {
  const { query, items, measures, reference } = comparison;
  return (
    <form class="filters" id="controls" action="/compare" method="get" data-auto="" aria-label="What is compared">
      <input type="hidden" name="c" value={query.c.join(",")} />
      <input type="hidden" name="r" value={query.r.join(",")} />
      {query.experiment !== null && <input type="hidden" name="experiment" value={query.experiment} />}
      <Drawing comparison={comparison} />
      {items.length > 1 && (
        <label>
          <span>Reference</span>
          <select name="reference" data-usual={items[0].id}>
            {items.map(({ id, label }) => <option value={id} selected={reference?.id === id}>{label}</option>)}
          </select>
        </label>
      )}
      <a class="reset" href={compareUrl(plainCompare, { c: query.c, r: query.r, experiment: query.experiment })}>
        Reset
      </a>
      <nav class="presets" aria-label="Sets of measures">
        {presets.filter(([_, metric]) => measures.some(({ key }) => asksFor(metric, key))).map(([name, metric]) => (
          <a
            href={compareUrl(query, { metric })}
            data-swap=""
            aria-current={metric.join() === query.metric.join() ? "true" : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <Measures comparison={comparison} />
      <button type="submit" data-apply="">Apply</button>
    </form>
  );
};

/** How lines are drawn: smoothing, axes and their ends. */
const Drawing: FC<{ comparison: Comparison }> = ({ comparison: { query } }) => {
  const steps = weights.includes(query.smooth) ? weights : [...weights, query.smooth].sort((a, b) => a - b);
  const unit = query.x === "epoch" ? "epoch" : "sample";
  return (
    <>
      <label>
        <span>Smoothing</span>
        <select name="smooth">
          {steps.map((weight) => (
            <option value={weight === 0 ? "" : String(weight)} selected={query.smooth === weight}>
              {weight === 0 ? "none" : `moving average, ${weight}`}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Over</span>
        <select name="x" data-usual="epoch">
          <option value="epoch" selected={query.x === "epoch"}>epochs</option>
          <option value="samples" selected={query.x === "samples"}>samples drawn</option>
        </select>
      </label>
      <label>
        <span>Axis of values</span>
        <select name="y" data-usual="linear">
          <option value="linear" selected={query.y === "linear"}>linear</option>
          <option value="log" selected={query.y === "log"}>logarithmic, where all are above 0</option>
        </select>
      </label>
      <label class="short">
        <span>From {unit}</span>
        <input type="number" name="from" min={0} value={query.from === null ? "" : String(query.from)} />
      </label>
      <label class="short">
        <span>To {unit}</span>
        <input type="number" name="to" min={0} value={query.to === null ? "" : String(query.to)} />
      </label>
    </>
  );
};

/** Measures that are drawn, each with a box to leave it out, and a field that finds further ones by their names. */
const Measures: FC<{ comparison: Comparison }> = ({ comparison: { query, measures } }) => {
  const drawn = measures.filter(({ key }) => asksFor(query.metric, key));
  const others = measures.filter(({ key }) => !asksFor(query.metric, key));
  const usual = measures.filter(({ key }) => asksFor(plainCompare.metric, key)).map(({ key }) => key).join(",");
  return (
    <fieldset class="measures">
      <legend>Measures, at most 12</legend>
      <input type="hidden" name="metric" value="" data-usual={usual} />
      {drawn.map(({ key, title }) => (
        <label>
          <input type="checkbox" name="metric" value={key} checked />
          {title}
        </label>
      ))}
      {others.length > 0 && (
        <label class="find">
          <span>Add</span>
          <input name="metric" list="all-measures" value="" placeholder="find a measure" autocomplete="off" />
        </label>
      )}
      <datalist id="all-measures">
        {others.map(({ key, title }) => <option value={key}>{title}</option>)}
      </datalist>
    </fieldset>
  );
};
