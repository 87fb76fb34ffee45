/**
 * Disentangled gradient learning.
 *
 * @module
 */
import { CLAIMS, defineMethod, type MethodPlugin } from "../core/kinds/mod.ts";
import type { NamedTensors } from "../core/program.ts";
import { groupOf } from "../core/scope.ts";
import { SHARED_CLAIMS, unimodalKeys, unimodalLosses, zeroFilledLogits } from "./unimodal.ts";

/** Options of `dgl`. */
export interface DglOptions {
  readonly alpha: number;
  readonly readout: "zero-filled" | "solo";
  readonly projections: "trained" | "frozen";
}

/**
 * The fused loss trains fusion and head alone, every modality's own loss its encoder alone.
 *
 * That is what detached features and detached heads give, so it is done here by who gets which loss's gradient, from one
 * forward pass. alpha therefore scales all of the encoders' gradients: nothing under Adam, but for clipping. In the released
 * gated fusion the projections before the gate never train, as one loss is detached behind them and the other's gradient is
 * deleted (`projections: frozen` for any fusion's layers before its head).
 */
export const dgl: MethodPlugin = defineMethod<DglOptions>({
  name: "dgl",
  about:
    "trains encoders by their own losses alone and the fusion by the joint loss alone; alpha does nothing under Adam",
  formula:
    `L = CE(F(sg f_1, ..., sg f_m)) + alpha sum_u CE(l_u), l_u = F with the other features zero, its parameters sg`,
  source: 'Wei et al., "Boosting Multimodal Learning via Disentangled Gradient Learning", ICCV 2025',
  options: {
    alpha: {
      type: "number",
      default: 4,
      min: 0,
      tune: [1, 2, 4],
      about: "weight of the modalities' own losses",
      source: "released code: 4; scripts 4 and 5 for CREMA-D, 2 and 3 for Kinetics-Sounds, 2 for VGGSound",
    },
    readout: {
      type: "choice",
      choices: ["zero-filled", "solo"],
      default: "zero-filled",
      about:
        "a modality's logits: the fusion's with all others dropped and its whole bias, or the fusion's solo readout",
      source: "released code: zero-filled",
    },
    projections: {
      type: "choice",
      choices: ["trained", "frozen"],
      default: "trained",
      about: "whether layers between encoders and head learn",
      source: "what is meant; frozen as the released gated fusion ends up",
    },
  },
  cost: { forwards: 1, backwards: 1 },
  create: ({ alpha, readout, projections }, { modalities }) => {
    const keys = unimodalKeys(modalities);
    const logits = readout === "solo" ? undefined : zeroFilledLogits;
    return {
      name: "dgl",
      declares: {
        solo: true,
        claims: [SHARED_CLAIMS.readouts, CLAIMS.gradients, ...logits === undefined ? [] : [CLAIMS.readout]],
      },
      ...logits === undefined ? {} : { readout: logits },
      loss: (step) => unimodalLosses(step, step.solo().logits, alpha),
      gradients(gradients, book) {
        const joint = book.of(book.keys.filter((key) => !keys.includes(key)));
        const own = book.of(book.keys.filter((key) => !book.task.includes(key)));
        const result: NamedTensors = {};
        for (const full of Object.keys(gradients)) {
          const group = groupOf(full);
          if (group === "fusion" && projections === "frozen") continue;
          const gradient = (group.startsWith("encoder:") ? own : joint)[full];
          if (gradient !== undefined) result[full] = gradient;
        }
        return result;
      },
    };
  },
});
