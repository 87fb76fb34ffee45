/**
 * `armlab doctor`: what works here, what is missing and how to get it.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { VERSION } from "../version.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import type { Probed } from "./doctor_probe.ts";
import { printableLine } from "./printable.ts";

const flags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

/** Tries the engines in another process. @throws {Refusal} If that process ends before it has answered. */
async function probed(): Promise<Probed & { readonly said: readonly string[] }> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("./doctor_probe.ts", import.meta.url).href],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const lines = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split("\n").filter((line) => line.trim() !== "");
  const said = lines(stderr);
  const answer = lines(stdout).find((line) => line.startsWith("{"));
  if (answer === undefined) {
    throw new Refusal({
      what: "try the engines",
      must: "the process that does must answer",
      found: `it ended with ${signal ?? code} and said ${
        printableLine(said.slice(-3).join(" ")).slice(0, 300) || "nothing"
      }`,
      hint: "a driver may be broken; name an engine that works with --engine",
    });
  }
  return { ...JSON.parse(answer) as Probed, said };
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
