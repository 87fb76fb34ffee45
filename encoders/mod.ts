/**
 * Encoders: raw modality to features.
 *
 * @module
 */
import type { EncoderPlugin } from "../core/plugin.ts";
import { cnn } from "./cnn.ts";
import { mlp } from "./mlp.ts";
import { resnet18 } from "./resnet18.ts";

export { cnn, type CnnOptions } from "./cnn.ts";
export { mlp, type MlpOptions } from "./mlp.ts";
export { resnet18, type Resnet18Options } from "./resnet18.ts";

/** All built-in encoders. */
export const builtinEncoders: readonly EncoderPlugin[] = [cnn, mlp, resnet18];
