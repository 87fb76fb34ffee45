/**
 * Checks that imports point down only: `deno task imports`.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "node:path";

/** Rooms and what each may import, itself included. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  tensor: ["tensor", "core"],
  formats: ["formats", "core"],
  nn: ["nn", "tensor", "core"],
  encoders: ["encoders", "nn", "tensor", "core"],
  fusion: ["fusion", "losses", "nn", "tensor", "core"],
  miv: ["miv", "nn", "tensor", "core"],
  losses: ["losses", "miv", "nn", "tensor", "core"],
  sampling: ["sampling", "nn", "tensor", "core"],
  datasets: ["datasets", "miv", "formats", "nn", "tensor", "core"],
  baselines: ["baselines", "losses", "miv", "sampling", "nn", "tensor", "core"],
  engines: ["engines", "formats", "tensor", "core"],
  store: ["store", "formats", "core"],
  augment: ["augment", "core"],
  loading: ["loading", "augment", "core"],
  training: ["training", "loading", "augment", "miv", "losses", "nn", "tensor", "core"],
  contracts: ["contracts", "training", "fusion", "encoders", "datasets", "losses", "nn", "tensor", "core"],
  experiments: [
    "experiments",
    "training",
    "loading",
    "augment",
    "engines",
    "store",
    "formats",
    "losses",
    "datasets",
    "miv",
    "nn",
    "core",
    ".",
  ],
  viewer: ["viewer", "store", "experiments", "core", "."],
  cli: [
    "cli",
    "viewer",
    "experiments",
    "contracts",
    "training",
    "engines",
    "store",
    "formats",
    "miv",
    "datasets",
    "core",
    ".",
  ],
  ".": [
    "augment",
    "miv",
    "losses",
    "sampling",
    "baselines",
    "core",
    "datasets",
    "encoders",
    "engines",
    "experiments",
    "fusion",
    "training",
    ".",
  ],
};

/** Rooms whose files are plugins that must not know each other. */
const pluginRooms: readonly string[] = ["encoders", "fusion", "baselines"];
/** Files of those rooms that their plugins share. */
const shared: Readonly<Record<string, string>> = {
  "fusion/shared.ts": "filling of dropped modalities, heads of one modality each",
  "fusion/tokens.ts": "a modality's tokens, and layers over them",
  "baselines/valuation.ts": "contributions from masked passes",
  "baselines/recipe.ts": "methods of parts",
  "baselines/teachers.ts": "unimodal teachers and their tables",
  "baselines/unimodal.ts": "losses, scores and heads of one modality each, and scaling of encoders' gradients",
};
/** The only files that may import ONNX Runtime, on the CPU and on devices: everything else works without it. */
const runtimeFiles: readonly string[] = ["engines/onnx/runtime/session.ts", "engines/onnx/runtime/device_session.ts"];

/** One broken rule. */
export interface Offence {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?["']([^"']+)["']|import\(\s*["']([^"']+)["']/g;

function roomOf(file: string): string {
  const [first, ...rest] = file.split("/");
  return rest.length === 0 ? "." : first;
}

/** Offences of one file. */
export function offencesIn(file: string, text: string): Offence[] {
  const offences: Offence[] = [];
  const room = roomOf(file);
  const rule = allowed[room];
  if (rule === undefined) return offences;
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[1] ?? match[2];
    const line = text.slice(0, match.index).split("\n").length + (match[0].startsWith("\n") ? 1 : 0);
    const tell = (what: string) => offences.push({ file, line, what });
    if (specifier === "onnxruntime-node" && !runtimeFiles.includes(file)) {
      tell(`only ${runtimeFiles.join(" and ")} may import ONNX Runtime`);
    }
    if (!specifier.startsWith(".")) continue;
    const target = relative(".", resolve(dirname(file), specifier)).replaceAll("\\", "/");
    const other = roomOf(target);
    if (!rule.includes(other)) tell(`${room} may not import ${other}: "${specifier}"`);
    if (pluginRooms.includes(room) && other === room && file !== `${room}/mod.ts` && !Object.hasOwn(shared, target)) {
      const own = file.split("/").slice(0, -1).join("/");
      const folder = target.split("/").slice(0, -1).join("/");
      // Files of one method's own folder belong together.
      if (own === room || own !== folder) tell(`plugins of ${room} may not import each other: "${specifier}"`);
    }
  }
  return offences;
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && Object.hasOwn(allowed, path.split("/")[0])) yield* sources(path);
    else if (entry.isFile && /\.tsx?$/.test(entry.name)) yield path;
  }
}

if (import.meta.main) {
  let count = 0;
  const offences: Offence[] = [];
  for await (const file of sources(".")) {
    count++;
    offences.push(...offencesIn(file, await Deno.readTextFile(file)));
  }
  for (const { file, line, what } of offences) console.error(`${file}:${line}: ${what}`);
  console.log(`${count} files, ${offences.length} imports in the wrong direction`);
  if (offences.length > 0) Deno.exit(1);
}
