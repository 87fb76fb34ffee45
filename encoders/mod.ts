/**
 * Encoders: raw modality to features.
 *
 * @module
 */
import type { EncoderPlugin } from "../core/plugin.ts";
import { cnn } from "./cnn.ts";
import { mlp } from "./mlp.ts";

export { cnn, type CnnOptions } from "./cnn.ts";
export { mlp, type MlpOptions } from "./mlp.ts";

/** All built-in encoders. */
export const builtinEncoders: readonly EncoderPlugin[] = [cnn, mlp];
