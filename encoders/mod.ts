/**
 * Encoders: raw modality to features.
 *
 * @module
 */
import type { EncoderPlugin } from "../core/kinds/mod.ts";
import { bert, bertBase, distilbert } from "./bert.ts";
import { cnn } from "./cnn.ts";
import { identity } from "./identity.ts";
import { linearEncoder } from "./linear.ts";
import { mlp } from "./mlp.ts";
import { gru, lstm } from "./recurrent.ts";
import { resnet18, resnet34, resnet50 } from "./resnet.ts";
import { transformer } from "./transformer.ts";
import { vit, vitBase, vitSmall, vitTiny } from "./vit.ts";

export { bert, bertBase, type BertOptions, distilbert } from "./bert.ts";
export { cnn, type CnnOptions } from "./cnn.ts";
export { identity, type IdentityOptions } from "./identity.ts";
export { linearEncoder, type LinearEncoderOptions } from "./linear.ts";
export { mlp, type MlpOptions } from "./mlp.ts";
export { gru, lstm, type RecurrentOptions } from "./recurrent.ts";
export { resnet18, resnet34, resnet50, type ResnetOptions } from "./resnet.ts";
export { transformer, type TransformerOptions } from "./transformer.ts";
export { vit, vitBase, type VitOptions, vitSmall, vitTiny } from "./vit.ts";

/** All built-in encoders. */
export const builtinEncoders: readonly EncoderPlugin[] = [
  bert,
  bertBase,
  cnn,
  distilbert,
  gru,
  identity,
  linearEncoder,
  lstm,
  mlp,
  resnet18,
  resnet34,
  resnet50,
  transformer,
  vit,
  vitBase,
  vitSmall,
  vitTiny,
];
