/**
 * `armlab doctor`: what works here, what is missing and how to get it.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { VERSION } from "../version.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import type { ProbedEngine, ProbeLine } from "./doctor_probe.ts";
import { printableLine } from "./printable.ts";

const flags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

/** What another process said that tries the engines, and how it ended. */
export interface ProbeOutput {
  readonly lines: readonly ProbeLine[];
  /** What drivers printed. */
  readonly said: readonly string[];
  readonly ended: string;
}

/** Tries the engines from index `from` on in another process. */
async function probeFrom(from: number): Promise<ProbeOutput> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./doctor_probe.ts", import.meta.url).href, String(from)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const lines = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split("\n").filter((line) => line.trim() !== "");
  return {
    lines: lines(stdout).filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as ProbeLine),
    said: lines(stderr),
    ended: signal ?? `code ${code}`,
  };
}

/**
 * What is found of every engine. One that ends the process that tries it is told as such, and those after it are tried in
 * another.
 *
 * @throws {Refusal} If such a process ends before it tries any, or after all were tried.
 */
export async function probed(
  run: (from: number) => Promise<ProbeOutput> = probeFrom,
): Promise<{ readonly engines: readonly ProbedEngine[]; readonly chosen: string; readonly said: readonly string[] }> {
  const engines: ProbedEngine[] = [];
  const said: string[] = [];
  while (true) {
    const { lines, said: driver, ended } = await run(engines.length);
    said.push(...driver);
    engines.push(...lines.flatMap((line) => "found" in line ? [line.found] : []));
    const last = lines.at(-1);
    if (last !== undefined && "chosen" in last) return { engines, chosen: last.chosen, said };
    if (last === undefined || !("trying" in last)) {
      throw new Refusal({
        what: "try the engines",
        must: "the process that does must answer",
        found: `it ended with ${ended} and said ${
          printableLine(driver.slice(-3).join(" ")).slice(0, 300) || "nothing"
        }`,
        hint: "a driver may be broken; name an engine that works with --engine",
      });
    }
    engines.push({
      ...last.trying,
      missing: { what: `the process that tried it ended with ${ended}: a driver may be broken`, get: null },
    });
  }
}

/** `armlab doctor`. */
export const doctorCommand: Command = {
  name: "doctor",
  about: "say what works here, what is missing and the command that gets it",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("doctor", flags, args);
    if (parsed.boolean.help) {
      console.log(helpOf("armlab doctor", this.about, flags, ["armlab doctor"]));
      return 0;
    }
    const { deno, v8 } = Deno.version;
    const about = {
      armlab: VERSION,
      deno,
      v8,
      platform: `${Deno.build.os} ${Deno.build.arch}`,
      cores: navigator.hardwareConcurrency,
      memoryGiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    };
    if (!parsed.boolean.json) {
      console.log(
        `armlab ${VERSION} on Deno ${deno}, ${about.platform}, ${about.cores} cores, ${about.memoryGiB} GiB\n`,
      );
    }
    const { engines, chosen, said } = await probed();
    if (parsed.boolean.json) {
      console.log(JSON.stringify({ ...about, engines, chosen, drivers: said }));
      return 0;
    }
    console.log([
      ...engines.flatMap((engine) =>
        engine.missing === null ? [`  ok       ${engine.name}: ${engine.version}, ${engine.device}`] : [
          `  missing  ${engine.name}: ${engine.missing.what}`,
          ...(engine.missing.get === null ? [] : [`           to get it: ${engine.missing.get}`]),
        ]
      ),
      "",
      `Runs use ${chosen} unless --engine says otherwise.`,
      ...said.length === 0 ? [] : [
        `Graphics drivers printed ${said.length} line${
          said.length === 1 ? "" : "s"
        } of their own while they were tried, ` +
        "which says nothing of runs; --json has them.",
      ],
    ].join("\n"));
    return 0;
  },
};
