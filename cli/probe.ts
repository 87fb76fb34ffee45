/**
 * `armlab probe`: what a linear map reads from each encoder of finished runs.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { selectEngine } from "../engines/mod.ts";
import { probeRun, type RunProbes } from "../experiments/probe_run.ts";
import { createLibrary } from "../library.ts";
import { openRun } from "../store/run_folder.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger } from "./command.ts";
import { loadKept, loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  epochs: { type: "text", value: "N", about: "epochs of a probe (default: 40)" },
  engine: { type: "text", value: "NAME", about: "engine (default: the best that works)" },
  plugin: { ...pluginFlag, about: "register further plugins; those that the runs used are found" },
  json: { type: "boolean", about: "print one JSON object per run instead of tables" },
  help: { type: "boolean", about: "show this help" },
};

const percent = (share: number | null) => share === null ? "-" : (100 * share).toFixed(1);

/** The probes of one run as a table. */
export function probeTable({ id, fusion, methods, seed, readout, encoders }: RunProbes): string {
  const titles = ["encoder", "probe, test %", "probe, validation %", `own readout (${readout}), test %`, "epoch"];
  const rows = encoders.map((own) => [
    own.modality,
    percent(own.test),
    percent(own.validation),
    percent(own.readout),
    String(own.epoch + 1),
  ]);
  const widths = titles.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k].length)));
  const lines = [titles, ...rows].map((row) =>
    row.map((cell, k) => k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])).join("  ")
  );
  return [`Run ${id}: ${[fusion, ...methods].join(" + ")}, seed ${seed}`, ...lines].join("\n");
}

/** `armlab probe`. */
export const probeCommand: Command = {
  name: "probe",
  about: "train a linear probe on the features of every encoder of finished runs",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags(this.name, flags, args, { most: Infinity });
    if (parsed.boolean.help || parsed.positional.length === 0) {
      console.log(helpOf("armlab probe RUN... [options]", this.about, flags, [
        "armlab probe runs/0123456789abcdef",
        "armlab probe runs/* --json",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    const { epochs } = parsed.text;
    const options = epochs === undefined ? {} : { epochs: parseInteger("--epochs", epochs, 1) };
    const library = createLibrary();
    const loaded = pluginSpecifiers(parsed.list.plugin);
    await loadPlugins(library, loaded);
    for (const path of parsed.positional) {
      const full = resolve(path);
      loaded.push(...await loadKept(library, await openRun(dirname(full), basename(full)).config(), loaded));
    }
    const { engine } = await selectEngine(parsed.text.engine, {}, library.of("engine").list());
    try {
      for (const [index, path] of parsed.positional.entries()) {
        const probes = await probeRun(path, library, engine, options);
        if (parsed.boolean.json) console.log(JSON.stringify(probes));
        else console.log(`${index > 0 ? "\n" : ""}${probeTable(probes)}`);
      }
      if (!parsed.boolean.json) {
        console.log("\nSoftmax regression on standardised features: trained on train, epoch chosen on validation.");
      }
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};
