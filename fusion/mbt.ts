/**
 * Attention bottlenecks.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { at, type ByModality, mapByModality } from "../core/modality.ts";
import { defineFusion, type FusionPlugin, type Keep } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
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

/** Options of `mbt`. */
export interface MbtOptions {
  readonly layers: LayersOf;
  readonly depth: number;
  readonly fused: number;
  readonly bottlenecks: number;
  readonly width: number;
  readonly heads: number;
}

/** Mean over the modalities that are kept, of tensors [B, n, D]; 0 where none is. */
function keptMean(tensors: ByModality<tf.Tensor3D>, keep: Keep): tf.Tensor3D {
  const names = Object.keys(tensors).sort();
  if (keep === null) return tf.mul(tf.addN(names.map((name) => tensors[name])), 1 / names.length);
  const count = tf.addN(names.map((name) => at(keep, name)));
  const sum = tf.addN(names.map((name) => tf.mul(tensors[name], tf.expandDims(at(keep, name), 2))));
  return tf.div(sum, tf.expandDims(tf.maximum(count, 1), 2)) as tf.Tensor3D;
}

/**
 * Modalities exchange information through a few tokens only: in each of the last layers every modality attends to its own
 * tokens and the bottlenecks, and the bottlenecks become the mean of what the modalities made of them:
 * [t_u; n_u] <- Layer_u([t_u; n]), n <- mean_u n_u; l = mean_u H_u(class_u), f_y = [class_1; …; class_m].
 *
 * One fused layer would exchange nothing, so that there are at least two. With `layers: own` (the adaptation to any
 * encoder) each modality has small layers of its own over its encoder's tokens, or the places of its last map, and they are
 * trained; with `layers: encoder` the layers are the deepest of transformer encoders of one width.
 *
 * The own readout is H_u's where the bottlenecks are fed by u alone. A dropped modality feeds no bottleneck and leaves the
 * average, and its part of f_y is 0.
 *
 * Parameters: n D + sum_u (C D + C), and with layers of its own what `ownStream` has, of `depth` layers.
 */
export const mbt: FusionPlugin = defineFusion<MbtOptions>({
  name: "mbt",
  symmetric: false, // parts of the fused feature stand in sorted order of modalities
  tiny: { width: 8, heads: 2, bottlenecks: 2 },
  about: "modalities exchange information through a few bottleneck tokens; averaged heads",
  formula: `[t_u; n_u] <- Layer_u([t_u; n]);  n <- mean_u n_u, in the last layers
    f_y = [class_1; ...; class_m];  l = (1/m) sum_u H_u(class_u)`,
  source: "Nagrani et al., Attention Bottlenecks for Multimodal Fusion, NeurIPS 2021",
  options: {
    layers: layersOption,
    depth: {
      type: "integer",
      default: 2,
      min: 2,
      tune: [2, 3, 4],
      about: "own: number of layers of each modality",
      source: "chosen here: as few as exchange anything",
    },
    fused: {
      type: "integer",
      default: 2,
      min: 2,
      about: "how many of the deepest layers share bottlenecks; own: at most depth",
      source: "chosen here; the paper has 4 of 12",
      tune: [2, 4],
    },
    bottlenecks: {
      type: "integer",
      default: 4,
      min: 1,
      tune: [2, 4, 8],
      about: "number n of bottleneck tokens",
      source: "the paper",
    },
    width: layerWidth,
    heads: layerHeads,
  },
  create: ({ layers, depth, fused, bottlenecks, width, heads }, context) => {
    const own = layers === "own";
    if (own && fused > depth) {
      throw new Refusal({
        what: 'use fusion "mbt"',
        must: "its fused layers must be among its layers",
        found: `fused is ${fused}, depth ${depth}`,
      });
    }
    return fusionOfStreams("mbt", context, { layers, fused, width, heads }, (streams, keep, scope) => {
      const names = Object.keys(streams);
      const size = streams[names[0]].tokens.shape[2];
      if (names.some((name) => streams[name].tokens.shape[2] !== size)) {
        throw new Refusal({
          what: 'use fusion "mbt" with the encoders\' layers',
          must: "bottlenecks need tokens of one width",
          found: `found ${names.map((name) => `${name} ${streams[name].tokens.shape[2]}`).join(", ")}`,
          hint: "set layers=own",
        });
      }
      let tokens: Record<string, tf.Tensor3D> = mapByModality(streams, (stream) => stream.tokens);
      const unimodal = own ? depth - fused : 0;
      for (let level = 0; level < unimodal; level++) {
        tokens = mapByModality(tokens, (x, name) => streams[name].run(level, x, streams[name].present));
      }
      const batch = tokens[names[0]].shape[0];
      let shared = repeated(scope.group("fusion").param("bottlenecks", [bottlenecks, size], tokenInit), batch);
      const joint = (level: number, wanted: (stream: Stream, joined: number) => number) =>
        mapByModality(tokens, (x, name) => {
          const stream = streams[name];
          const among = presentOf(
            [{ size: x.shape[1], present: stream.present }, { size: bottlenecks, present: null }],
            batch,
          );
          const joined = tf.concat([x, shared], 1);
          return stream.run(level, joined, among, { from: 0, size: wanted(stream, joined.shape[1]) });
        });
      const last = unimodal + fused - 1;
      for (let level = unimodal; level < last; level++) {
        const after = joint(level, (_, joined) => joined);
        tokens = mapByModality(tokens, (x, name) => firstOf(after[name], x.shape[1]));
        shared = keptMean(
          mapByModality(after, (y, name) => tf.slice(y, [0, tokens[name].shape[1], 0]) as tf.Tensor3D),
          keep,
        );
      }
      // What the last layer makes of the bottlenecks is read by nothing.
      return joint(last, ({ readable }) => readable);
    });
  },
});
