/**
 * What every fusion promises.
 *
 * @module
 */
import type { FusionPlugin } from "../core/kinds/mod.ts";
import * as prefixes from "../core/names.ts";
import { float32 } from "../core/program.ts";
import {
  everyModalityIsMoved,
  leavesNoTensor,
  mustAgree,
  mustBeFinite,
  oddInputsAreTaken,
  PADDING,
  paddingHasNoInfluence,
  resumesBitForBit,
  ROUNDING,
  rowsAreIndependent,
  tracedEqualsEager,
} from "./checks.ts";
import { type Contract, type ContractTools, difference, must } from "./contract.ts";
import { fusionHooks } from "./hooks.ts";
import { choicesWork, optionsAreSound } from "./options.ts";
import { namesDoNotMatter } from "./renaming.ts";
import { changed, fitsWide, masking, withSteps } from "./steps.ts";
import { early, fusionRig, fusionsFor, NAMES, type Rig, type RigOptions } from "./toy.ts";

/** The rig of a fusion for a number of modalities; breaks if it serves none of 2, 3 and 4. */
function rigOf(plugin: FusionPlugin, { library }: ContractTools, m: number, options: RigOptions = {}): Rig {
  const wanted = [m, 2, 3, 4];
  for (const count of wanted) {
    const rig = fusionRig(plugin, library, { ...options, m: count });
    if (rig !== null) return rig;
  }
  plugin.create(options.fusionOptions ?? {}, { modalities: NAMES.slice(0, 2), classes: 3 }); // says why
  throw new Error("unreachable");
}

/** The most modalities, up to four, that a fusion serves. */
function served(plugin: FusionPlugin, { library }: ContractTools): number[] {
  return [1, 2, 3, 4].filter((m) => fusionRig(plugin, library, { m }) !== null);
}

const shapes: Contract<FusionPlugin> = {
  claim: "gives finite logits [B, C], a fused feature [B, d] and a readout of every modality, for batches of 1 and 5",
  async check(plugin, tools) {
    const counts = served(plugin, tools);
    must(counts.some((m) => m >= 2), "it refuses 2, 3 and 4 modalities");
    for (const m of counts) {
      let width = -1;
      for (const batch of [1, 5]) {
        const rig = fusionRig(plugin, tools.library, { m })!;
        const { modalities, classes } = rig.model.context;
        await withSteps(rig, tools.eager, async (steps) => {
          const outputs = await steps.predict();
          const shapeOf = (name: string) => `[${outputs[name].shape.join(", ")}]`;
          const where = `of ${m} modalities and ${batch} samples`;
          for (const name of ["logits", "fused"]) {
            const { dtype } = outputs[name];
            must(dtype === "float32", `${name} ${where} are ${dtype} and must be float32`);
          }
          // Rows and classes are looked at wherever it runs.
          const fused = outputs["fused"].shape;
          must(width === -1 || fused[1] === width, `the fused width is ${width} for 1 sample and ${fused[1]} for 5`);
          width = fused[1];
          for (const modality of modalities) {
            for (const name of [prefixes.solo.of(modality), prefixes.ablateMean.of(modality)]) {
              must(shapeOf(name) === `[${batch}, ${classes}]`, `readout "${name}" ${where} is ${shapeOf(name)}`);
            }
            const part = shapeOf(prefixes.part.of(modality));
            must(
              part === `[${batch}, ${width}]`,
              `the part of "${modality}" ${where} is ${part}, fused width ${width}`,
            );
          }
          mustBeFinite(`a prediction ${where}`, outputs);
        }, { batch });
      }
    }
    return { note: `serves ${counts.join(", ")} modalities` };
  },
};

const dropped: Contract<FusionPlugin> = {
  claim: "lets a dropped modality have no influence, and one that is kept have some",
  async check(plugin, tools) {
    const rig = rigOf(plugin, tools, 3);
    const { modalities } = rig.model.context;
    await withSteps(rig, tools.eager, async (steps) => {
      const rows = [0, 1, 2, 3, 4];
      for (const modality of modalities) {
        const kept = modalities.filter((other) => other !== modality);
        const other = changed(steps.feeds(), prefixes.input.of(modality), rows);
        const plain = (await steps.predict(steps.feeds(), kept))["logits"].data;
        const found = difference((await steps.predict(other, kept))["logits"].data, plain, PADDING);
        must(found === null, () => `logits depend on "${modality}" though it is dropped: ${found}`);
        const all = (await steps.predict())["logits"].data;
        const none = difference((await steps.predict(other))["logits"].data, all, PADDING) === null;
        must(!none, `logits do not depend on "${modality}" though it is kept`);
      }
      const all = (await steps.predict())["logits"].data;
      const masked = difference((await steps.predict(steps.feeds(), modalities))["logits"].data, all, PADDING);
      must(masked === null, () => `a mask that keeps everything gives other logits than no mask: ${masked}`);
      mustBeFinite("a prediction with everything dropped", await steps.predict(steps.feeds(), []));
    });
  },
};

const masks: Contract<FusionPlugin> = {
  claim: "trains with a mask per sample: what is dropped gives no gradient and moves no logits",
  async check(plugin, tools) {
    const rig = rigOf(plugin, tools, 3, { methods: [masking] });
    const { modalities } = rig.model.context;
    const m = modalities.length;
    await withSteps(rig, tools.eager, async (steps) => {
      // Sample n lacks modality n mod m.
      const keep = Float32Array.from({ length: steps.batch * m }, (_, i) => i % m === Math.floor(i / m) % m ? 0 : 1);
      const feeds = { ...steps.feeds(), keep: float32(keep, [steps.batch, m]) };
      const rows = Array.from({ length: steps.batch }, (_, n) => n);
      let other = feeds;
      modalities.forEach((modality, u) => {
        other = { ...other, ...changed(other, prefixes.input.of(modality), rows.filter((n) => n % m === u)) };
      });
      const [plain, found] = [await steps.train(feeds), await steps.train(other)];
      mustAgree(plain, found, "depends on modalities that are dropped", false);
    });
  },
};

