/**
 * Encoders: raw modality to features.
 *
 * @module
 */
import type { EncoderPlugin } from "../core/kinds/mod.ts";
import { bert } from "./bert.ts";
import { cnn } from "./cnn.ts";
import { identity } from "./identity.ts";
import { linear } from "./linear.ts";
import { mlp } from "./mlp.ts";
import { gru, lstm } from "./recurrent.ts";
import { resnet18 } from "./resnet18.ts";
import { transformer } from "./transformer.ts";
import { vit } from "./vit.ts";

export { bert, type BertOptions } from "./bert.ts";
export { cnn, type CnnOptions } from "./cnn.ts";
export { identity, type IdentityOptions } from "./identity.ts";
export { linear, type LinearEncoderOptions } from "./linear.ts";
export { mlp, type MlpOptions } from "./mlp.ts";
export { gru, lstm, type RecurrentOptions } from "./recurrent.ts";
export { resnet18, type Resnet18Options } from "./resnet18.ts";
export { transformer, type TransformerOptions } from "./transformer.ts";
export { vit, type VitOptions } from "./vit.ts";

/** All built-in encoders. */
export const builtinEncoders: readonly EncoderPlugin[] = [
  bert,
  cnn,
  gru,
  identity,
  linear,
  lstm,
  mlp,
  resnet18,
  transformer,
  vit,
];
