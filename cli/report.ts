/**
 * `armlab report`: an experiment as Markdown, CSV, LaTeX and one HTML page.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { experimentReport, reportFiles } from "../viewer/experiment_report.ts";
import { openRunStore } from "../viewer/store.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";

const flags: Readonly<Record<string, Flag>> = {
  runs: { type: "text", value: "DIR", about: "folder of runs (default: runs)" },
  out: { type: "text", value: "DIR", about: "folder of the report (default: reports)" },
  help: { type: "boolean", about: "show this help" },
};

/** `armlab report`. */
export const reportCommand: Command = {
  name: "report",
  about: "an experiment as Markdown, CSV, LaTeX and one HTML page",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("report", flags, args, { most: 1, about: "the name of one experiment" });
    if (parsed.boolean.help) {
      console.log(helpOf(
        "armlab report NAME [options]",
        "Write what a bench asked and found as NAME.md, NAME.csv, NAME.tex and NAME.html;\n" +
          "tables beside the first as NAME.TABLE.csv.",
        flags,
        ["armlab report quick", "armlab report quick --runs /data/runs --out paper/tables"],
      ));
      return 0;
    }
    const [name] = parsed.positional;
    const store = openRunStore(resolve(parsed.text.runs ?? "runs"));
    try {
      if (name === undefined) {
        const { experiments } = await store.snapshot();
        const found = `there are ${experiments.map((own) => own.name).join(", ") || "none"}`;
        throw new Refusal({ what: "report", must: "it takes the name of one experiment", found });
      }
      const files = await reportFiles(await experimentReport(store, name));
      const out = resolve(parsed.text.out ?? "reports");
      await makeFolder(out);
      const { further, ...whole } = files;
      const tables = Object.entries(further).map(([table, text]) => [`${table}.csv`, text]);
      for (const [ending, text] of [...Object.entries(whole), ...tables]) {
        const path = join(out, `${name}.${ending}`);
        await writeAtomic(path, text);
        console.log(path);
      }
      return 0;
    } finally {
      store.close();
    }
  },
};
