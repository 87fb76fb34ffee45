/** Remedies are tried: what a refusal advises is done, and then nothing is refused. */
import { assert, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";

/** Something that is refused, what it is told to do, and that done. */
export interface Trial {
  /** The advice, or the part of it that this trial follows. */
  readonly hint: string;
  wrong(): unknown;
  right(): unknown;
}

/** Tries remedies one after the other. */
export async function tried(trials: readonly Trial[]): Promise<void> {
  for (const { hint, wrong, right } of trials) {
    let refused: unknown;
    try {
      await wrong();
    } catch (error) {
      refused = error;
    }
    assert(refused instanceof Refusal, `what should be told "${hint}" gave ${refused}`);
    assertStringIncludes(`${refused.hint}`, hint, refused.message);
    try {
      await right();
    } catch (error) {
      throw new Error(`"${hint}" was done, and is refused`, { cause: error });
    }
  }
}
