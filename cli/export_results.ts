/**
 * `armlab export-results`: what the viewer shows, as files.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Refusal } from "../core/refusal.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { exportableOf, exportItem, gridAt, itemsIn } from "../viewer/export_view.ts";
import { exportFormats, isFormat } from "../viewer/exports.ts";
import { htmlOf } from "../viewer/report.tsx";
import { shellWord } from "../viewer/run.ts";
import { openRunStore } from "../viewer/store.ts";
import { mlflowFiles } from "../viewer/trackers/mlflow.ts";
import { trackedRuns } from "../viewer/trackers/runs.ts";
import { tensorboardFiles } from "../viewer/trackers/tensorboard.ts";
import { type Command, type Flag, helpOf, parseChoice, parseFlags } from "./command.ts";

const flags: Readonly<Record<string, Flag>> = {
  runs: { type: "text", value: "DIR", about: "folder of runs (default: runs)" },
  view: {
    type: "text",
    value: "ADDRESS",
    about: "a page of the viewer, as in the browser: / with its query, /runs/ID, /compare?c=ID,ID (default: /)",
  },
  item: { type: "text", value: "NAME", about: "a table or chart of that page (default: its first table)" },
  format: {
    type: "text",
    value: "NAME",
    about: "csv, md, tex, svg, png, json, or html: the whole page as one file (default: csv)",
  },
  to: {
    type: "text",
    value: "TOOL",
    about:
      "tensorboard: event files; mlflow: its file store; of all runs of the table of --view, into the folder --out",
  },
  out: { type: "text", value: "FILE", about: "file to write (default: standard output); with --to a folder" },
  items: { type: "boolean", about: "list the tables and charts of the page, and stop" },
  help: { type: "boolean", about: "show this help" },
};

/** `armlab export-results`. */
export const exportResultsCommand: Command = {
  name: "export-results",
  about: "write tables and charts of results as CSV, Markdown, LaTeX, SVG, PNG or JSON",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("export-results", flags, args);
    if (parsed.boolean.help) {
      console.log(helpOf(
        "armlab export-results [options]",
        "Write tables and charts of results, as the viewer exports them.",
        flags,
        [
          "armlab export-results --format tex --out results.tex",
          'armlab export-results --view "/?fusion=concat&sort=name" --format md',
          "armlab export-results --format html --out results.html",
          "armlab export-results --to tensorboard --out events     then: tensorboard --logdir events",
          "armlab export-results --to mlflow --out mlruns          then: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri mlruns",
          "armlab export-results --view /runs/0123456789abcdef --items",
          "armlab export-results --view /runs/0123456789abcdef --item loss --format svg --out loss.svg",
        ],
      ));
      return 0;
    }
    if (parsed.text.to !== undefined) {
      const tool = parseChoice("--to", parsed.text.to, ["tensorboard", "mlflow"]);
      for (const flag of ["format", "item"]) {
        if (parsed.text[flag] === undefined) continue;
        throw new Refusal({
          what: `use --${flag} with --to`,
          must: "that writes all runs as the other tool keeps them",
        });
      }
      if (parsed.text.out === undefined) {
        throw new Refusal({
          what: "use --to",
          must: "a folder must be named",
          found: "found none",
          hint: `name one with --out ${tool === "mlflow" ? "mlruns" : "events"}`,
        });
      }
      return await exportTo(
        tool,
        resolve(parsed.text.out),
        resolve(parsed.text.runs ?? "runs"),
        parsed.text.view ?? "/",
      );
    }
    const format = parsed.text.format ?? "csv";
    if (format !== "json" && format !== "html" && !isFormat(format)) {
      throw new Refusal({
        what: "use --format",
        must: `it must be one of ${exportFormats.join(", ")}, json, html`,
        found: `found "${format}"`,
      });
    }
    if ((format === "json" || format === "html") && parsed.text.item !== undefined) {
      throw new Refusal({ what: `use --item with --format ${format}`, must: "that holds the whole page" });
    }
    const store = openRunStore(resolve(parsed.text.runs ?? "runs"));
    try {
      const exportable = await exportableOf(store, parsed.text.view ?? "/");
      if (parsed.boolean.items) {
        console.log(itemsIn(exportable).join("\n"));
        return 0;
      }
      const content = format === "json"
        ? `${JSON.stringify(exportable.json(), undefined, 2)}\n`
        : format === "html"
        ? await htmlOf({
          title: exportable.title,
          folder: store.folder,
          tables: Object.values(exportable.tables).map((table) => table()),
          charts: exportable.charts,
          pictures: Object.values(exportable.pictures ?? {}),
        })
        : await exportItem(exportable, parsed.text.item, format);
      await write(content, parsed.text.out);
      return 0;
    } finally {
      store.close();
    }
  },
};

/** Writes all runs of a table as another tool keeps them. */
async function exportTo(tool: "tensorboard" | "mlflow", out: string, runs: string, view: string): Promise<number> {
  const store = openRunStore(runs);
  try {
    const grid = await gridAt(store, view);
    const tracked = trackedRuns(store, grid);
    const files = tool === "tensorboard"
      ? tensorboardFiles(tracked)
      : mlflowFiles(grid.experiment?.name ?? "armlab", tracked, pathToFileURL(out).href);
    for (const [path, content] of files) {
      const whole = join(out, path);
      await makeFolder(dirname(whole));
      await writeAtomic(whole, content);
    }
    console.log(`${tracked.length} ${tracked.length === 1 ? "run" : "runs"} in ${out}; look at them by:`);
    console.log(
      tool === "tensorboard"
        ? `  tensorboard --logdir ${shellWord(out)}`
        // MLflow 3 keeps its own runs in a database, and opens a file store only when it is told to.
        : `  MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ${shellWord(out)}`,
    );
    return 0;
  } finally {
    store.close();
  }
}

async function write(content: string | Uint8Array<ArrayBuffer>, out: string | undefined): Promise<void> {
  if (out !== undefined) return await writeAtomic(resolve(out), content);
  if (typeof content !== "string" && Deno.stdout.isTerminal()) {
    throw new Refusal({ what: "write a PNG to a terminal", must: "it is no text", hint: "name a file with --out" });
  }
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