const solo: Contract<FusionPlugin> = {
  claim: "reads every modality out alone: other modalities do not change its readout",
  async check(plugin, tools) {
    const rig = rigOf(plugin, tools, 3);
    const { gate, channelGates } = rig.model.fusion;
    if (gate !== undefined || channelGates !== undefined) {
      return { skipped: "its modalities meet between the encoders' stages, before any readout" };
    }
    const { modalities } = rig.model.context;
    await withSteps(rig, tools.eager, async (steps) => {
      const plain = await steps.predict();
      for (const modality of modalities) {
        const name = prefixes.input.of(modality);
        const found = await steps.predict(changed(steps.feeds(), name, [0, 1, 2, 3, 4]));
        for (const other of modalities) {
          if (other === modality) continue;
          const text = difference(found[prefixes.solo.of(other)].data, plain[prefixes.solo.of(other)].data, PADDING);
          must(text === null, () => `the readout of "${other}" depends on "${modality}": ${text}`);
        }
      }
      if (rig.model.fusion.soloMode !== "split") return;
      const sum = plain["logits"].data.map((_, i) =>
        modalities.reduce((total, modality) => total + plain[prefixes.solo.of(modality)].data[i], 0)
      );
      const text = difference(sum, plain["logits"].data, ROUNDING);
      must(text === null, () => `readouts of mode split must sum to the logits: ${text}`);
    });
    return { note: `readout: ${rig.model.fusion.soloMode}` };
  },
};

const names: Contract<FusionPlugin> = {
  claim: "does not care how modalities are called or in which order they sort",
  async check(plugin, tools) {
    const symmetric = plugin.symmetric ?? true;
    const rig = rigOf(plugin, tools, 3);
    const used = NAMES.slice(0, rig.model.context.modalities.length);
    await namesDoNotMatter((own) => fusionRig(plugin, tools.library, { names: own })!, used, symmetric, tools);
    return symmetric ? {} : { note: "names in the same order only (symmetric: false)" };
  },
};

/** Contracts of fusions. */
export const fusionContracts: readonly Contract<FusionPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(plugin, library, (options) => plugin.create(options, { modalities: ["a", "b"], classes: 3 })),
  },
  {
    claim: "has only functions that are called: none is misspelt",
    check: (plugin, tools) => fusionHooks(rigOf(plugin, tools, 2).model.fusion),
  },
  shapes,
  dropped,
  masks,
  solo,
  names,
  {
    claim: "passes a gradient to the encoder of every modality",
    async check(plugin, tools) {
      for (const m of served(plugin, tools)) {
        await everyModalityIsMoved(fusionRig(plugin, tools.library, { m })!, tools);
      }
    },
  },
  {
    claim: "predicts each sample by itself, whatever else is in the batch",
    check: (plugin, tools) => rowsAreIndependent(rigOf(plugin, tools, 2), tools),
  },
  {
    claim: "is not influenced by padded rows in training",
    check: (plugin, tools) => paddingHasNoInfluence(rigOf(plugin, tools, 2), tools),
  },
  {
    claim: "makes finite steps on zeros, ties, 1e-30 and denormals, and keeps NaN to the sample that has it",
    check: (plugin, tools) => oddInputsAreTaken(rigOf(plugin, tools, 2), tools),
  },
  {
    claim: "computes the same when traced and compiled as when run operation by operation",
    check: (plugin, tools) => tracedEqualsEager(() => rigOf(plugin, tools, 3), tools),
  },
  {
    claim: "leaves no tensor behind",
    check: (plugin, tools) => leavesNoTensor(() => rigOf(plugin, tools, 2), tools),
  },
  {
    claim: "trains, and resumes from a checkpoint bit for bit",
    check: (plugin, tools) => resumesBitForBit(() => rigOf(plugin, tools, 2), tools),
  },
  {
    claim: "works with every value of its choices",
    check: (plugin, tools) =>
      choicesWork(plugin, tools.library, async (options) => {
        const rig = fusionRig(plugin, tools.library, { fusionOptions: options });
        if (rig === null) return false;
        await withSteps(rig, tools.eager, async (steps) => mustBeFinite("a prediction", await steps.predict()));
        return true;
      }),
  },
  {
    claim: "trains with the registered methods that do not refuse it",
    crossing: true,
    async check(plugin, tools) {
      const used: string[] = [];
      for (const method of tools.library.of("method").list()) {
        const { fits } = fusionsFor(method, tools.library, 2);
        const wide = method.widths === "fused";
        if (!fits.includes(plugin) || wide && !await fitsWide(plugin, tools, 2)) continue;
        const { context } = rigOf(plugin, tools, 2).model;
        const rig = rigOf(plugin, tools, 2, { wide, methods: [method.create(early(method), context)] });
        const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train());
        for (const [name, value] of Object.entries(stats)) {
          must(Number.isFinite(value), `with method "${method.name}", "${name}" is ${value}`);
        }
        used.push(method.name);
      }
      return { note: `with ${used.join(", ") || "none"}` };
    },
  },
];
