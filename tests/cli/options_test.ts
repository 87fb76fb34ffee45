/**
 * Every option of every command and of the tools beside them, with values made from what its help says that it takes: of the
 * wrong type, out of range, huge, inherited names, places where nothing can be. One clear sentence each, and nothing done.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { type Command, runCommand } from "../../cli/command.ts";
import { commands } from "../../cli/main.ts";
import { command as engineBench } from "../../tools/benchmarks/engine_bench.ts";
import { command as gridBench } from "../../tools/benchmarks/grid_bench.ts";
import { command as methodsBench } from "../../tools/benchmarks/methods_bench.ts";
import { command as mivBench } from "../../tools/benchmarks/miv_bench.ts";
import { command as runSoak } from "../../tools/benchmarks/run_soak.ts";
import { command as startBench } from "../../tools/benchmarks/start_bench.ts";
import { command as stopBench } from "../../tools/benchmarks/stop_bench.ts";
import { command as viewerBench } from "../../tools/benchmarks/viewer_bench.ts";
import { command as viewerSoak } from "../../tools/benchmarks/viewer_soak.ts";
import { command as gpuCheck } from "../../tools/gpu_check.ts";
import { inFolder, saidBy } from "../helpers/cli.ts";
import { twoRuns } from "../helpers/two_runs.ts";

const tools: readonly Command[] = [
  engineBench,
  gridBench,
  methodsBench,
  mivBench,
  runSoak,
  startBench,
  stopBench,
  viewerBench,
  viewerSoak,
  gpuCheck,
];

/** Runs a command in this process; what it printed by line. */
async function run(command: Command, args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const { code, out, err } = await saidBy(() => runCommand(command, args));
  return { code, out: out === "" ? [] : out.split("\n"), err: err === "" ? [] : err.split("\n") };
}

/** Options of a command that take a value, as its help tells them: name and value in capitals. */
async function valuesOf(command: Command): Promise<[option: string, value: string][]> {
  const { out } = await run(command, ["--help"]);
  return [...out.join("\n").matchAll(/^ {2}--([\w-]+) (\S+) {2}/gm)].map(([_, option, value]) => [option, value]);
}

const endless = "x".repeat(10_000);
const integers = ["-1", "1.5", "1e999", "Infinity", "NaN", "x", "0x10", "9007199254740993", "9".repeat(400), " "];
const names = ["constructor", "__proto__", "toString", "../x", "\u001b[31m", endless];
const settings = [
  "x",
  "=1",
  "nope=1",
  "constructor=1",
  "constructor.x=1",
  "__proto__.x=1",
  "dataset.constructor=1",
  "training.constructor=1",
  "training.epochs=x",
  "training.epochs=0x10",
  "training.epochs=",
];
const pairs = ["x", "=1", "nope=1", "constructor=1", "__proto__=1", "a=", "=", endless];

/** Wrong values for what an option takes; `file` is the path of a file. */
function wrongFor(value: string, file: string): readonly string[] {
  if (value === "N") return integers;
  if (value === "N,...") return ["-1", "x", "1.5", "1,,2"];
  if (value === "NUMBER") return ["-1", "x", "1e999", "Infinity", "NaN", "0x1", " "];
  if (value === "TIME" || value === "30s|STEPS") return ["-1", "x", "1e999", "0", "5 days"];
  if (value === "I/N") return ["0/4", "5/4", "1", "a/b", "1/0", "1/99999999999", "-1/4"];
  if (value === "KEY=VALUE") return settings;
  if (value.includes("=")) return pairs;
  if (/^(DIR|FILE|RUNS|FOLDER|PATH)(,\.\.\.)?$/.test(value)) {
    return [join(file, "x"), "a\0b", endless, `${"y/".repeat(3000)}z`];
  }
  return names;
}

/** Options that name a program, which is tried when it is wanted. */
const free: readonly string[] = [
  "bench:engine --python",
  "bench:miv --python",
  "gpu:check --python",
];

Deno.test("every option of every command refuses wrong values in one sentence, and nothing is done", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "x");
    const [one, other] = await twoRuns(runs);
    const synthetic = [
      "--dataset",
      "synthetic",
      "--set",
      "dataset.samples=60",
      "--encoder",
      "mlp",
      "--fusion",
      "concat",
    ];
    const dry = ["--dry-run", "--runs", runs];
    /** What else must stand there for an option to be reached. */
    const beside: Readonly<Record<string, readonly string[]>> = {
      "bench": [...synthetic, ...dry],
      "tune": [...synthetic, ...dry],
      "reproduce": ["table1", ...dry],
      "robustness": [one],
      "probe": [one],
      "value": [one],
      "export": [one, "--to", join(folder, "x.onnx")],
      "merge": [one, other],
      "merge-runs": [runs, "--into", join(folder, "into")],
      "status": [runs],
      "data": ["preview", "synthetic"],
      "view": ["--runs", runs],
      "report": ["nope", "--runs", runs],
      "export-results": ["--runs", runs],
      "check": ["sum"],
      "describe": ["sum"],
    };
    const before = [...Deno.readDirSync(runs)].map(({ name }) => name).sort();
    let tried = 0;
    /** Options that a command declared already. */
    const declared = new Set<string>();
    for (const command of [...commands, ...tools]) {
      for (const [option, value] of await valuesOf(command)) {
        if (free.includes(`${command.name} --${option}`)) continue;
        // Loading a table's data takes long; the folder is that of bench.
        const known = option === "name" ? ["constructor", "toString"] : [];
        const wrong = command.name === "reproduce" && option === "runs"
          ? []
          : wrongFor(value, file).filter((text) => !known.includes(text));
        // What several commands declare alike is read alike: two values of it do, others each time.
        const first = !declared.has(`${option} ${value}`);
        declared.add(`${option} ${value}`);
        const some = first ? wrong : wrong.filter((_, i) => (i + tried) % wrong.length < 2);
        for (const text of some) {
          const args = [...beside[command.name] ?? []];
          // In the place of what stands there: an option stands once.
          const place = args.indexOf(`--${option}`);
          if (place >= 0 && option !== "set") args.splice(place, 2);
          const { code, out, err } = await run(command, [...args, `--${option}=${text}`]);
          const shown = `${command.name} --${option}=${text.slice(0, 40)}: ${err.join(" // ").slice(0, 400)}`;
          assertEquals([code, out, err.length], [2, [], 1], shown);
          assert(/: Cannot /.test(err[0]) && !err[0].includes("os error") && !err[0].includes("\n"), shown);
          assert(err[0].length < 2500, `${err[0].length} letters: ${shown}`);
          tried++;
        }
      }
    }
    assert(tried > 700, String(tried));
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["file", "runs"]);
    assertEquals([...Deno.readDirSync(runs)].map(({ name }) => name).sort(), before);
  }));
