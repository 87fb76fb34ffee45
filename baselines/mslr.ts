/**
 * Modality-specific learning rates.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineMethod, type Host, type MethodPlugin } from "../core/kinds/mod.ts";
import { groupOf, type Scope } from "../core/scope.ts";
import { perModality, windowOptions } from "./unimodal.ts";

/** Options of `mslr`. */
export interface MslrOptions {
  readonly init: readonly number[];
  readonly schedule: "fixed" | "accuracy";
  readonly on: "update" | "gradient";
  readonly memory: number;
  readonly start: number;
  readonly end: number;
}

/** Accuracies of the last epochs, oldest first, and the factor that follows from them. */
export interface Track {
  readonly queue: readonly number[];
  readonly ratio: number;
}

/**
 * Takes in an epoch's accuracy: once as many are remembered as shall be, the factor is the new one over their mean, before the
 * oldest gives way to it. A mean of 0 gives 1; an accuracy that is no number changes nothing.
 */
export function tracked({ queue, ratio }: Track, accuracy: number, memory: number): Track {
  if (!Number.isFinite(accuracy)) return { queue, ratio };
  if (queue.length < memory) return { queue: [...queue, accuracy], ratio };
  const mean = queue.reduce((sum, value) => sum + value, 0) / queue.length;
  return { queue: [...queue.slice(1), accuracy], ratio: mean === 0 ? 1 : accuracy / mean };
}

/** Share of a modality's predictions [N, C] on validation that are right, of the samples that have it; NaN if none does. */
function accuracyOf(logits: Float32Array, modality: string, host: Host): number {
  const { classes } = host;
  let [right, count] = [0, 0];
  host.labels("validation").forEach((label, n) => {
    if (!host.has("validation", n, modality)) return;
    const row = logits.subarray(n * classes, (n + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
    count++;
  });
  return right / count;
}

/** Factors when none are given: the released ones of audio and vision for two modalities, 1 for any other number. */
function startFactors(init: readonly number[], m: number): readonly number[] {
  return init.length > 0 ? init : m === 2 ? [0.9, 1.1] : new Array<number>(m).fill(1);
}

/**
 * Every modality's encoder, and its own head where the fusion has such, has a learning rate of its own: a fixed factor, or
 * one that follows the accuracy of its readout.
 *
 * The released code multiplies gradients (`on: gradient`), which does nothing under Adam while the factor stays the same,
 * and reads its accuracies off the test set; here they are validation's.
 */
export const mslr: MethodPlugin = defineMethod<MslrOptions>({
  name: "mslr",
  about: "gives every modality a learning rate of its own; a factor on gradients (an option) does nothing under Adam",
  formula: `theta_u <- theta_u - c_u lr update_u,  c_u = init_u rho_u;  fixed: rho = 1
    accuracy: rho_u = a_u / mean of its last five, after each epoch;  L = CE(l)`,
  source:
    'Yao and Mihalcea, "Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion", Findings of ACL 2022',
  options: {
    init: {
      type: "numbers",
      default: [],
      about: "one factor per modality in sorted order; none: 0.9 and 1.1 for two modalities, 1 otherwise",
      source: "AGM's released code: 0.9 and 1.1 for CREMA-D's audio and vision, 1.3 and 0.7 for AV-MNIST",
    },
    schedule: {
      type: "choice",
      choices: ["fixed", "accuracy"],
      default: "fixed",
      about: "whether factors stay or follow validation accuracies",
      source: "the paper has both; accuracy as in AGM's released code",
    },
    on: {
      type: "choice",
      choices: ["update", "gradient"],
      default: "update",
      about: "what is multiplied: the learning rate, or the gradient before the optimiser",
      source: "the paper's learning rates; gradient as in AGM's released code",
    },
    memory: {
      type: "integer",
      default: 5,
      min: 1,
      tune: [3, 5, 10, 20],
      about: "epochs of accuracy that are remembered",
      source: "AGM's released code; MCR's scripts 10 and 20",
    },
    ...windowOptions(0, 19, "AGM's released code, which counts 20 epochs from 1"),
  },
  // The default factors stand in sorted order.
  symmetric: false,
  cost: { forwards: 1, backwards: 1 },
  refuses: (_fusion, { modalities }, { init }) =>
    init.length > 0 && init.length !== modalities.length
      ? `it needs one factor for each of ${modalities.join(", ")}: found [${init.join(", ")}]`
      : null,
  create: ({ init, schedule, on, memory, start, end }, { modalities }) => {
    const m = modalities.length;
    const factor = "mslr/factor";
    const starts = startFactors(init, m);
    let tracks: Track[] = modalities.map(() => ({ queue: [], ratio: 1 }));
    const factors = (scope: Scope) => perModality(scope.control(factor) as tf.Tensor1D, modalities);
    const byGroup = (scope: Scope) =>
      Object.fromEntries(
        Object.entries(factors(scope)).flatMap(([modality, own]) => [
          [`encoder:${modality}`, own],
          [`head:${modality}`, own],
        ]),
      );
    return {
      name: "mslr",
      declares: {
        controls: { [factor]: new Array<number>(m).fill(1) },
        claims: ["set the modalities' learning rates"],
      },
      beforeEpoch(host) {
        const open = host.epoch >= start && host.epoch <= end;
        host.setControl(factor, starts.map((own, u) => open ? own * tracks[u].ratio : 1));
      },
      ...on === "update" ? { rates: ({ scope }) => byGroup(scope) } : {
        gradients(gradients, _book, { scope }) {
          const by = byGroup(scope);
          return Object.fromEntries(
            Object.entries(gradients).map(([full, gradient]) => {
              const own = by[groupOf(full)];
              return [full, own === undefined ? gradient : tf.mul(gradient, own)];
            }),
          );
        },
      },
      ...schedule === "fixed" ? {} : {
        async afterEpoch(host: Host) {
          const { solo } = await host.pass("validation");
          tracks = tracks.map((track, u) =>
            tracked(track, accuracyOf(solo[modalities[u]], modalities[u], host), memory)
          );
        },
        save: () => tracks,
        load: (saved: unknown) => void (tracks = saved as Track[]),
      },
      report: (host) => ({
        factor: Object.fromEntries(modalities.map((modality, u) => [modality, host.control(factor)[u]])),
      }),
    };
  },
});
