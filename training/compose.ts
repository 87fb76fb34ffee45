/**
 * Which methods can be put on one model together.
 *
 * @module
 */
import { CLAIMS, type Method } from "../core/kinds/mod.ts";
import { Refusal, type RefusalParts } from "../core/refusal.ts";

/** Methods that cannot be put on one model: its clauses say why, and which order works if one does. */
export class CompositionError extends Refusal {
  override readonly name = "CompositionError";
}

/** Why a method cannot stand behind an earlier one, or `null` if it can. */
function conflict(earlier: Method, later: Method): RefusalParts | null {
  if (earlier.name === later.name) {
    return { what: `compose "${later.name}" with itself`, found: "each method acts once" };
  }
  const both = `compose "${earlier.name}" and "${later.name}"`;
  const claims = later.declares?.claims ?? [];
  const shared = claims.find((claim) => earlier.declares?.claims?.includes(claim));
  if (shared !== undefined) return { what: both, must: `both ${shared}` };
  for (const [one, other] of [[earlier, later], [later, earlier]]) {
    const alternates = one.declares?.claims?.includes(CLAIMS.alternates) === true;
    if (alternates && (other.loss ?? other.taskLoss ?? other.gradients ?? other.rates) !== undefined) {
      return {
        what: both,
        must:
          `"${one.name}" trains one modality at a time and "${other.name}" acts on the losses or gradients of all ` +
          "at once",
      };
    }
  }
  const turned = { what: `${both} in this order`, hint: `write ${later.name}+${earlier.name}` };
  if (claims.includes(CLAIMS.taskLoss) && earlier.taskLoss !== undefined) {
    return { ...turned, must: "the second would discard the first one's task loss" };
  }
  if (claims.includes(CLAIMS.gradients) && earlier.gradients !== undefined) {
    return { ...turned, must: "the second would discard what the first one makes of gradients" };
  }
  const masked = earlier.declares?.keep === true && earlier.plan !== undefined;
  if (masked && later.plan !== undefined && later.declares?.passesKeep !== true) {
    return {
      ...turned,
      must: "the first drops modalities from samples and the second re-samples without passing that on",
    };
  }
  return null;
}

/**
 * Why methods cannot be composed in the order given, or `null` if they can.
 *
 * Composed methods run their hooks in that order. What cannot work is found from what they declare: a method twice, two
 * that lay claim to one thing, a method that would throw away what an earlier one made of the task's loss or of the gradients,
 * and a plan that does not pass keep masks on behind one that sets them.
 */
export function incompatibility(methods: readonly Method[]): CompositionError | null {
  for (const [index, later] of methods.entries()) {
    for (const earlier of methods.slice(0, index)) {
      const found = conflict(earlier, later);
      if (found !== null) return new CompositionError(found);
    }
  }
  return null;
}
