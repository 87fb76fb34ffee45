/**
 * What every encoder promises.
 *
 * @module
 */
import { byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { EncoderPlugin, ModalityInfo } from "../core/kinds/mod.ts";
import { groupOf } from "../core/scope.ts";
import { concat } from "../fusion/concat.ts";
import { misfit } from "../training/model.ts";
import {
  everyModalityIsMoved,
  leavesNoTensor,
  mustBeFinite,
  oddInputsAreTaken,
  paddingHasNoInfluence,
  resumesBitForBit,
  rowsAreIndependent,
  tracedEqualsEager,
} from "./checks.ts";
import { type Contract, type ContractTools, must } from "./contract.ts";
import { choicesWork, optionsAreSound } from "./options.ts";
import { withSteps } from "./steps.ts";
import { built, contextOf, INPUTS, NAMES, type Rig, toyDataset } from "./toy.ts";

/** Rows of a step where the claim needs no more: an encoder of pictures is dear operation by operation. */
const FEW = { batch: 3 };

/** Inputs that an encoder takes, of those that contracts know. */
function accepted(plugin: EncoderPlugin, options: Record<string, unknown> = {}): ModalityInfo[] {
  return INPUTS.filter((info) => plugin.refuses(info, { ...plugin.tiny, ...options }) === null);
}

/** Two modalities of one input each, encoded by the plugin and concatenated. */
function rigOf(plugin: EncoderPlugin, info: ModalityInfo, options: Record<string, unknown> = {}): Rig {
  const names = NAMES.slice(0, 2);
  const context = contextOf(names);
  const dataset = toyDataset(byModality(names, () => info), 1, 13);
  const encoders = byModality(names, () => plugin.create({ ...plugin.tiny, ...options }, info));
  return { model: { context, encoders, fusion: concat.create(concat.tiny ?? {}, context), methods: [] }, dataset };
}

/** The first input that it takes. */
function firstRig(plugin: EncoderPlugin, options: Record<string, unknown> = {}): Rig {
  const [info] = accepted(plugin, options);
  must(info !== undefined, () =>
    `it refuses every input that contracts know: ` +
    INPUTS.map((known) => `${known.about} [${known.shape.join(", ")}]`).join(", "));
  return rigOf(plugin, info, options);
}

const refusals: Contract<EncoderPlugin> = {
  claim: "takes some input, and says why it refuses others",
  check(plugin) {
    firstRig(plugin);
    for (const info of INPUTS) {
      const reason = plugin.refuses(info, plugin.tiny ?? {});
      must(reason === null || reason.trim() !== "", `it refuses [${info.shape.join(", ")}] without a reason`);
    }
    return { note: `takes ${accepted(plugin).map(({ about }) => about).join(", ")}` };
  },
};

const shapes: Contract<EncoderPlugin> = {
  claim: "gives finite features [B, d] of one width for batches of 1 and 5, on every input that it takes",
  async check(plugin, tools) {
    for (const info of accepted(plugin)) {
      const where = `of ${info.about} [${info.shape.join(", ")}]`;
      let width = -1;
      for (const batch of [1, 5]) {
        await withSteps(rigOf(plugin, info), tools.eager, async (steps) => {
          const outputs = await steps.predict();
          const { shape, dtype } = outputs[names.pooled.of(NAMES[0])];
          must(dtype === "float32", `the feature ${where} is ${dtype} and must be float32`);
          must(shape.length === 2 && shape[0] === batch, `the feature ${where} is [${shape.join(", ")}] for ${batch}`);
          must(width === -1 || shape[1] === width, `the width ${where} is ${width} for 1 sample and ${shape[1]} for 5`);
          width = shape[1];
          mustBeFinite(`a prediction ${where}`, outputs);
        }, { batch });
      }
    }
  },
};

const stages: Contract<EncoderPlugin> = {
  claim: "is a chain of at least one stage, whose maps a fusion can gate",
  async check(plugin, tools) {
    const used: string[] = [];
    for (const info of accepted(plugin).slice(0, 1)) {
      const { model, dataset } = rigOf(plugin, info);
      const count = model.encoders[NAMES[0]].stages.length;
      must(count >= 1, "it has no stage");
      // Every registered fusion that wants stages, and has enough of them here.
      for (const fusion of tools.library.of("fusion").list()) {
        if (!("stages" in fusion.options)) continue;
        const made = built(fusion, model.context, { ...fusion.tiny, stages: count });
        if (made === null) continue;
        if (misfit(made, fusion.name, model.encoders, byModality(NAMES.slice(0, 2), () => plugin.name)) !== null) {
          continue;
        }
        const rig = { model: { ...model, fusion: made }, dataset };
        const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train());
        for (const [name, value] of Object.entries(stats)) {
          must(Number.isFinite(value), `gated by "${fusion.name}", "${name}" is ${value}`);
        }
        used.push(fusion.name);
      }
    }
    return { note: `gated by ${[...new Set(used)].join(", ") || "no registered fusion"}` };
  },
};

