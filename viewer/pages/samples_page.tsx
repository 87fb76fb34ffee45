/** @jsxImportSource hono/jsx */
/**
 * The page of samples: which are confused, which one readout has right and another wrong.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import { plainSamples, type SamplesQuery, samplesUrl } from "../query.ts";
import type { Shown } from "../sample.ts";
import type { SampleRow, SamplesView } from "../samples.ts";
import { Exports } from "./parts.tsx";
import { Previews, StillToCome } from "./preview.tsx";
import { fixed } from "../numbers.ts";

/** Steps of shading. */
const shades = 6;

/** The page; previews are those of the rows, in their order. */
export const SamplesPage: FC<{ view: SamplesView; previews: readonly Shown[] }> = ({ view, previews }) => {
  const { query, run, configuration, rows, total, size, reason, confusion } = view;
  const wrong = previews.find((shown) => shown.reason !== null)?.reason ?? null;
  return (
    <>
      <div class="title">
        <p class="crumbs">
          <a href="/">Results</a>
          <a href={`/configurations/${configuration.id}`}>{configuration.label}</a>
          <a href={`/runs/${run.id}`}>seed {run.config.seed}</a>
        </p>
        <h1>Samples</h1>
        <p class="summary">
          <strong>{total}</strong> of {size} {query.split} samples as {configuration.label}, seed {run.config.seed},
          {" "}
          predicts them
        </p>
      </div>
      <Filters view={view} />
      {reason !== null && <p class="note warn">{reason}</p>}
      {wrong !== null && <p class="note warn">{wrong}</p>}
      {previews.some(({ later }) => later) && <StillToCome url={samplesUrl(query)} />}
      {confusion !== null && <Confusion view={view} confusion={confusion} />}
      {size > 0 && total === 0 && (
        <p class="note">
          No sample fits. <a href={samplesUrl(plainSamples, { run: query.run, split: query.split })}>Show all</a>
        </p>
      )}
      <ul class="cards" aria-label="Samples">
        {rows.map((row, i) => <Card view={view} row={row} shown={previews[i]} />)}
      </ul>
      <Pages view={view} />
      {rows.length > 0 && (
        <Exports base="/samples-table" search={samplesUrl(query, {}, "")} what="the samples of this page" />
      )}
    </>
  );
};

/** That there is nothing to look at yet. */
export const NoSamples: FC = () => (
  <section class="empty">
    <h1>Samples</h1>
    <p>No run has finished yet: what a run predicts is kept at its end.</p>
  </section>
);

const Pages: FC<{ view: SamplesView }> = ({ view: { query, pages, total } }) =>
  pages < 2 ? null : (
    <nav class="pages" aria-label="Pages of samples">
      {query.page > 1 && <a href={samplesUrl(query, { page: query.page - 1 })} data-swap="" rel="prev">Previous</a>}
      <span>Page {query.page} of {pages} ({total} samples)</span>
      {query.page < pages && <a href={samplesUrl(query, { page: query.page + 1 })} data-swap="" rel="next">Next</a>}
    </nav>
  );

const Options: FC<{ values: readonly (readonly [value: string, text: string])[]; chosen: string }> = (
  { values, chosen },
) => <>{values.map(([value, text]) => <option value={value} selected={value === chosen}>{text}</option>)}</>;

const sorts: readonly (readonly [SamplesQuery["sort"], string])[] = [
  ["loss", "largest loss first"],
  ["easy", "least loss first"],
  ["gap", "largest gap of contributions first"],
  ["place", "by place in the split"],
];

const Filters: FC<{ view: SamplesView }> = ({ view }) => {
  const { query, classes, readouts, others, runs, run } = view;
  const named = readouts.map((name): [string, string] => [name, name]);
  const byClass = classes.map((name, i): [string, string] => [String(i), name]);
  const any: [string, string] = ["", "any"];
  return (
    <form class="filters" id="sample-filters" action="/samples" method="get" data-auto="" aria-label="Which samples">
      <label class="grow">
        <span>Run</span>
        <select name="run">
          <Options values={runs.map(({ id, label }) => [id, label])} chosen={run.id} />
        </select>
      </label>
      <label>
        <span>Split</span>
        <select name="split" data-usual="test">
          <Options values={[["test", "test"], ["validation", "validation"]]} chosen={query.split} />
        </select>
      </label>
      <label>
        <span>True class</span>
        <select name="truth">
          <Options values={[any, ...byClass]} chosen={query.truth === null ? "" : String(query.truth)} />
        </select>
      </label>
      <label>
        <span>Predicted class</span>
        <select name="predicted">
          <Options values={[any, ...byClass]} chosen={query.predicted === null ? "" : String(query.predicted)} />
        </select>
      </label>
      <label>
        <span>Right by</span>
        <select name="right">
          <Options values={[any, ...named]} chosen={query.right.join(",")} />
        </select>
      </label>
      <label>
        <span>Wrong by</span>
        <select name="wrong">
          <Options values={[any, ...named]} chosen={query.wrong.join(",")} />
        </select>
      </label>
      {others.length > 0 && (
        <label class="grow">
          <span>Other run</span>
          <select name="other">
            <Options
              values={[["", "none"], ...others.map(({ id, label }): [string, string] => [id, label])]}
              chosen={query.other ?? ""}
            />
          </select>
        </label>
      )}
      <label>
        <span>Order</span>
        <select name="sort" data-usual="loss">
          <Options values={sorts} chosen={query.sort} />
        </select>
      </label>
      {query.split === "validation" && (
        <label>
          <span>Followed</span>
          <select name="followed" data-usual="false">
            <Options
              values={[["false", "all samples"], ["true", "the 64 that are followed"]]}
              chosen={String(query.followed)}
            />
          </select>
        </label>
      )}
      <a class="reset" href={samplesUrl(plainSamples, { run: query.run })}>Reset</a>
      <Shortcuts view={view} />
      <button type="submit" data-apply="">Apply</button>
    </form>
  );
};

