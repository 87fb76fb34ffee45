/**
 * What every method promises.
 *
 * @module
 */
import type { FusionPlugin, MethodPlugin } from "../core/kinds/mod.ts";
import { Random } from "../core/random.ts";
import { createOptimizer } from "../nn/optimizers.ts";
import { startRun } from "../training/run.ts";
import {
  everyModalityIsMoved,
  leavesNoTensor,
  oddStepsAreTaken,
  paddingHasNoInfluence,
  resumesBitForBit,
  rowsAreIndependent,
  takesDropped,
  tracedEqualsEager,
} from "./checks.ts";
import { BrokenContract, type Contract, type ContractTools, difference, must } from "./contract.ts";
import { methodHooks } from "./hooks.ts";
import { alternatives, choicesWork, optionsAreSound, optionsInWords } from "./options.ts";
import { namesDoNotMatter } from "./renaming.ts";
import { fitsWide, masking, withSteps } from "./steps.ts";
import { contextOf, early, fusionRig, fusionsFor, NAMES, type Rig, toyTraining } from "./toy.ts";

/** A fusion that a method works with; a plain one if it can. */
function fusionOf(plugin: MethodPlugin, { library }: ContractTools, m = 2): FusionPlugin {
  const { fits, refused } = fusionsFor(plugin, library, m);
  must(fits.length > 0, () =>
    `it refuses every registered fusion for ${m} modalities: ` +
    refused.map(({ name, reason }) => `${name} (${reason})`).join("; "));
  return fits.find(({ name }) => name === "concat") ?? fits[0];
}

/** A method on a fusion that it works with. */
function rigOf(
  plugin: MethodPlugin,
  tools: ContractTools,
  m = 2,
  options: Record<string, unknown> = {},
  names: readonly string[] = NAMES.slice(0, m),
  fusion: FusionPlugin = fusionOf(plugin, tools, m),
  wide = false,
): Rig {
  const method = plugin.create({ ...early(plugin), ...options }, contextOf(names));
  return fusionRig(fusion, tools.library, { names, methods: [method], wide: plugin.widths === "fused" || wide })!;
}

/** Modality counts from 2 to 4 that a method accepts on some fusion. */
function counts(plugin: MethodPlugin, { library }: ContractTools): number[] {
  return [2, 3, 4].filter((m) => fusionsFor(plugin, library, m).fits.length > 0);
}

/** Why predictions are not looked at. */
const LEAKS = "it declares that it reads the labels of what it predicts (reads)";

function leaks(plugin: MethodPlugin, tools: ContractTools): boolean {
  return rigOf(plugin, tools).model.methods.some(({ declares }) => declares?.reads === "labels");
}

/** Three modalities where it takes three, else two. */
function several(plugin: MethodPlugin, tools: ContractTools): number {
  return counts(plugin, tools).includes(3) ? 3 : 2;
}

const fits: Contract<MethodPlugin> = {
  claim: "works with some registered fusion and says why it refuses others",
  check(plugin, tools) {
    fusionOf(plugin, tools);
    const { fits, refused } = fusionsFor(plugin, tools.library, 2);
    for (const { name, reason } of refused) must(reason.trim() !== "", `it refuses fusion "${name}" without a reason`);
    const served = counts(plugin, tools).join(", ");
    return { note: `with ${fits.map(({ name }) => name).join(", ")}; ${served} modalities` };
  },
};

