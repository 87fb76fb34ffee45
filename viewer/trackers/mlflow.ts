/**
 * Runs in the layout of MLflow's file store: `<experiment>/meta.yaml`, `<experiment>/<run>/meta.yaml`, and a file for each
 * metric ("time value step" by line), parameter and tag.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/canonical.ts";
import { settingText } from "../settings.ts";
import type { TrackedRun } from "./runs.ts";

/** Characters of a parameter at most: what MLflow takes. */
const maxParameter = 6000;

/** MLflow's RunStatus. */
const statuses: Readonly<Record<TrackedRun["state"], number>> = {
  running: 1,
  finished: 3,
  failed: 4,
  interrupted: 5,
  broken: 4,
};

/** YAML of plain values: JSON is YAML, key by key. */
function yaml(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("");
}

/** A name that MLflow takes, and that stays below its folder: letters, digits and `_ - . : /`. */
export function mlflowName(name: string): string {
  return name.replaceAll(/[^\w.:/ -]/g, "_").split("/").map((part) => /^\.*$/.test(part) ? `_${part}` : part)
    .join("/").slice(0, 250);
}

const milliseconds = (seconds: number) => Math.round(1000 * seconds);

/** Number of an experiment: of its name, so that a second export writes to the same place. */
function experimentId(name: string): string {
  return String(Number.parseInt(createHash("sha256").update(name).digest("hex").slice(0, 12), 16) + 1);
}

/**
 * Files of an experiment by path.
 *
 * @param name Of the experiment.
 * @param root URL of the folder, which MLflow asks for where artifacts lie: `file:///…/mlruns`.
 */
export function mlflowFiles(name: string, runs: readonly TrackedRun[], root: string): Map<string, string> {
  const experiment = experimentId(name);
  const times = runs.map(({ started }) => milliseconds(started));
  const created = times.reduce((a, b) => Math.min(a, b), times[0] ?? 0);
  const files = new Map([[
    `${experiment}/meta.yaml`,
    yaml({
      artifact_location: `${root}/${experiment}`,
      creation_time: created,
      experiment_id: experiment,
      last_update_time: created,
      lifecycle_stage: "active",
      name,
    }),
  ]]);
  for (const run of runs) {
    // Before its first epoch a run has no metrics, and without them it is none to MLflow.
    if (Object.values(run.curves).every((points) => points.length === 0)) continue;
    for (const [path, text] of runFiles(run, experiment, root)) files.set(`${experiment}/${run.id}/${path}`, text);
  }
  return files;
}

function* runFiles(
  { id, configuration, seed, state, started, ended, config, settings, curves }: TrackedRun,
  experiment: string,
  root: string,
): Generator<readonly [path: string, text: string]> {
  const name = `${configuration}, seed ${seed}`;
  yield [
    "meta.yaml",
    yaml({
      artifact_uri: `${root}/${experiment}/${id}/artifacts`,
      end_time: ended === null ? null : milliseconds(ended),
      entry_point_name: "",
      experiment_id: experiment,
      lifecycle_stage: "active",
      run_id: id,
      run_name: name,
      run_uuid: id,
      source_name: "armlab",
      source_type: 4,
      source_version: "",
      start_time: milliseconds(started),
      status: statuses[state],
      tags: [],
      user_id: "",
    }),
  ];
  yield ["tags/mlflow.runName", name];
  yield ["tags/armlab.configuration", configuration];
  // A run without a folder of artifacts is none to MLflow; this one repeats it by `bench --config`.
  yield ["artifacts/config.json", `${canonicalJson(config, 2)}\n`];
  for (const [key, value] of Object.entries(settings)) {
    yield [`params/${mlflowName(key)}`, settingText(value).slice(0, maxParameter)];
  }
  for (const [key, points] of Object.entries(curves)) {
    if (points.length === 0) continue;
    yield [
      `metrics/${mlflowName(key)}`,
      points.map(({ time, value, step }) => `${milliseconds(time)} ${value} ${step}\n`).join(""),
    ];
  }
}
