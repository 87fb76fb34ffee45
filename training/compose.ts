/**
 * Which methods can be put on one model together.
 *
 * @module
 */
import { CLAIMS, type Method } from "../core/kinds/mod.ts";

/** Methods that cannot be put on one model; the message says why, and which order works if one does. */
export class CompositionError extends RangeError {
  override readonly name = "CompositionError";
}

/**
 * Says why methods cannot be composed in the order given, or `null` if they can.
 *
 * Composed methods run their hooks in that order. What cannot work is found from what they declare: a method twice, two
 * that lay claim to one thing, a method that would throw away what an earlier one made of the task's loss or of the gradients,
 * and a plan that does not pass keep masks on behind one that sets them.
 */
export function incompatibility(methods: readonly Method[]): string | null {
  for (const [index, later] of methods.entries()) {
    for (const earlier of methods.slice(0, index)) {
      const both = `Cannot compose "${earlier.name}" and "${later.name}"`;
      const turned = `write ${later.name}+${earlier.name}`;
      if (earlier.name === later.name) return `Cannot compose "${later.name}" with itself: each method acts once`;
      const shared = later.declares?.claims?.find((claim) => earlier.declares?.claims?.includes(claim));
      if (shared !== undefined) return `${both} as both ${shared}`;
      const discards = later.declares?.claims?.includes(CLAIMS.taskLoss) && earlier.taskLoss !== undefined;
      if (discards) return `${both} in this order as the second would discard the first one's task loss: ${turned}`;
      for (const [one, other] of [[earlier, later], [later, earlier]]) {
        const alternates = one.declares?.claims?.includes(CLAIMS.alternates) === true;
        if (alternates && (other.loss ?? other.taskLoss ?? other.gradients ?? other.rates) !== undefined) {
          return `${both} as "${one.name}" trains one modality at a time and "${other.name}" acts on the losses or ` +
            "gradients of all at once";
        }
      }
      const anew = later.declares?.claims?.includes(CLAIMS.gradients) && earlier.gradients !== undefined;
      if (anew) {
        return `${both} in this order as the second would discard what the first one makes of gradients: ${turned}`;
      }
      const masked = earlier.declares?.keep === true && earlier.plan !== undefined;
      if (masked && later.plan !== undefined && later.declares?.passesKeep !== true) {
        return `${both} in this order as the first drops modalities from samples and the second re-samples without ` +
          `passing that on: ${turned}`;
      }
    }
  }
  return null;
}
