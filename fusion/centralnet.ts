/**
 * CentralNet.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, byModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import type { Initializer } from "../core/scope.ts";
import { globalAveragePool } from "../nn/conv.ts";
import { constant, xavierNormal } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import { headLosses } from "./shared.ts";

/** Options of `centralnet`. */
export interface CentralNetOptions {
  readonly stages: number;
  readonly taps: readonly number[];
  readonly width: number;
  readonly beta: number;
  readonly betas: readonly number[];
  readonly mixInit: "equal" | "uniform";
}

/**
 * A central network beside the unimodal ones. Its layers take a learned mixture of the central state before and of the
 * modalities' states at the same depth; a head of its own and one per modality are trained together: L = CE(l_c) + sum_u beta_u CE(l_u).
 *
 * c_0 = 0, so the first mixing weight of the central state has no effect. Own heads read the modality's last stage.
 */
export const centralnet: FusionPlugin = defineFusion<CentralNetOptions>({
  name: "centralnet",
  about: "a central network over every stage with learned mixing weights, trained with one head per modality",
  formula: `h_u^l = P_u^l mean_space A_u^l + q_u^l;  c_l = relu(W^l (a_c^l c_(l-1) + sum_u a_u^l h_u^l)), c_0 = 0
    L = CE(l_c) + beta sum_u CE(l_u);  a = 1 / (m + 1) at the start`,
  source: "Vielzeuf et al., CentralNet, ECCV Workshops 2018",
  options: {
    stages: {
      type: "integer",
      default: 3,
      min: 1,
      about: "how many of the deepest stages are tapped",
      tune: [2, 3],
      source: "chosen here: as mmtm",
    },
    width: {
      type: "integer",
      default: 128,
      min: 1,
      tune: [64, 128, 256],
      about: "width of the central states",
      source: "chosen here for small encoders",
    },
    taps: {
      type: "numbers",
      default: [],
      about: "which stages instead, shallow to deep, counted from the deepest as 1: 3, 1 leaves out the second deepest",
      source: "the paper: every stage",
    },
    beta: {
      type: "number",
      default: 1,
      min: 0,
      tune: [0.3, 1, 3],
      about: "weight of the modalities' own losses",
      source: "the paper",
    },
    betas: {
      type: "numbers",
      default: [],
      about: "one weight per modality in sorted order, instead of beta for all",
      source: "the paper: 1 for every head",
    },
    mixInit: {
      type: "choice",
      choices: ["equal", "uniform"],
      default: "equal",
      about: "start of the mixing weights: 1 / (m + 1), or uniform on 0..1",
      source: "uniform: the CentralNet in the released code of Perez-Rua et al., MFAS, CVPR 2019",
    },
  },
  create: ({ stages, taps, width, beta, betas, mixInit }, context) => {
    const { modalities, classes } = context;
    const tapped = taps.length === 0 ? Array.from({ length: stages }, (_, index) => stages - index) : taps;
    if (tapped.some((tap, k) => !Number.isInteger(tap) || tap < 1 || (k > 0 && tap >= tapped[k - 1]))) {
      throw new Refusal({
        what: 'use fusion "centralnet"',
        must: "taps must be whole numbers from 1, falling",
        found: `found [${tapped.join(", ")}]`,
      });
    }
    if (betas.length !== 0 && (betas.length !== modalities.length || betas.some((weight) => !(weight >= 0)))) {
      throw new Refusal({
        what: 'use fusion "centralnet"',
        must: `betas must be one weight of at least 0 for each of ${modalities.join(", ")}`,
        found: `found [${betas.join(", ")}]`,
      });
    }
    const depth = tapped[0];
    const weights = betas.length === 0 ? modalities.map(() => beta) : betas;
    const share: Initializer = mixInit === "equal"
      ? constant(1 / (modalities.length + 1))
      : (_shape, random) => Float32Array.of(random.uniform());
    return {
      needs: { stages: depth },
      soloMode: "own",
      forward(features, keep, scope) {
        const group = scope.group("fusion");
        let state: tf.Tensor | null = null;
        for (const [level, tap] of tapped.entries()) {
          const layer = group.in(`level${level + 1}`);
          const terms: tf.Tensor[] = modalities.map((modality) => {
            const map = at(features, modality).stages![depth - tap];
            const own = linear(layer.in(modality), globalAveragePool(map), { width, kernelInit: xavierNormal });
            const mixed = tf.mul(own, layer.param(`mix/${modality}`, [], share));
            return keep === null ? mixed : tf.mul(mixed, at(keep, modality));
          });
          if (state !== null) terms.push(tf.mul(state, layer.param("mix/central", [], share)));
          const kernel = layer.param("kernel", [width, width], xavierNormal) as tf.Tensor2D;
          state = tf.relu(tf.matMul(tf.addN(terms) as tf.Tensor2D, kernel));
        }
        const fused = state as tf.Tensor2D;
        const own = mapByModality(
          features,
          ({ stages: maps }, modality) =>
            linear(scope.group(`head:${modality}`), globalAveragePool(maps![depth - 1]), {
              width: classes,
              kernelInit: xavierNormal,
            }) as tf.Tensor2D,
        );
        const logits = linear(scope.group("head"), fused, { width: classes, kernelInit: xavierNormal }) as tf.Tensor2D;
        return { fused, logits, own };
      },
      ...headLosses(
        weights.every((weight) => weight === 0) ? "joint" : "both",
        byModality(modalities, (_, index) => weights[index]),
      ),
    };
  },
});
