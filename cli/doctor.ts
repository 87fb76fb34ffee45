/**
 * `armlab doctor`: what works here, what is missing and how to get it.
 *
 * @module
 */
import { engines, selectEngine } from "../engines/mod.ts";
import { VERSION } from "../version.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";

const flags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

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
    // First of all: drivers that are tried below may print warnings of their own.
    if (!parsed.boolean.json) {
      console.log(
        `armlab ${VERSION} on Deno ${deno}, ${about.platform}, ${about.cores} cores, ${about.memoryGiB} GiB\n`,
      );
    }
    const found = [];
    for (const plugin of engines) {
      const missing = await plugin.unavailable();
      if (missing !== null) {
        found.push({ name: plugin.name, about: plugin.about, missing });
        continue;
      }
      const engine = await plugin.create();
      found.push({
        name: plugin.name,
        about: plugin.about,
        missing: null,
        version: engine.version,
        device: engine.device,
      });
      await engine.dispose();
    }
    const chosen = await selectEngine(undefined, {});
    await chosen.engine.dispose();
    const report = { ...about, engines: found, chosen: chosen.engine.name };
    if (parsed.boolean.json) {
      console.log(JSON.stringify(report));
      return 0;
    }
    console.log([
      ...found.flatMap((engine) =>
        engine.missing === null ? [`  ok       ${engine.name}: ${engine.version}, ${engine.device}`] : [
          `  missing  ${engine.name}: ${engine.missing.what}`,
          ...(engine.missing.get === null ? [] : [`           to get it: ${engine.missing.get}`]),
        ]
      ),
      "",
      `Runs use ${report.chosen} unless --engine says otherwise.`,
    ].join("\n"));
    return 0;
  },
};
