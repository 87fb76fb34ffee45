/** Commands that the documents show are ones that exist, and those behind numbers plan the rows that are printed. */
import { assert, assertEquals } from "@std/assert";
import settings from "../../deno.json" with { type: "json" };
import { askedOf } from "../../cli/asked.ts";
import { benchFlags } from "../../cli/bench.ts";
import { parseFlags } from "../../cli/command.ts";
import { main } from "../../cli/main.ts";
import type { CellRequest } from "../../core/kinds/mod.ts";
import { planTuning } from "../../experiments/tuning/tune.ts";
import { createLibrary } from "../../library.ts";

const root = new URL("../../", import.meta.url);
const library = createLibrary();
const names = ["README.md", ...[...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md")).sort();
const documents = names.map((name) => ({ name, text: Deno.readTextFileSync(new URL(name, root)) }));

/** A command as a document shows it. */
interface Shown {
  readonly place: string;
  readonly task: string;
  readonly words: readonly string[];
}

/** Words of a command line: quotes hold spaces, a comment ends it. */
function wordsOf(line: string): string[] {
  return [...line.replace(/\s+#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([_, quoted, bare]) => quoted ?? bare);
}

/** Commands in blocks of shell and in code within sentences. */
function commandsOf({ name, text }: typeof documents[number]): Shown[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([_, body]) =>
    body.replaceAll(/\\\n\s*/g, "").split("\n")
  );
  const inline = [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/`(deno task [^`]+)`/g)].map(([_, line]) =>
    line.replaceAll("\n", " ")
  );
  return [...blocks, ...inline].filter((line) => line.startsWith("deno task ")).map((line) => {
    const [_deno, _task, task, ...words] = wordsOf(line);
    return { place: `${name}: ${line}`, task, words };
  });
}

const shown = documents.flatMap(commandsOf);
/** What stands for something of the reader's, or for what a shell fills in. */
const placeholder = (words: readonly string[]) => words.some((word) => /[<>${}…[\]*]|NAME|^[A-Z]+$/.test(word));

Deno.test("documents: every task that they name is one of deno.json", () => {
  assert(shown.length > 90, `${shown.length} commands were found`);
  const tasks = new Set(Object.keys(settings.tasks));
  assertEquals(shown.filter(({ task }) => !tasks.has(task)).map(({ place }) => place), []);
});

/** The help of a command of armlab. */
async function helpOf(command: string): Promise<string> {
  const log = console.log;
  const lines: string[] = [];
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    assertEquals(await main([command, "--help"]), 0, command);
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

Deno.test("documents: every command of armlab that they show exists and has the options that they give it", async () => {
  const helps = new Map<string, string>();
  const wrong: string[] = [];
  for (const { place, task, words } of shown) {
    if (!["armlab", "bench", "report", "view", "doctor"].includes(task) || placeholder(words.slice(0, 1))) continue;
    const [command, ...rest] = task === "armlab" ? words : [task, ...words];
    if (command === undefined) continue; // the name of the task alone
    const help = helps.get(command) ?? await helpOf(command);
    helps.set(command, help);
    for (const flag of rest.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0])) {
      if (!new RegExp(`^  ${flag}( |$)`, "m").test(help)) wrong.push(`${place}: ${flag}`);
    }
  }
  assertEquals(wrong, []);
  assert(helps.size > 10, [...helps.keys()].join());
});

/** What a bench or a tuning asks for; `null` where it needs something of the reader's. */
async function asked(words: readonly string[]): Promise<Awaited<ReturnType<typeof askedOf>> | null> {
  // The paper's data is the reader's too.
  if (words[words.indexOf("--profile") + 1] === "paper") return null;
  if (placeholder(words) || words.some((word) => /^--(data|plugin|plan|weights|describe)$/.test(word))) return null;
  const specs = {
    ...benchFlags,
    trials: { type: "text", about: "" },
    try: { type: "each", about: "" },
  } as const;
  const parsed = parseFlags("bench", specs, words, { most: 1, about: "a grid" });
  return await askedOf(parsed, parsed.text.grid ?? parsed.positional[0], library, null);
}

Deno.test("documents: parts, grids, rows and settings of every bench and tuning that they show exist", async () => {
  let count = 0;
  for (const { place, task, words } of shown) {
    const own = task === "bench" ? words : task === "armlab" && words[0] === "tune" ? words.slice(1) : null;
    if (own === null) continue;
    try {
      const found = await asked(own);
      if (found === null) continue;
      count++;
      const reference = own[own.indexOf("--reference") + 1];
      if (own.includes("--reference")) assert(found.requests.some(({ label }) => label === reference));
    } catch (error) {
      throw new Error(place, { cause: error });
    }
  }
  assert(count > 30, `${count} were checked`);
});

/** The labels in the first column of the tables of a section: as printed by a bench, or as Markdown. */
function labelsOf(section: string): string[] {
  const lines = section.split("\n");
  const found: string[] = [];
  for (const [i, line] of lines.entries()) {
    const printed = /^configuration +/.exec(line)?.[0].length;
    const markdown = /^\| (configuration|row) +\|/.test(line);
    if (printed === undefined && !markdown) continue;
    for (const row of lines.slice(i + 2)) {
      if (!/^[|\w]/.test(row)) break;
      found.push(printed === undefined ? row.split("|")[1].trim() : row.slice(0, printed).trim());
    }
  }
  return [...new Set(found)];
}

/** The configurations of a command; of a tuning with the trials that it lists or draws. */
async function cellsOf(words: readonly string[], tunes: boolean): Promise<readonly CellRequest[]> {
  const { requests } = (await asked(words))!;
  if (!tunes) return requests;
  const listed = words.includes("--try") ? words[words.indexOf("--try") + 1] : undefined;
  const values = listed?.split("=")[1].split(",").map((value) => [`${listed.split("=")[0]}=${value}`]);
  return planTuning(requests, { seeds: [0], library, trials: values?.length ?? 1, values }).cells;
}

Deno.test("docs/results.md: rows of tables are those of the commands that they stand under, tunings have trials", async () => {
  const { text } = documents.find(({ name }) => name === "docs/results.md")!;
  const sections = text.split(/^## /m).slice(1);
  let tables = 0;
  for (const section of sections) {
    const title = section.slice(0, section.indexOf("\n"));
    const commands = commandsOf({ name: "docs/results.md", text: section }).flatMap(({ task, words }) => {
      if (task === "bench") return [{ words, tunes: false }];
      if (task !== "armlab") return [];
      if (words[0] === "tune") return [{ words: words.slice(1), tunes: true }];
      return words[0] === "reproduce" ? [{ words: [words[1], "--profile", "embedded"], tunes: false }] : [];
    });
    if (commands.length === 0) continue;
    const names = new Set<string>();
    for (const { words, tunes } of commands) {
      for (const { label, across, methods, fusion } of await cellsOf(words, tunes)) {
        // A table may leave out the fusion that all rows share.
        const bare = methods.length === 0 ? fusion.name : methods.map(({ name }) => name).join("+");
        for (const name of [label, across?.subject ?? label, bare]) names.add(name);
      }
    }
    const labels = labelsOf(section);
    assertEquals(labels.filter((label) => !names.has(label)), [], title);
    if (labels.length > 0) tables++;
  }
  assert(tables >= 6, `${tables} tables were checked`);
});
