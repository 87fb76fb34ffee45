/**
 * Commands, tasks and options that messages and documents name exist: a remedy that cannot be typed is none. That a remedy
 * mends what it is told for is tested beside each.
 */
import { assert, assertEquals } from "@std/assert";
import { commands } from "../../cli/main.ts";

const root = new URL("../../", import.meta.url);
const rooms = [
  "augment",
  "baselines",
  "cli",
  "contracts",
  "core",
  "datasets",
  "encoders",
  "engines",
  "experiments",
  "formats",
  "fusion",
  "loading",
  "losses",
  "miv",
  "nn",
  "sampling",
  "store",
  "tensor",
  "training",
  "viewer",
];

/** Options of the runtime, of Slurm, of compilers and package managers, which messages name too. */
const foreign = new Set([
  ...["allow-read", "allow-write", "allow-net", "allow-env", "allow-ffi", "allow-sys", "allow-run", "no-check"],
  ...["config", "v8-flags", "watch", "node-modules-dir", "no-lock", "expose-gc", "max-old-space-size", "filter"],
  ...["array", "parsable", "wrap", "signal", "output", "job-name", "cpus-per-task", "noheader", "format", "open-mode"],
  ...[
    "requeue",
    "chdir",
    "export",
    "json",
    "me",
    "gpus",
    "pty",
    "state",
    "backend-store-uri",
    "logdir",
    "exclude-from-history",
  ],
]);

/** Files of some endings below a folder. */
function* filesBelow(folder: URL, endings: readonly string[]): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    const url = new URL(`${entry.name}${entry.isDirectory ? "/" : ""}`, folder);
    if (entry.isDirectory) yield* filesBelow(url, endings);
    else if (endings.some((ending) => entry.name.endsWith(ending))) yield url;
  }
}

/** Lines of the sources without comments, and of the documents. */
function* lines(): Generator<{ readonly place: string; readonly text: string }> {
  const read = function* (url: URL, code: boolean) {
    for (const [i, text] of Deno.readTextFileSync(url).split("\n").entries()) {
      if (code && /^\s*(\/?\*|\/\/)/.test(text)) continue;
      yield { place: `${url.pathname.slice(root.pathname.length)}:${i + 1}`, text };
    }
  };
  for (const room of rooms) {
    for (const url of filesBelow(new URL(`${room}/`, root), [".ts", ".tsx"])) yield* read(url, true);
  }
  for (const name of ["README.md", "CONTRIBUTING.md"]) yield* read(new URL(name, root), false);
  for (const url of filesBelow(new URL("docs/", root), [".md"])) yield* read(url, false);
}

/** Options of every command and tool, from the tables that they parse by. */
async function options(): Promise<Set<string>> {
  const found = new Set<string>(["help", "no-color", "version"]);
  const log = console.log;
  for (const { run } of commands) {
    console.log = (text: string) => {
      for (const [, name] of String(text).matchAll(/^ {2}--([\w-]+)/gm)) found.add(name);
    };
    try {
      await run(["--help"]);
    } finally {
      console.log = log;
    }
  }
  for (const url of filesBelow(new URL("tools/", root), [".ts"])) {
    const text = Deno.readTextFileSync(url);
    for (const [, name] of text.matchAll(/^ {2}"?([\w-]+)"?: (?:\{|\w+Flag)/gm)) found.add(name);
    for (const [, names] of text.matchAll(/(?:string|boolean): \[([^\]]*)\]/g)) {
      for (const [, name] of names.matchAll(/"([\w-]+)"/g)) found.add(name);
    }
    for (const [, name] of text.matchAll(/"--([\w-]+)"/g)) found.add(name);
  }
  return found;
}

Deno.test("options, tasks and commands that messages and documents name exist", async () => {
  const known = await options();
  const tasks = new Set(Object.keys(JSON.parse(await Deno.readTextFile(new URL("deno.json", root))).tasks));
  const names = new Set(commands.map(({ name }) => name));
  const wrong: string[] = [];
  let [seen, asked] = [0, 0];
  for (const { place, text } of lines()) {
    for (const [, name] of text.matchAll(/(?<![\w-])--([a-z][a-z-]+)(?![\w-]*:)/g)) {
      // Custom properties of styles begin alike.
      if (/var\(--|style|--[a-z-]+:/.test(text)) continue;
      seen++;
      if (!known.has(name) && !foreign.has(name)) wrong.push(`${place}: option --${name}`);
    }
    for (const [, task, word] of text.matchAll(/deno task ([a-z][\w:-]*)(?: ([a-z][\w-]*))?/g)) {
      asked++;
      if (!tasks.has(task)) wrong.push(`${place}: task ${task}`);
      else if (task === "armlab" && word !== undefined && !names.has(word)) wrong.push(`${place}: command ${word}`);
    }
  }
  assert(seen > 400 && asked > 100, `${seen} options and ${asked} tasks found`);
  assertEquals(wrong, []);
});
