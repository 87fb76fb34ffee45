/**
 * What values are that were made of media: what corruptions and mirrors need to know of them.
 *
 * @module
 */
import type { ModalityInfo } from "../../core/kinds/mod.ts";
import { FLOOR } from "./readers.ts";
import type { Holds } from "./spec.ts";

/** Movement is stored in bytes whose middle is none. */
const NO_MOVEMENT = 127.5;

/** Of values that were not scaled yet. @param shape That of a sample. */
export function heldInfo(
  holds: Holds | null | undefined,
  shape: readonly number[],
): Pick<ModalityInfo, "logPower" | "waveform" | "noMovement"> {
  switch (holds) {
    case "log-mel":
    case "stft":
      return { logPower: { mean: 0, std: 1, floor: FLOOR } };
    case "waveform":
      return { waveform: true };
    case "flow":
      return { noMovement: new Array<number>(shape[shape.length - 1]).fill(NO_MOVEMENT) };
    default:
      return {};
  }
}
