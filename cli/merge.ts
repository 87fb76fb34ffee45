/**
 * `armlab merge`: two finished runs of one task as one model.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import { selectEngine } from "../engines/mod.ts";
import { assignment, sinkhorn } from "../experiments/merge/transport.ts";
import { type Merged, mergedWeights, mergeRuns } from "../experiments/merge_runs.ts";
import { createLibrary } from "../library.ts";
import { writeSafetensors } from "../store/tensors.ts";
import { type Command, type Flag, helpOf, parseChoice, parseFlags, parseInteger } from "./command.ts";
import { mergeRunsCommand } from "./merge_runs.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  by: { type: "text", value: "HOW", about: "ot: neurons aligned by optimal transport (default); average: as they lie" },
  align: {
    type: "text",
    value: "BY",
    about: "weights of neurons (default), or activations: what they answer to training samples",
  },
  samples: { type: "text", value: "N", about: "training samples that activations are of (default 200)" },
  solver: { type: "text", value: "NAME", about: "sinkhorn (default), or emd: the exact assignment of equal widths" },
  reg: { type: "text", value: "NUMBER", about: "regularisation of sinkhorn, of costs of at most 1 (default 0.06)" },
  share: { type: "text", value: "NUMBER", about: "share of the second run, from 0 to 1 (default 0.5)" },
  to: { type: "text", value: "FILE", about: "write the merged weights as *.safetensors under PyTorch's names" },
  engine: { type: "text", value: "NAME", about: "engine that measures (default the best that works here)" },
  plugin: { ...pluginFlag, about: "register plugins that the runs used" },
  help: { type: "boolean", about: "show this help" },
};

const details = `
Merges what Imfeld et al. (Transformer Fusion with Optimal Transport, ICLR 2024) merge: two trained networks of one task,
one neuron of the second onto one (or, with sinkhorn, some) of the first's, layer by layer: those of like weights, or of
like answers to the same samples. It is not a fusion of modalities; the fusion "transfusion" is another thing.
Fine-tuning a merged model is what the paper does next. Encoders mlp, cnn, vit and fusions concat, sum, decision,
transfusion can be aligned.

With --into RUNS it unites folders of runs instead, as "armlab merge-runs" does.`;

function number(flag: string, value: string | undefined, otherwise: number, [least, most]: [number, number]): number {
  if (value === undefined) return otherwise;
  const parsed = /^[\d.]+(e-?\d+)?$/.test(value) ? Number(value) : NaN;
  if (parsed >= least && parsed <= most) return parsed;
  throw new Refusal({
    what: `use --${flag}`,
    must: `it must be a number from ${least} to ${most}`,
    found: `found ${JSON.stringify(value.slice(0, 80))}`,
  });
}

/** The models and what they reach, as a table. */
export function mergeTable(rows: readonly Pick<Merged, "label" | "validation" | "test">[]): string {
  const width = Math.max(...rows.map(({ label }) => label.length));
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`.padStart(10);
  return [
    `${"model".padEnd(width)}  validation        test`,
    ...rows.map(({ label, validation, test }) => `${label.padEnd(width)}  ${percent(validation)}  ${percent(test)}`),
  ].join("\n");
}

/** `armlab merge`. */
export const mergeCommand: Command = {
  name: "merge",
  about: "merge two finished runs of one task into one model, by optimal transport or plainly",
  async run(args: string[]): Promise<number> {
    if (args.some((arg) => arg === "--into" || arg.startsWith("--into="))) return await mergeRunsCommand.run(args);
    const parsed = parseFlags("merge", flags, args, { most: 2, about: "two run folders" });
    if (parsed.boolean.help) {
      console.log(
        helpOf("armlab merge RUN RUN [--by ot] [--to FILE]", this.about, flags, [
          "armlab merge runs/0123456789abcdef runs/fedcba9876543210 --by ot",
          "armlab merge runs/0123456789abcdef runs/fedcba9876543210 --align activations",
          "armlab merge runs/0123456789abcdef runs/fedcba9876543210 --solver emd --to merged.safetensors",
        ]) + "\n" + details,
      );
      return 0;
    }
    const [first, second] = parsed.positional;
    if (first === undefined || second === undefined) {
      throw new Refusal({
        what: "merge",
        must: "there must be two run folders",
        found: `found ${parsed.positional.join(" ") || "none"}`,
      });
    }
    const by = parseChoice("--by", parsed.text.by ?? "ot", ["ot", "average"]);
    const align = parseChoice("--align", parsed.text.align ?? "weights", ["weights", "activations"]);
    const samples = parseInteger("--samples", parsed.text.samples ?? "200", 1, 100_000);
    const solver = parseChoice("--solver", parsed.text.solver ?? "sinkhorn", ["sinkhorn", "emd"]);
    const reg = number("reg", parsed.text.reg, 0.06, [1e-3, 100]);
    const share = number("share", parsed.text.share, 0.5, [0, 1]);
    const to = parsed.text.to;
    if (to !== undefined && !to.endsWith(".safetensors")) {
      throw new Refusal({ what: `write "${to}"`, must: "its name must end with .safetensors" });
    }
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const { engine } = await selectEngine(parsed.text.engine, {}, library.of("engine").list());
    try {
      const ot = by === "average" ? null : {
        solve: solver === "emd" ? assignment : (cost: Parameters<typeof sinkhorn>[0]) => sinkhorn(cost, reg),
        ...align === "activations" ? { samples } : {},
      };
      const { rows } = await mergeRuns([first, second], ot, share, library, engine);
      console.log(mergeTable(rows));
      if (to !== undefined) {
        const last = rows[rows.length - 1];
        await writeSafetensors(to, mergedWeights(last), { format: "pt", merged: last.label });
        console.log(`${to}: the weights of the last row, under PyTorch's names`);
      }
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};