const gradients: Contract<EncoderPlugin> = {
  claim: "passes a gradient to its parameters, on every input that it takes",
  async check(plugin, tools) {
    const idle = new Set<string>();
    for (const info of accepted(plugin)) {
      const found = await everyModalityIsMoved(rigOf(plugin, info), tools, FEW);
      for (const [name, values] of Object.entries(found)) {
        if (!groupOf(name).startsWith("encoder:") || values.some((value) => value !== 0)) continue;
        idle.add(name.slice(name.indexOf("/") + 1));
      }
    }
    // Not a fault by itself: attention does not depend on the bias of its keys.
    return idle.size === 0 ? {} : { note: `not moved: ${[...idle].join(", ")}` };
  },
};

/** Contracts of encoders. */
export const encoderContracts: readonly Contract<EncoderPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(plugin, library, (options) => plugin.create(options, accepted(plugin)[0] ?? INPUTS[0])),
  },
  refusals,
  shapes,
  stages,
  gradients,
  {
    claim: "encodes each sample by itself in prediction, whatever else is in the batch",
    async check(plugin, tools) {
      for (const info of accepted(plugin)) await rowsAreIndependent(rigOf(plugin, info), tools, FEW);
    },
  },
  {
    claim: "is not influenced by padded rows in training",
    check: (plugin, tools) => paddingHasNoInfluence(firstRig(plugin), tools),
  },
  {
    claim: "makes finite steps on zeros, ties, 1e-30 and denormals, and keeps NaN to the sample that has it",
    check: (plugin, tools) => oddInputsAreTaken(firstRig(plugin), tools, FEW),
  },
  {
    claim: "computes the same when traced and compiled as when run operation by operation",
    check: (plugin, tools) => tracedEqualsEager(() => firstRig(plugin), tools, 1, FEW),
  },
  {
    claim: "leaves no tensor behind",
    check: (plugin, tools) => leavesNoTensor(() => firstRig(plugin), tools, FEW),
  },
  {
    claim: "trains, and resumes from a checkpoint bit for bit",
    check: (plugin, tools) => resumesBitForBit(() => firstRig(plugin), tools),
  },
  {
    claim: "works with every value of its choices",
    check: (plugin, tools) => choicesWork(plugin, tools.library, (options) => withChoice(plugin, options, tools)),
  },
];

async function withChoice(
  plugin: EncoderPlugin,
  options: Record<string, unknown>,
  { eager }: ContractTools,
): Promise<boolean> {
  if (accepted(plugin, options).length === 0) return false;
  const { stats } = await withSteps(firstRig(plugin, options), eager, (steps) => steps.train());
  for (const [name, value] of Object.entries(stats)) must(Number.isFinite(value), `"${name}" is ${value}`);
  return true;
}