/** Questions that are asked most, as links. */
const Shortcuts: FC<{ view: SamplesView }> = ({ view: { query, readouts } }) => {
  // A model of one modality has one readout, which cannot be right and wrong.
  const modalities = readouts.length > 2 ? readouts.slice(1) : [];
  const cases: [string, string[], string[]][] = [
    ["fused wrong", [], ["fused"]],
    ...modalities.map((name): [string, string[], string[]] => [`${name} right, fused wrong`, [name], ["fused"]]),
    ...modalities.map((name): [string, string[], string[]] => [`fused right, ${name} wrong`, ["fused"], [name]]),
  ];
  return (
    <nav class="presets" aria-label="Usual questions">
      {cases.map(([text, right, wrong]) => (
        <a
          href={samplesUrl(query, { right, wrong, page: 1 })}
          data-swap=""
          aria-current={query.right.join() === right.join() && query.wrong.join() === wrong.join() ? "true" : undefined}
        >
          {text}
        </a>
      ))}
    </nav>
  );
};

/** Counts of the whole split; a cell shows its samples. */
const Confusion: FC<{ view: SamplesView; confusion: readonly (readonly number[])[] }> = ({ view, confusion }) => {
  const { query, classes } = view;
  const chosen = (truth: number, predicted: number) => query.truth === truth && query.predicted === predicted;
  return (
    <details id="confusion" class="section" open>
      <summary>
        <h2>Confusion</h2>
      </summary>
      <div class="scroll" tabindex={0} role="region" aria-label="Confusion">
        <table class="data confusion">
          <caption class="hidden">Samples by true and predicted class; a cell shows its samples</caption>
          <thead>
            <tr>
              <th scope="col" class="left">True class</th>
              {classes.map((name) => <th scope="col" class="right">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {confusion.map((row, truth) => {
              const all = Math.max(1, row.reduce((sum, count) => sum + count, 0));
              return (
                <tr>
                  <th scope="row" class="left">{classes[truth]}</th>
                  {row.map((count, predicted) => (
                    <td
                      class={`right shade-${Math.ceil(shades * count / all)}${truth === predicted ? " diagonal" : ""}${
                        chosen(truth, predicted) ? " here" : ""
                      }`}
                    >
                      {count > 0 && (
                        <a
                          href={samplesUrl(
                            query,
                            chosen(truth, predicted)
                              ? { truth: null, predicted: null, page: 1 }
                              : { truth, predicted, page: 1 },
                          )}
                          data-swap=""
                          aria-label={`${count} of class ${classes[truth]} predicted as ${classes[predicted]}`}
                        >
                          {count}
                        </a>
                      )}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <ul class="notes">
        <li>
          Of the whole split: a row for each true class, a column for each predicted one; a cell shows its samples.
        </li>
      </ul>
    </details>
  );
};

const Card: FC<{ view: SamplesView; row: SampleRow; shown: Shown }> = ({ view, row, shown }) => {
  const { classes, query, run } = view;
  const base = `/runs/${run.id}/samples/${query.split}/${row.id}`;
  const [fused] = row.readouts;
  return (
    <li class={fused.right ? "card" : "card off"}>
      <p class="verdict">
        <a href={base}>Sample {row.id}</a>
        <span>
          {classes[row.label]}
          {!fused.right && (
            <>
              {" → "}
              <strong>{classes[fused.predicted]}</strong>
            </>
          )}
        </span>
      </p>
      <Previews shown={shown} base={base} what={`sample ${row.id}`} />
      <dl>
        {row.loss !== null && (
          <div>
            <dt>loss</dt>
            <dd>{row.loss.toFixed(2)}</dd>
          </div>
        )}
        {row.readouts.map(({ name, predicted, probability, right }) => (
          <div>
            <dt>{name}</dt>
            <dd>
              <span class={right ? "yes" : "no"}>{right ? "✓" : "✗"}</span> {classes[predicted]}
              {probability !== null && <span class="muted">{` p ${probability.toFixed(2)}`}</span>}
            </dd>
          </div>
        ))}
        {row.phi.map(([name, value]) => (
          <div>
            <dt>{`φ ${name}`}</dt>
            <dd>{fixed(value, 3)}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
};
