/**
 * Vision transformer.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { defineEncoder, type EncoderPlugin } from "../core/kinds/mod.ts";
import { sizeOf } from "../core/program.ts";
import { conv2d, fans, tokenTransformer, truncatedNormal } from "../nn/mod.ts";

/** Options of `vit`. */
export interface VitOptions {
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly pooling: "cls" | "mean";
  readonly dropout: number;
  readonly frames: "each" | "joint";
}

/** Of the layer norms, as in the paper's code. */
const EPSILON = 1e-6;

/**
 * Vision transformer: patches as tokens, learned positions, pre-norm blocks, one last norm.
 *
 * Every block is a stage; patches and positions belong to the first. The feature is the class token, or the mean of the
 * patches' tokens (there is no class token then). Parameters are named as in timm. A film's frames go one by one, and its
 * feature is their mean, or its patches are tokens of one sequence. A log-mel spectrogram [steps, bins, 1] gives patches of
 * time and frequency.
 */
function visionTransformer(name: string, about: string, sizes: Sizes, source: string): EncoderPlugin {
  return defineEncoder<VitOptions>({
    name,
    tiny: { width: 8, depth: 2, heads: 2 },
    about,
    formula: `t = [cls; W patches + b] + positions;  t <- t + attention(norm(t));  t <- t + mlp(norm(t)), depth times
    f = norm(t)_cls, or the mean of norm(t)`,
    source: "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021; mean pooling as in Beyer et al., 2022",
    options: {
      patch: {
        type: "integer",
        default: sizes.patch,
        min: 1,
        about:
          "side of a patch in pixels (of a log-mel spectrogram [steps, bins, 1] in steps and bins); must divide both",
        tune: [4, 8],
        source,
      },
      width: {
        type: "integer",
        default: sizes.width,
        min: 1,
        about: "width of tokens and feature; a multiple of heads",
        tune: [64, 128],
        source,
      },
      depth: {
        type: "integer",
        default: sizes.depth,
        min: 1,
        tune: [4, 6, 12],
        about: "number of blocks, each a stage",
        source,
      },
      heads: {
        type: "integer",
        default: sizes.heads,
        min: 1,
        about: "heads of attention",
        tune: [2, 4, 8],
        source,
      },
      mlpRatio: {
        type: "number",
        default: 4,
        min: 0.1,
        about: "hidden width of a block's MLP, as a multiple of the width",
        tune: [2, 4],
        source: "the paper",
      },
      pooling: {
        type: "choice",
        choices: ["cls", "mean"],
        default: "cls",
        about: "class token, or mean of all tokens",
        source: "the paper",
      },
      dropout: {
        type: "number",
        default: 0,
        min: 0,
        max: 0.95,
        tune: [0, 0.1],
        about: "dropout rate after embedding and sublayers",
        source: "chosen here: none",
      },
      frames: {
        type: "choice",
        choices: ["each", "joint"],
        default: "each",
        about:
          "of a film: each frame by itself, the feature their mean (weights of pictures fit), or joint attention " +
          "over the patches of all frames (for fusions that run its layers)",
        source: "each: as OGM-GE's code takes frames; joint: Arnab et al., ViViT, ICCV 2021, model 1",
      },
    },
    refuses: ({ shape, dtype }, { patch, width, heads }) => {
      if (dtype !== "float32" || (shape.length !== 3 && shape.length !== 4)) {
        return "it needs [height, width, channels] or [frames, height, width, channels] of numbers";
      }
      const [rows, columns] = shape.slice(-3);
      if (rows % patch !== 0 || columns % patch !== 0) {
        return `its patch of ${patch} must divide ${rows} and ${columns}`;
      }
      if (width % heads !== 0) return `its ${heads} heads must divide its width of ${width}`;
      return null;
    },
    create: ({ patch, frames, ...options }, { shape }) =>
      tokenTransformer({
        ...options,
        epsilon: EPSILON,
        frames: frames === "each" && shape.length === 4,
        tokens(x, scope) {
          const { width } = options;
          const std = Math.sqrt(1 / fans([patch, patch, x.shape[x.rank - 1], width]).fanIn);
          const patches = conv2d(scope.in("patch_embed").in("proj"), x, {
            channels: width,
            kernel: patch,
            stride: patch,
            padding: "valid",
            kernelInit: truncatedNormal(std),
          });
          const [batch, ...grid] = patches.shape.slice(0, -1) as number[];
          return tf.reshape(patches, [batch, sizeOf(grid), width]);
        },
        alignTokens(alignment, group) {
          const incoming = alignment.identity(shape[shape.length - 1]);
          const patches = `${group}/patch_embed/proj`;
          return alignment.layer({ inputs: [[`${patches}/kernel`, incoming]], bias: `${patches}/bias` })[0];
        },
      }),
  });
}

/** What the sizes of the literature differ in. */
interface Sizes {
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
}

/** A small vision transformer for small sets. */
export const vit: EncoderPlugin = visionTransformer(
  "vit",
  "vision transformer for images, spectrograms and films; gives tokens",
  { patch: 4, width: 64, depth: 4, heads: 4 },
  "chosen here for small sets of about 30 pixels; the paper's base model has 16, 768, 12, 12",
);

const published = (name: string, width: number, heads: number, source: string) =>
  visionTransformer(
    `vit-${name}`,
    `vision transformer ViT-${name}/16 for images and films, for timm's weights; gives tokens`,
    { patch: 16, width, depth: 12, heads },
    source,
  );

/** ViT-tiny/16: width 192, 3 heads. */
export const vitTiny: EncoderPlugin = published("tiny", 192, 3, "Touvron et al., DeiT, ICML 2021");
/** ViT-small/16: width 384, 6 heads. */
export const vitSmall: EncoderPlugin = published("small", 384, 6, "Touvron et al., DeiT, ICML 2021");
/** ViT-base/16: width 768, 12 heads. */
export const vitBase: EncoderPlugin = published("base", 768, 12, "the paper");