const unseenLabels: Contract<MethodPlugin> = {
  claim: "predicts without looking at labels",
  async check(plugin, tools) {
    if (leaks(plugin, tools)) return { skipped: LEAKS };
    // Two runs that differ in the labels of the test split alone.
    const logits: Float32Array[] = [];
    for (const shift of [0, 1]) {
      const { model, dataset, teachers } = rigOf(plugin, tools);
      const { test } = dataset.splits;
      const labels = test.labels.map((label) => (label + shift) % dataset.classes.length);
      const splits = { ...dataset.splits, test: { ...test, labels } };
      const run = startRun({
        model,
        dataset: { ...dataset, splits },
        engine: tools.eager,
        optimizer: createOptimizer("sgd", { momentum: 0.9, weightDecay: 0 }),
        batchSize: toyTraining.batchSize,
        clipNorm: 10,
        learningRate: () => 0.05,
        random: new Random(0),
        epochs: 2,
        budget: Number.MAX_SAFE_INTEGER,
        teachers: teachers?.(tools.eager),
      });
      try {
        const [method] = model.methods;
        const items = Int32Array.from({ length: 16 }, (_, i) => i);
        run.state.epoch = 1;
        await method.beforeEpoch?.(run.host);
        const base = [{ programs: ["main"], items }];
        await run.trainer.run(await method.plan?.(run.host, base) ?? base, "epoch/1");
        logits.push((await run.predictor.detail(splits.test)).logits);
      } finally {
        run.dispose();
      }
    }
    const found = difference(logits[1], logits[0], 0);
    must(found === null, () => `other labels of the test split give other predictions: ${found}`);
    return {};
  },
};

const masked: Contract<MethodPlugin> = {
  claim: "takes samples with modalities dropped",
  async check(plugin, tools) {
    for (const m of counts(plugin, tools)) {
      const fusion = fusionOf(plugin, tools, m);
      const context = contextOf(NAMES.slice(0, m));
      const methods = [masking, plugin.create(early(plugin), context)];
      const rig = fusionRig(fusion, tools.library, { m, methods, wide: plugin.widths === "fused" })!;
      await takesDropped(rig, tools);
    }
  },
};

const everyFusion: Contract<MethodPlugin> = {
  claim: "makes finite steps on every fusion that it does not refuse, for 2, 3 or 4 modalities",
  crossing: true,
  async check(plugin, tools) {
    const served = counts(plugin, tools);
    const { fits } = fusionsFor(plugin, tools.library, served[0]);
    const used: string[] = [];
    for (const [index, fusion] of fits.entries()) {
      // Each pair with one count of modalities: over all fusions every count has its turn.
      const m = served[index % served.length];
      if (!fusionsFor(plugin, tools.library, m).fits.includes(fusion)) continue;
      if (plugin.widths === "fused" && !await fitsWide(fusion, tools, m)) continue;
      const rig = rigOf(plugin, tools, m, {}, NAMES.slice(0, m), fusion);
      const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train());
      for (const [name, value] of Object.entries(stats)) {
        must(Number.isFinite(value), `on fusion "${fusion.name}" with ${m} modalities, "${name}" is ${value}`);
      }
      used.push(`${fusion.name} (${m})`);
    }
    return { note: used.join(", ") };
  },
};

const everyChoice: Contract<MethodPlugin> = {
  claim: "makes finite steps with every value of the choices of each fusion that it does not refuse with it",
  crossing: true,
  async check(plugin, tools) {
    const m = counts(plugin, tools)[0];
    const names = NAMES.slice(0, m);
    const context = contextOf(names);
    const wide = plugin.widths === "fused";
    const [tried, refused]: [string[], string[]] = [[], []];
    for (const fusion of fusionsFor(plugin, tools.library, m).fits) {
      for (const fusionOptions of alternatives(fusion, tools.library)) {
        const where = `${fusion.name} with ${optionsInWords(fusionOptions)}`;
        const method = plugin.create(early(plugin), context);
        const rig = fusionRig(fusion, tools.library, { names, methods: [method], wide, fusionOptions });
        if (rig === null || (wide && !await fitsWide(fusion, tools, m, fusionOptions))) continue;
        if ((plugin.refuses?.(rig.model.fusion, context, {}) ?? null) !== null) {
          refused.push(where);
          continue;
        }
        let stats: Readonly<Record<string, number>>;
        try {
          ({ stats } = await withSteps(rig, tools.eager, (steps) => steps.train()));
        } catch (error) {
          throw new BrokenContract(
            `on ${where} a step throws: ${
              error instanceof Error ? error.message : String(error)
            }; a method may refuse a fusion by what it is built of (refuses)`,
            { cause: error },
          );
        }
        for (const [name, value] of Object.entries(stats)) {
          must(Number.isFinite(value), `on ${where}, "${name}" is ${value}`);
        }
        tried.push(where);
      }
    }
    return { note: `${tried.length} tried${refused.length === 0 ? "" : `; it refuses ${refused.join(", ")}`}` };
  },
};

