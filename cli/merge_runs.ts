/**
 * `armlab merge-runs`: folders of runs from several machines as one.
 *
 * @module
 */
import { resolve } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { isFolder } from "../store/files.ts";
import { uniteRuns } from "../store/unite.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { printableLine } from "./printable.ts";

const flags: Readonly<Record<string, Flag>> = {
  into: { type: "text", value: "RUNS", about: "the folder that takes all; made if it is missing" },
  json: { type: "boolean", about: "print what was done as JSON" },
  help: { type: "boolean", about: "show this help" },
};

/** More folders than anybody has machines. */
const mostFolders = 1000;

const count = (found: readonly unknown[], what: string) => `${found.length} ${what}${found.length === 1 ? "" : "s"}`;

/** `armlab merge-runs`. */
export const mergeRunsCommand: Command = {
  name: "merge-runs",
  about: "unite folders of runs from several machines; contradictions are refused",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("merge-runs", flags, args, { most: mostFolders, about: "folders of runs" });
    if (parsed.boolean.help) {
      console.log(
        helpOf("armlab merge-runs RUNS... --into RUNS", "Unite folders of runs from several machines.", flags, [
          "armlab merge-runs node1/runs node2/runs --into runs",
        ]),
      );
      return 0;
    }
    const folders = parsed.positional.map((folder) => resolve(folder));
    if (folders.length === 0 || parsed.text.into === undefined) {
      throw new Refusal({
        what: "unite runs",
        must: "there must be folders and where they go",
        found: folders.length === 0 ? "no folder is named" : "--into is missing",
        hint: "write armlab merge-runs A B --into C",
      });
    }
    const into = resolve(parsed.text.into);
    for (const folder of folders) {
      if (folder === into) {
        throw new Refusal({ what: `unite "${folder}" with itself`, must: "--into must be another folder" });
      }
      if (!await isFolder(folder)) {
        throw new Refusal({
          what: `unite runs of "${folder}"`,
          must: "it must be a folder of runs",
          found: "it is none",
        });
      }
    }
    const { copied, equal, left, experiments } = await uniteRuns(folders, into);
    if (parsed.boolean.json) console.log(JSON.stringify({ copied, equal, left, experiments }));
    else {
      console.log(
        `${into}: ${count(copied, "run")} copied, ` +
          `${equal.length} ${equal.length === 1 ? "was there and is equal" : "were there and are equal"}, ` +
          `${count(experiments, "experiment")}.`,
      );
      for (const { id, why } of left) console.log(printableLine(`  left out  ${id}: ${why}`));
    }
    return 0;
  },
};
