/** @jsxImportSource hono/jsx */
/**
 * The page of features: two runs side by side.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { PointChart } from "../charts.ts";
import { featureChartId, type FeaturesView } from "../features.ts";
import { featuresUrl } from "../query.ts";
import { ChartFigure } from "./parts.tsx";

/** The page. */
export const FeaturesPage: FC<{ view: FeaturesView }> = ({ view }) => {
  const { chosen, runs, kinds, of, query } = view;
  const search = featuresUrl({ ...query, of }, {}, "");
  return (
    <>
      <div class="title">
        <p class="crumbs">
          <a href="/">Results</a>
        </p>
        <h1>Features</h1>
        <p class="summary">Pooled features of test samples, placed in a plane by t-SNE: near stays near</p>
      </div>
      {chosen.length === 0
        ? (
          <section class="empty">
            <h2>No run kept features</h2>
            <p>A bench keeps them of its runs, of finished ones too, without training them again:</p>
            <pre><code>deno task bench --keep features</code></pre>
          </section>
        )
        : (
          <>
            <form class="filters" action="/features" method="get" data-auto="" aria-label="Which features">
              {(["a", "b"] as const).map((name, i) => (
                <label class="grow">
                  <span>{i === 0 ? "Left" : "Right"}</span>
                  <select name={name}>
                    {runs.map(({ run, label }) => (
                      <option value={run.id} selected={chosen[i]?.run.id === run.id}>{label}</option>
                    ))}
                    {i === 1 && chosen.length < 2 && <option value="" selected>none</option>}
                  </select>
                </label>
              ))}
              <label>
                <span>Feature</span>
                <select name="of" data-usual="fused">
                  {kinds.map((kind) => <option value={kind} selected={kind === of}>{kind}</option>)}
                </select>
              </label>
              <button type="submit" data-apply="">Apply</button>
            </form>
            <div class="charts">
              {chosen.map(({ run, label }) => (
                <ChartFigure
                  chart={unplaced(featureChartId(run.id), label)}
                  base="/features/charts"
                  api="/api/features/charts"
                  search={search}
                />
              ))}
            </div>
            <ul class="notes">
              <li>
                The first picture of a run takes some seconds. Distances between far groups, and sizes of groups, mean
                nothing; two pictures have no common axes. Seed 0, perplexity 30.
              </li>
            </ul>
          </>
        )}
    </>
  );
};

/** A chart whose points come when it is drawn. */
function unplaced(id: string, title: string): PointChart {
  return { kind: "points", id, title, about: "t-SNE of test samples, coloured by true class", groups: [] };
}