const moves: Contract<MethodPlugin> = {
  claim: "leaves a gradient to the encoder of every modality",
  async check(plugin, tools) {
    for (const m of counts(plugin, tools)) {
      await everyModalityIsMoved(rigOf(plugin, tools, m), tools);
    }
  },
};

/** Contracts of methods. */
export const methodContracts: readonly Contract<MethodPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(plugin, library, (options) => plugin.create(options, contextOf(NAMES.slice(0, 2)))),
  },
  {
    claim: "has only hooks that are called: none is misspelt",
    check: (plugin, tools) => methodHooks(rigOf(plugin, tools).model.methods[0]),
  },
  fits,
  moves,
  unseenLabels,
  masked,
  {
    claim: "predicts each sample by itself, whatever else is in the batch",
    check: (plugin, tools) =>
      leaks(plugin, tools) ? { skipped: LEAKS } : rowsAreIndependent(rigOf(plugin, tools), tools),
  },
  {
    claim: "is not influenced by padded rows in training",
    check: (plugin, tools) => paddingHasNoInfluence(rigOf(plugin, tools), tools),
  },
  {
    claim:
      "makes finite steps and keeps finite state on ties, zeros, denormals, 1e10, one class, one sample; hides no NaN, nor what overflows at 1e30",
    check: (plugin, tools) => oddStepsAreTaken(rigOf(plugin, tools), tools),
  },
  {
    claim: "does not care how modalities are called or in which order they sort",
    async check(plugin, tools) {
      const m = several(plugin, tools);
      const fusion = fusionOf(plugin, tools, m);
      const symmetric = (plugin.symmetric ?? true) && (fusion.symmetric ?? true);
      const rig = (names: readonly string[]) => rigOf(plugin, tools, m, {}, names, fusion);
      await namesDoNotMatter(rig, NAMES.slice(0, m), symmetric, tools);
      return symmetric ? {} : { note: "names in the same order only" };
    },
  },
  {
    claim: "computes the same when traced and compiled as when run operation by operation",
    check: (plugin, tools) =>
      tracedEqualsEager(() => rigOf(plugin, tools, several(plugin, tools)), tools, plugin.amplifies),
  },
  {
    claim: "leaves no tensor behind",
    check: (plugin, tools) => leavesNoTensor(() => rigOf(plugin, tools), tools),
  },
  {
    claim: "trains, and resumes from a checkpoint bit for bit, its own state included",
    check: (plugin, tools) => resumesBitForBit(() => rigOf(plugin, tools, several(plugin, tools)), tools),
  },
  {
    claim: "works with every value of its choices",
    check: (plugin, tools) =>
      choicesWork(plugin, tools.library, async (options) => {
        const names = NAMES.slice(0, 2);
        const fusion = fusionOf(plugin, tools);
        const made = fusion.create({}, contextOf(names));
        if ((plugin.refuses?.(made, contextOf(names), options) ?? null) !== null) return false;
        // Encoders as wide as the fused feature, which some choice may need.
        const rig = rigOf(plugin, tools, 2, options, names, fusion, "width" in fusion.options);
        const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train());
        for (const [name, value] of Object.entries(stats)) must(Number.isFinite(value), `"${name}" is ${value}`);
        return true;
      }),
  },
  everyFusion,
  everyChoice,
];
