/**
 * Which files of a tree a test file can reach.
 *
 * A module reaches what it imports at run time, directly or not, what it names in a string, as a worker's or a data
 * file's address is, and all files under a folder that it names so. A test that starts processes, or whose helpers do,
 * reaches every module that is not a test: the command line may load any. What is reached in excess costs time only.
 *
 * @module
 */
import { dirname, join } from "node:path";

/** What a test file reaches. */
export interface Reach {
  /** Each file from the root, and how many imports or names lead there. */
  readonly steps: ReadonlyMap<string, number>;
}

/** Files that change what any test does. */
const OF_ALL: readonly string[] = ["deno.json", "deno.lock"];
/** Lists of mutants, which no test reads. */
const LISTS = "tools/mutants/";
/** Folder of what is written for a run within its copy of the tree. */
export const OWN_FOLDER = ".mutants";

/** What `deno info --json` says of a module, as far as it is read here. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
}

/** The static graph of imports that stay at run time: by file, from the root. */
async function importsOf(folder: string, modules: readonly string[]): Promise<Map<string, string[]>> {
  const entry = join(folder, OWN_FOLDER, "reach.ts");
  await Deno.mkdir(dirname(entry), { recursive: true });
  await Deno.writeTextFile(entry, modules.map((file) => `import "../${file}";\n`).join(""));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr)}`);
  const root = new URL(`file://${folder}/`).href;
  const local = (specifier: string) =>
    specifier.startsWith(root) ? decodeURIComponent(specifier.slice(root.length)) : null;
  const graph = new Map<string, string[]>();
  const { modules: known } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: readonly Module[] };
  for (const { specifier, dependencies } of known) {
    const file = local(specifier);
    if (file === null) continue;
    const targets = (dependencies ?? []).map(({ code }) =>
      code?.specifier === undefined ? null : local(code.specifier)
    );
    graph.set(file, targets.filter((target) => target !== null));
  }
  return graph;
}

/**
 * Files that a module's strings name, from the module's folder or the root. What an `import` or `export` names is not
 * among them: the graph has it, and leaves out what is imported as a type.
 *
 * @param files All files of the tree, sorted.
 */
export function namedIn(file: string, text: string, files: ReadonlySet<string>): string[] {
  const found = new Set<string>();
  for (const [, name, more] of text.matchAll(/(?<!\b(?:from|import) )["'`]([\w@.-]*[./][\w@./-]*)(\$\{)?/g)) {
    for (const base of [dirname(file), "."]) {
      const path = join(base, name).replaceAll("\\", "/");
      if (files.has(path)) found.add(path);
      const begins = more !== undefined
        ? path
        : name.endsWith("/") || /^\.\.?(\/|$)/.test(name)
        ? path.replace(/\/$/, "") + "/"
        : null;
      if (begins === null || begins.startsWith("..")) continue;
      const from = begins === "./" || begins === "." ? "" : begins;
      for (const other of files) if (other.startsWith(from)) found.add(other);
    }
  }
  return [...found];
}

/**
 * What test files reach in a tree.
 *
 * @param folder The tree, without symbolic links on the way.
 * @param files All files of the tree.
 */
export async function reachesOf(
  folder: string,
  files: readonly string[],
  tests: readonly string[],
): Promise<Map<string, Reach>> {
  const all = new Set(files.filter((file) => !file.startsWith(LISTS)));
  const modules = [...all].filter((file) => file.endsWith(".ts"));
  const graph = await importsOf(folder, modules);
  const started = modules.filter((file) => !file.startsWith("tests/"));
  const next = new Map<string, readonly string[]>();
  const nextOf = async (file: string): Promise<readonly string[]> => {
    if (!file.endsWith(".ts")) return [];
    if (!next.has(file)) {
      const text = await Deno.readTextFile(join(folder, file));
      const processes = file.startsWith("tests/") && text.includes("Deno.Command(") ? started : [];
      next.set(file, [...new Set([...graph.get(file) ?? [], ...namedIn(file, text, all), ...processes])]);
    }
    return next.get(file)!;
  };
  const reaches = new Map<string, Reach>();
  for (const test of tests) {
    const steps = new Map<string, number>([[test, 0], ...OF_ALL.filter((f) => all.has(f)).map((f) => [f, 1] as const)]);
    for (const [file, count] of steps) {
      for (const target of await nextOf(file)) {
        if (!steps.has(target) && all.has(target)) steps.set(target, count + 1);
      }
    }
    reaches.set(test, { steps });
  }
  return reaches;
}

/** Digests, by test file, of the contents of all that it reaches in a tree, and of the runtime. */
export async function digestsOf(folder: string, reaches: ReadonlyMap<string, Reach>): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  const digests = new Map<string, string>();
  for (const [test, { steps }] of reaches) {
    const lines = [Deno.version.deno, Deno.build.target];
    for (const file of [...steps.keys()].sort()) {
      if (!contents.has(file)) contents.set(file, await digest(await Deno.readFile(join(folder, file))));
      lines.push(`${file} ${contents.get(file)}`);
    }
    digests.set(test, await digest(lines.join("\n")));
  }
  return digests;
}

/** A digest of bytes or of a text, in hexadecimal. */
export async function digest(what: string | Uint8Array): Promise<string> {
  const bytes = typeof what === "string" ? new TextEncoder().encode(what) : what;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...hash.subarray(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
