/**
 * What a bench asks, as it is kept beside its runs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { Experiment } from "../core/record.ts";
import { checkExperimentName } from "../store/experiments.ts";
import type { Flags } from "./command.ts";

/** What a call of `bench` says of its experiment. */
export interface Asked {
  readonly args: readonly string[];
  readonly parsed: Flags;
  /** The prepared grid; `null` where parts are named. */
  readonly grid: { readonly name: string; readonly about: string } | null;
  readonly requests: readonly CellRequest[];
  /** Label of the row that others are compared with. */
  readonly reference: string;
  /** In words. */
  readonly budget: string;
}

/** Characters of a name that was made up, at most. */
const maxName = 60;
/** Those of its digest, where it is cut. */
const DIGEST = 6;

/** The experiment of a call, still without its cells. */
export function experimentOf(asked: Asked): Pick<Experiment, "name" | "question" | "command" | "reference" | "budget"> {
  const { args, parsed, grid, reference, budget } = asked;
  if (parsed.text.name !== undefined) checkExperimentName(parsed.text.name);
  return {
    name: parsed.text.name ?? nameOf(asked),
    question: grid?.about ?? null,
    command: `deno task bench ${ofWhole(args).filter((arg) => arg !== "--json").map(word).join(" ")}`.trim(),
    reference,
    budget,
  };
}

/** Arguments that train the whole grid, where this process trains a part of it or only writes its plan. */
function ofWhole(args: readonly string[]): string[] {
  const drop = (arg: string, next: string | undefined) => arg === "--shard" || (arg === "--launch" && next === "plan");
  return args.filter((arg, place) =>
    !drop(arg, args[place + 1]) && !(place > 0 && drop(args[place - 1], arg)) && !arg.startsWith("--shard=") &&
    arg !== "--launch=plan"
  );
}

/** An argument as a shell reads it. */
export function word(arg: string): string {
  return /^[\w./:=,+-]+$/.test(arg) ? arg : JSON.stringify(arg);
}

/** The grid's name or the rows', with what was set: "quick", "quick-training.epochs=1", "av-digits-concat-mmtm". */
function nameOf({ parsed, grid, requests }: Asked): string {
  const { text, list } = parsed;
  const settings = [
    ...list.set,
    ...(list.try ?? []),
    ...(text.epochs === undefined ? [] : [`epochs=${text.epochs}`]),
    ...(text.budget === undefined ? [] : [`budget=${text.budget}`]),
  ];
  const rows = grid === null
    ? [
      requests[0].dataset.name,
      ...requests.flatMap(({ label }) => label.split(" ").filter((own) => !own.includes("="))),
    ]
    : [grid.name, ...(text.profile === undefined || text.profile === "embedded" ? [] : [text.profile])];
  const name = [...new Set(rows), ...settings].join("-").replaceAll(/[^A-Za-z0-9._=+-]+/g, "-").replace(
    /^[^A-Za-z0-9]+/,
    "",
  );
  if (name.length <= maxName) return name.replace(/[^A-Za-z0-9]+$/, "") || "bench";
  // What begins alike is told apart by a digest of the whole.
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGEST);
  const short = name.slice(0, maxName - DIGEST - 1).replace(/[-.,=+][^-.,=+]*$/, "");
  return `${short}-${digest}`;
}
