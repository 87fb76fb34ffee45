/**
 * Mistakes in `store/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const remedies = ["tests/store/remedies_test.ts"];
const folders = ["tests/store/remedies_test.ts", "tests/store/store_test.ts"];

const claims = ["tests/store/claims_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("store/files.ts", remedies, [
    [
      "for (const chunk of chunks) await writeAll(file, chunk); await file.sync();",
      "for (const chunk of chunks) await writeAll(file, chunk);",
    ],
    ["await Deno.rename(temporary, path);", "await Deno.copyFile(temporary, path);"],
    ["await syncFolder(folder);", ""],
    ["await removeIfPresent(temporary).catch(() => {", "await Promise.resolve().catch(() => {"],
    ["await removeIfPresent(temporary); {", "{"],
    [
      "{ write: true, createNew: true }",
      "{ write: true, create: true, truncate: true }",
      "what lay there is removed just before",
    ],
    [
      'await writeAll(file, new TextEncoder().encode(line + "\\n")); await file.sync();',
      'await writeAll(file, new TextEncoder().encode(line + "\\n"));',
    ],
    ["{ append: true, create: true }", "{ write: true, create: true }"],
    ["refuseOdd(path, action, await entryAt(path));", ""],
    [
      "if (info === null || info.isFile) return; throw",
      "if (info === null || info.isFile || info.isSymlink) return; throw",
    ],
    [
      "if (info === null || info.isFile) return; throw",
      "if (info === null || info.isFile || !info.isSymlink) return; throw",
    ],
    ["if (info.size > maxBytes) {", "if (info.size > 10 * maxBytes) {"],
    ["if (info !== null && !info.isSymlink && !info.isDirectory)", "if (info !== null && info.isDirectory)"],
    ["info.isDirectory) refuseOdd(path, action, info);", "info.isDirectory) return;"],
    ["if (await entryAt(path) !== null) await Deno.remove(path, { recursive: true });", ""],
  ]),
  ...mutantsOf("store/files.ts", folders, [
    ['if (line.includes("\\n")) {', 'if (line.includes("\\r\\n\\r")) {'],
    ['ENOSPC: ["no-space",', 'ENOSPC: ["io",'],
  ]),
  ...mutantsOf("store/claims.ts", claims, [
    ["if (holder !== null) return holder;", ""],
    ["if (others.length === 0) {", "if (others.length >= 0) {"],
    ["own.some((generation) => generation > mark.generation)", "false"],
    ["stored.member !== mark.member)) throw removed(path);", "false)) throw removed(path);"],
    ["if (stored.released ||", "if ("],
    ["generation: top + 1", "generation: 1"],
  ]),
  ...mutantsOf("store/members.ts", claims, [
    ["if (held === false && own) return false;", ""],
    ["if (read === null && own) return false;", ""],
    ["return now - last.at <= Math.min(patience, this.#patienceMs);", "return true;"],
    ["last.text !== text", "false"],
    ['.padStart(12, "0")', ""],
  ]),
  ...mutantsOf("store/run_folder.ts", remedies, [
    ["if (summary !== null && summary.id !== this.id) {", 'if (summary !== null && summary.id === "") {'],
    ["else if (runId(present) !== this.id) {", "else if (present.seed < 0) {"],
    [
      'if (!await isFile(this.file("summary"))) await writeAtomic(this.file("failure")',
      'await writeAtomic(this.file("failure")',
    ],
    ["if (!await isFolder(this.path)) return await this.#make(config, progress);", "await makeFolder(this.path);"],
    ["if (progress !== null) await folder.writeProgress(progress);", ""],
    ["await removeTree(begun); // what a kill left", ""],
    [
      "await renameFolder(begun, this.path);",
      "await makeFolder(this.path); await renameFolder(begun, join(this.path, this.id));",
    ],
    [
      'for (const kind of ["progress", "failure", "checkpoint"] as const)',
      'for (const kind of ["progress", "failure"] as const)',
    ],
    [
      'for (const kind of ["progress", "failure", "checkpoint"] as const)',
      'for (const kind of ["progress", "checkpoint"] as const)',
    ],
    [
      'await removeIfPresent(this.file("summary")); await removeIfPresent(this.file("timing"));',
      'await removeIfPresent(this.file("timing"));',
    ],
    [
      'await writeAtomic(this.file("timing"), canonicalJson(timing, 2) + "\\n"); await writeAtomic(this.file("summary"), canonicalJson(summary, 2) + "\\n");',
      'await writeAtomic(this.file("summary"), canonicalJson(summary, 2) + "\\n"); await writeAtomic(this.file("timing"), canonicalJson(timing, 2) + "\\n");',
    ],
    ['prefix: ".writable-"', 'prefix: ".writable-", suffix: ".kept"', "the name of a file that is removed at once"],
    [
      'await removeIfPresent(await Deno.makeTempFile({ dir: runsDir, prefix: ".writable-" }));',
      'await Deno.makeTempFile({ dir: runsDir, prefix: ".writable-" });',
    ],
  ]),
  ...mutantsOf("store/run_tensors.ts", remedies, [
    ["run !== id || names === null", "names === null"],
    ["run !== id || names === null", "run !== id"],
    ["run !== id || state === undefined", "state === undefined"],
    ['readSafetensors(path, { what: "model", hint })', "readSafetensors(path)"],
  ]),
  ...mutantsOf("store/run_files.ts", remedies, [
    ['config: "remove it and run the same bench again, which writes it anew",', 'config: "remove it",'],
    ["export const maxJsonBytes = 4 * 1024 * 1024;", "export const maxJsonBytes = 64 * 1024 * 1024;"],
  ]),
  ...mutantsOf("store/run_records.ts", remedies, [
    ['throw error.with({ hint: "remove checkpoint.safetensors beside it to start anew" });', "throw error;"],
  ]),
  ...mutantsOf("store/run_records.ts", folders, [
    ["if (count === 0) return await removeIfPresent(path);", ""],
    ["if (end < bytes.length) await truncateFile(path, end);", ""],
    ["if (record.epoch !== index && record.epoch !== epochOfLine(index)) {", "if (record.epoch < 0) {"],
    ["return epoch % strideAt(epoch) === 0;", "return epoch < FULL || epoch % 2 === 0;"],
    ["found < keptOf(count); found++", "found < count; found++"],
  ]),
  ...mutantsOf("store/run_id.ts", folders, [
    ["if (config.format === 1) return rest;", ""],
    ["const { plugins: __, weights, ...kept } = rest;", "const { weights, ...kept } = rest;"],
    ["const { git: _, ...rest } = config;", "const rest = config;"],
    ["const { seed: _, ...rest } = placeless(essence(config));", "const rest = placeless(essence(config));"],
    ["/^[0-9a-f]{16}$/.test(text)", "text.length === 16"],
    [".slice(0, 16);", ".slice(0, 15);"],
  ]),
  ...mutantsOf("store/inspect.ts", folders, [
    ["if (summary.id !== name) return broken(", 'if (summary.id === "") return broken('],
    ["older: config.format === 1", "older: false"],
    ["if (!isRunId(name) || runId(config) !== name) {", "if (!isRunId(name)) {"],
    ['if (failure !== null) return { ...known, state: "failed", reason: failure.message };', ""],
    ['!isFile && !name.startsWith(".")', "!isFile"],
  ]),
  ...mutantsOf("store/index.ts", folders, [
    ["older: report.older ? 1 : 0,", "older: 1,"],
    ["if (known?.stamp === stamp && lasting) continue;", "if (known !== undefined && lasting) continue;"],
    ["for (const id of present.keys()) remove.run(id);", ""],
  ]),
  ...mutantsOf("store/schemas.ts", folders, [
    ["const name = z.string().max(200);", "const name = z.string();"],
    ["format: z.literal([1, 2]),", "format: z.literal(2),"],
  ]),
];

export default list;
