/** @jsxImportSource hono/jsx */
/**
 * The form that says what the table of results shows.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { Model } from "../configurations.ts";
import { everything, experimentOf } from "../experiment.ts";
import { choicesOf, type Grid } from "../grid.ts";
import { gridUrl, plainGrid } from "../query.ts";

/** Rows offered as reference at most. */
const maxReferences = 200;

/** Which experiment's rows are shown; the newest unless told otherwise. */
const ExperimentSelect: FC<{ grid: Grid; model: Model }> = ({ grid, model }) => {
  const newest = experimentOf(model, null)!.name;
  const names = [...model.experiments].sort((a, b) => a.writtenAt < b.writtenAt ? 1 : -1).map(({ name }) => name);
  return (
    <label>
      <span>Experiment</span>
      <select name="experiment" data-usual={newest}>
        {names.map((name) => <option value={name} selected={grid.experiment?.name === name}>{name}</option>)}
        <option value={everything} selected={grid.experiment === null}>all runs</option>
      </select>
    </label>
  );
};

/** What others are compared with. */
const ReferenceSelect: FC<{ grid: Grid }> = ({ grid }) => {
  const rows = grid.groups.flatMap(({ rows }) => rows).filter(({ result }) => result !== null).slice(0, maxReferences);
  if (rows.length < 2) return null;
  const named = grid.query.reference !== null;
  return (
    <label>
      <span>Compared with</span>
      <select name="reference">
        <option value="">{named ? "the usual one" : grid.reference?.label ?? "none"}</option>
        {rows.filter(({ configuration }) => named || configuration !== grid.reference).map(({ configuration }) => (
          <option value={configuration.id} selected={named && configuration === grid.reference}>
            {configuration.label}
          </option>
        ))}
      </select>
    </label>
  );
};

const Select: FC<{ name: string; title: string; values: readonly string[]; chosen: readonly string[]; all: string }> = (
  { name, title, values, chosen, all },
) => (
  <label>
    <span>{title}</span>
    <select name={name}>
      <option value="">{all}</option>
      {chosen.length > 1 && <option value={chosen.join(",")} selected>{chosen.join(", ")}</option>}
      {values.map((value) => (
        <option value={value} selected={chosen.length === 1 && chosen[0] === value}>{value}</option>
      ))}
    </select>
  </label>
);

/** The form above the table. */
export const Filters: FC<{ grid: Grid; model: Model }> = ({ grid, model }) => {
  const { query } = grid;
  const choices = choicesOf(model);
  const shown = new Set(grid.shown.map(({ key }) => key));
  return (
    <form class="filters" id="filters" action="/" method="get" data-auto="" role="search" aria-label="Filter results">
      {model.experiments.length > 0 && <ExperimentSelect grid={grid} model={model} />}
      <label class="grow">
        <span>Search</span>
        <input
          type="search"
          name="q"
          value={query.q}
          maxlength={400}
          placeholder="arm training.epochs>=10"
          aria-describedby="search-help"
        />
      </label>
      <span id="search-help" class="hidden">
        Words, or conditions such as training.epochs&gt;=10 and accuracy&gt;90, in the units of the table
      </span>
      <Select name="dataset" title="Dataset" values={choices.dataset} chosen={query.dataset} all="all" />
      <Select name="fusion" title="Fusion" values={choices.fusion} chosen={query.fusion} all="all" />
      <Select name="method" title="Method" values={choices.method} chosen={query.method} all="all" />
      <Select
        name="state"
        title="With runs"
        values={["finished", "running", "failed", "interrupted"]}
        chosen={query.state}
        all="in any state"
      />
      <label>
        <span>Group by</span>
        <select name="group" data-usual="none">
          {["none", "dataset", "fusion", "method"].map((value) => (
            <option value={value} selected={query.group === value}>{value}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Settings</span>
        <select name="settings" data-usual="differing">
          {[["differing", "that differ"], ["all", "all"], ["none", "none"]].map(([value, text]) => (
            <option value={value} selected={query.settings === value}>{text}</option>
          ))}
        </select>
      </label>
      <ReferenceSelect grid={grid} />
      <a class="reset" href={gridUrl(plainGrid, { experiment: query.experiment })}>Reset</a>
      <details class="columns" id="columns">
        <summary>Columns</summary>
        <fieldset>
          <legend>Measures shown</legend>
          <input
            type="hidden"
            name="columns"
            value=""
            data-usual={grid.measures.filter(({ usual }) =>
              usual
            ).map(({ key }) =>
              key
            ).join(",")}
          />
          {grid.measures.map((measure) => (
            <label title={measure.about}>
              <input type="checkbox" name="columns" value={measure.key} checked={shown.has(measure.key)} />
              {measure.title}
            </label>
          ))}
        </fieldset>
      </details>
      {query.sort !== null && <input type="hidden" name="sort" value={query.sort} />}
      <button type="submit" data-apply="">Apply</button>
    </form>
  );
};
