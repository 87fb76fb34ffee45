/**
 * Prompt-based multimodal fusion.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin } from "../core/kinds/mod.ts";
import type { Scope } from "../core/scope.ts";
import { xavierUniform } from "../nn/initializers.ts";
import { linear } from "../nn/linear.ts";
import {
  firstOf,
  fusionOfStreams,
  layerHeads,
  type LayersOf,
  layersOption,
  layerWidth,
  presentOf,
  repeated,
  type Stream,
  tokenInit,
} from "./tokens.ts";

/** Options of `pmf`. */
export interface PmfOptions {
  readonly layers: LayersOf;
  readonly fused: number;
  readonly queries: number;
  readonly contexts: number;
  readonly fusionContexts: number;
  readonly width: number;
  readonly heads: number;
}

/**
 * Modalities talk through prompts. In each of the last layers, for every ordered pair u -> v, learned query prompts ask u's
 * layer (R_u, the output at Q_uv of Layer_u([t_u; K_uv; Q_uv])), a small map M_uv carries the answer over, P_uv = M_uv(R_u),
 * and v's layer attends to it: t_v <- Layer_v([t_v; F_v; P_uv for all u]) with the further tokens dropped afterwards. All
 * queries of a layer see the tokens from before it. l = (1/m) sum_u H_u(class_u), f_y = [class_1; …; class_m].
 *
 * The paper's layers are those of two pretrained frozen transformers, `layers: encoder` (any number of them, of any widths;
 * `--freeze` their groups as the paper does). `layers: own` is an adaptation to any encoder, CNNs included: the places of
 * the last map (or the encoder's tokens) become tokens behind a class token, and small layers of each modality follow, which
 * are trained, not frozen.
 *
 * The own readout is H_u's without prompts from others. A dropped modality's prompts are not attended to, its head leaves
 * the average, and its part of f_y is 0.
 *
 * Parameters, h_uv = max(floor(D_u / 2), floor(D_v / 2)) and n layers: sum over pairs of
 * n ((q + k) D_u + D_u h + h + h D_v + D_v), sum_v n f D_v, heads sum_u (C D_u + C); with layers of its own also what
 * `ownStream` has.
 */
export const pmf: FusionPlugin = defineFusion<PmfOptions>({
  name: "pmf",
  symmetric: false, // parts of the fused feature stand in sorted order of modalities
  tiny: { fused: 2, queries: 2, contexts: 1, fusionContexts: 1, width: 8, heads: 2 },
  about: "learned prompts carry one modality's answers into the other's layers; averaged heads",
  formula: `R_uv = Layer_u([t_u; K_uv; Q_uv]) at Q;  P_uv = M_uv(R_uv), M = Linear-ReLU-Linear
    t_v <- Layer_v([t_v; F_v; P_uv, u != v]), the further tokens dropped;  l = (1/m) sum_u H_u(class_u)`,
  source: "Li et al., Efficient Multimodal Fusion via Interactive Prompting, CVPR 2023",
  options: {
    layers: layersOption,
    fused: {
      type: "integer",
      default: 2,
      min: 1,
      tune: [1, 2, 4],
      about: "number n of deepest layers with prompts; own: all layers",
      source: "the released code",
    },
    queries: {
      type: "integer",
      default: 4,
      min: 1,
      tune: [2, 4, 8],
      about: "query prompts q of each ordered pair and layer",
      source: "the released code",
    },
    contexts: {
      type: "integer",
      default: 4,
      min: 0,
      tune: [0, 4],
      about: "query-context prompts k of each ordered pair and layer",
      source: "the released code",
    },
    fusionContexts: {
      type: "integer",
      default: 4,
      min: 0,
      tune: [0, 4],
      about: "fusion-context prompts f of each modality and layer",
      source: "the released code, where they stay untrained by a slip",
    },
    width: layerWidth,
    heads: layerHeads,
  },
  create: (options, context) => {
    const { layers, fused, queries, contexts, fusionContexts, width, heads } = options;

    /** What u's layer answers to v's queries, carried over to v's width: [B, q, D_v]. */
    const prompts = (
      level: number,
      [u, v]: readonly [string, string],
      { run, present }: Stream,
      x: tf.Tensor3D,
      target: number,
      scope: Scope,
    ): tf.Tensor3D => {
      const pair = scope.group("fusion").in(`prompts${level + 1}`).in(u).in(v);
      const [batch, count, size] = x.shape;
      const learned = (name: string, rows: number) =>
        rows === 0 ? [] : [repeated(pair.param(name, [rows, size], tokenInit), batch)];
      const asked = tf.concat([x, ...learned("context", contexts), ...learned("query", queries)], 1);
      const among = presentOf([{ size: count, present }, { size: contexts + queries, present: null }], batch);
      const answer = run(level, asked, among, { from: count + contexts, size: queries });
      const hidden = Math.max(Math.floor(size / 2), Math.floor(target / 2));
      const inner = tf.relu(linear(pair.in("map1"), answer, { width: hidden, kernelInit: xavierUniform }));
      return linear(pair.in("map2"), inner, { width: target, kernelInit: xavierUniform }) as tf.Tensor3D;
    };

    return fusionOfStreams("pmf", context, { layers, fused, width, heads }, (streams, keep, scope) => {
      const names = Object.keys(streams);
      let tokens: Record<string, tf.Tensor3D> = mapByModality(streams, (stream) => stream.tokens);
      for (let level = 0; level < fused; level++) {
        const before = tokens;
        tokens = mapByModality(before, (x, v) => {
          const [batch, count, size] = x.shape;
          const others = names.filter((name) => name !== v);
          const given = others.map((u) => prompts(level, [u, v], streams[u], before[u], size, scope));
          const group = scope.group("fusion").in(`prompts${level + 1}`).in(v);
          const context = fusionContexts === 0
            ? []
            : [repeated(group.param("fusion-context", [fusionContexts, size], tokenInit), batch)];
          const among = presentOf([
            { size: count, present: streams[v].present },
            { size: fusionContexts, present: null },
            ...others.map((u) => ({ size: queries, present: keep === null ? null : at(keep, u) })),
          ], batch);
          const joined = context.length + given.length === 0 ? x : tf.concat([x, ...context, ...given], 1);
          const wanted = level === fused - 1 ? streams[v].readable : count;
          return firstOf(streams[v].run(level, joined, among, { from: 0, size: wanted }), wanted);
        });
      }
      return tokens;
    });
  },
});
