/**
 * Data remixing.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import {
  CLAIMS,
  defineMethod,
  type Host,
  type Method,
  type MethodPlugin,
  type Segment,
  type Step,
} from "../core/kinds/mod.ts";
import { xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { SHARED_CLAIMS, unimodalLosses } from "./unimodal.ts";

/** Options of `data-remixing`. */
export interface DataRemixingOptions {
  readonly warmup: number;
  readonly alpha: number;
  readonly gamma: number;
  readonly order: "blocks" | "shuffled";
  readonly readout: "own" | "split";
  readonly idle: "rests" | "moves";
}

/** KL of a row of predictions from the uniform distribution in nats, log C - H: how confident it is. */
export function confidence(logits: ArrayLike<number>): number {
  const all = Array.from(logits);
  const top = Math.max(...all);
  const powers = all.map((value) => Math.exp(value - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const entropy = powers.reduce((sum, power) => sum - (power > 0 ? power / total * Math.log(power / total) : 0), 0);
  return Math.log(all.length) - entropy;
}

/** The position of the least value; of equal ones the first, 0 where there is none below infinity. */
export function leastOf(values: readonly number[]): number {
  return values.reduce((best, value, u) => value < values[best] ? u : best, 0);
}

const headGroup = (modality: string) => `aux:data-remixing:${modality}`;
const WEIGHT = "data-remixing/weight";

/** Logits [N, C] of a linear head on features [N, d], on the host. */
function headLogits(features: Float32Array, kernel: Float32Array, bias: Float32Array): Float32Array {
  const classes = bias.length;
  const width = kernel.length / classes;
  const logits = new Float32Array(features.length / width * classes);
  for (let n = 0; n < logits.length / classes; n++) {
    for (let c = 0; c < classes; c++) {
      let sum = bias[c];
      for (let k = 0; k < width; k++) sum += features[n * width + k] * kernel[k * classes + c];
      logits[n * classes + c] = sum;
    }
  }
  return logits;
}

/** For each item, the modality of which its readout is least sure, of those that it has. */
async function leastConfident(
  host: Host,
  items: Int32Array,
  readout: DataRemixingOptions["readout"],
): Promise<number[]> {
  const { pooled, solo } = await host.pass("train", undefined, items);
  const params = readout === "own" ? await host.params(["aux:data-remixing:*"]) : {};
  const logits = host.modalities.map((modality) =>
    readout === "split" ? solo[modality] : headLogits(
      pooled[modality],
      params[`${headGroup(modality)}/kernel`],
      params[`${headGroup(modality)}/bias`],
    )
  );
  const { classes } = host;
  return Array.from(
    items,
    (item, n) =>
      leastOf(
        host.modalities.map((modality, u) =>
          host.has("train", item, modality) ? confidence(logits[u].subarray(n * classes, (n + 1) * classes)) : Infinity
        ),
      ),
  );
}

/** Cuts lists into batches and shuffles these, each with the number of its list. */
function interleaved(lists: readonly (readonly number[])[], host: Host): { u: number; items: number[] }[] {
  const batches = lists.flatMap((items, u) =>
    Array.from({ length: Math.ceil(items.length / host.batchSize) }, (_, b) => ({
      u,
      items: items.slice(b * host.batchSize, (b + 1) * host.batchSize),
    }))
  );
  return host.random.split("data-remixing").shuffle(batches);
}

function remixing(
  { warmup, alpha, gamma, order, readout, idle }: DataRemixingOptions,
  modalities: readonly string[],
): Method {
  const heads = (step: Step) =>
    byModality(
      modalities,
      (modality) =>
        linear(step.scope.group(headGroup(modality)), step.features[modality].pooled, {
          width: step.classes,
          kernelInit: xavierNormal,
        }) as tf.Tensor2D,
    );
  const logitsOf = (step: Step) =>
    readout === "split" ? step.solo().logits : step.memo("data-remixing/heads", () => heads(step));
  const programOf = (modality: string) => `data-remixing/${modality}`;
  let counts: Record<string, number> = {};
  return {
    name: "data-remixing",
    declares: {
      keep: idle === "moves",
      controls: { [WEIGHT]: alpha },
      solo: true,
      claims: [SHARED_CLAIMS.readouts, CLAIMS.alternates, ...readout === "own" ? [CLAIMS.readout] : []],
      programs: idle === "moves" ? [] : modalities.map((modality) => ({
        name: programOf(modality),
        train: [`encoder:${modality}`, "fusion", `fusion:${modality}`, "head", `head:${modality}`, headGroup(modality)],
        modalities: [modality],
      })),
    },
    beforeEpoch: (host) => host.setControl(WEIGHT, host.epoch < warmup ? alpha : gamma),
    ...readout === "own" ? { readout: logitsOf } : {},
    loss(step) {
      const weight = step.scope.control(WEIGHT);
      return Object.fromEntries(
        Object.entries(unimodalLosses(step, logitsOf(step))).map(([key, term]) => [key, tf.mul(term, weight)]),
      );
    },
    async plan(host, base) {
      counts = {};
      if (host.epoch < warmup) return base;
      const items = Int32Array.from(base.flatMap((segment) => [...segment.items]));
      const least = await leastConfident(host, items, readout);
      const lists = modalities.map((_, u) => [...items].filter((_item, n) => least[n] === u));
      counts = byModality(modalities, (_, u) => lists[u].length);
      const blocks = order === "blocks"
        ? lists.map((list, u) => ({ u, items: list })).filter((block) => block.items.length > 0).reverse()
        : interleaved(lists, host);
      return blocks.map((block): Segment => {
        const list = Int32Array.from(block.items);
        if (idle === "rests") return { programs: [programOf(modalities[block.u])], items: list };
        const keep = Uint8Array.from(
          { length: list.length * modalities.length },
          (_, i) => i % modalities.length === block.u ? 1 : 0,
        );
        return { programs: ["main"], items: list, keep };
      });
    },
    report: () => ({ assigned: { ...counts } }),
  };
}

/**
 * After a warm-up, every sample is shown with one modality alone: the one whose own readout is least sure of it.
 *
 * A partition, made anew before every epoch: each sample is drawn once. For more than two modalities, the least sure of all.
 * A batch holds one modality; the encoders of the others neither run nor move, while in the released code they do
 * (`idle: "moves"`). Equal confidences go to the first modality, in the released code to the last.
 */
export const dataRemixing: MethodPlugin = defineMethod<DataRemixingOptions>({
  name: "data-remixing",
  about: "shows every sample with the one modality of which its own readout is least sure",
  formula: `warm-up: L = CE(l, y) + alpha sum_u CE(l_u, y);  after it D_u(x) = log C - H(softmax l_u(x)),
    x is kept with u* = argmin_u D_u(x) alone:  L = CE(l, y) + gamma CE(l_{u*}, y)`,
  source: 'Ma et al., "Improving Multimodal Learning Balance and Sufficiency through Data Remixing", ICML 2025',
  options: {
    warmup: {
      type: "integer",
      default: 10,
      min: 0,
      tune: [1, 5, 10],
      about: "epochs with all modalities, before the first partition",
      source: "released code, of 60 epochs",
    },
    alpha: {
      type: "number",
      default: 0.5,
      min: 0,
      tune: [0.5, 1],
      about: "weight of the unimodal losses in the warm-up",
      source: "released code",
    },
    gamma: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.5, 1],
      about: "weight of the kept modality's loss afterwards",
      source: "released code",
    },
    order: {
      type: "choice",
      choices: ["blocks", "shuffled"],
      default: "blocks",
      about: "one modality's batches after another's, the last modality's first, or all batches mixed",
      source: "released code: blocks",
    },
    readout: {
      type: "choice",
      choices: ["own", "split"],
      default: "own",
      about: "linear heads of its own for every modality, or the fusion's own readouts",
      source: "released code: own",
    },
    idle: {
      type: "choice",
      choices: ["rests", "moves"],
      default: "rests",
      about: "whether encoders of dropped modalities run and are moved by momentum and decay",
      source: "released code: moves, as gradients of zero still move them",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  passes: () => 1,
  create: (options, { modalities }) => remixing(options, modalities),
});
