/**
 * What a contract is, and how a list of them is run.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import type { Engine } from "../core/program.ts";

/** A promise that a plugin does not keep. The message is a sentence about what was found. */
export class BrokenContract extends Error {
  override readonly name = "BrokenContract";
}

/** What contracts run on. */
export interface ContractTools {
  /** Where other parts come from. */
  readonly library: Library;
  /** Runs operation by operation, and is the reference. */
  readonly eager: Engine;
  /** Traces programs once. */
  readonly compiled: Engine;
}

/** What a contract found, if it is not broken. */
export interface Found {
  /** Why it does not apply. */
  readonly skipped?: string;
  /** What is worth saying though nothing is wrong. */
  readonly note?: string;
}

/** One promise of every plugin of a kind. */
export interface Contract<P> {
  /** The promise, as the end of "this fusion ...". */
  readonly claim: string;
  /** Whether it goes through other registered plugins, whose own contracts cover the same pairs. */
  readonly crossing?: boolean;
  /** @throws {BrokenContract} If the promise is not kept. Any other error breaks it too. */
  check(plugin: P, tools: ContractTools): Found | void | Promise<Found | void>;
}

/** The result of one contract for one plugin. */
export interface Verdict {
  readonly kind: string;
  readonly plugin: string;
  readonly claim: string;
  readonly status: "held" | "broken" | "skipped";
  /** What was found, why it was skipped, or a note; may be empty. */
  readonly detail: string;
}

/** Runs one contract. Never throws: an error is what was found. */
export async function judge<P extends { readonly kind: string; readonly name: string }>(
  contract: Contract<P>,
  plugin: P,
  tools: ContractTools,
): Promise<Verdict> {
  const about = { kind: plugin.kind, plugin: plugin.name, claim: contract.claim };
  try {
    const { skipped, note } = await contract.check(plugin, tools) ?? {};
    return skipped === undefined
      ? { ...about, status: "held", detail: note ?? "" }
      : { ...about, status: "skipped", detail: skipped };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // A defect of the plugin itself speaks for the place where it happened.
    const detail = error instanceof BrokenContract ? text : `it throws ${errorName(error)}: ${text}`;
    return { ...about, status: "broken", detail };
  }
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "a value that is no error";
}

/** Breaks the contract unless a condition holds. */
export function must(holds: boolean, found: string | (() => string)): asserts holds {
  if (!holds) throw new BrokenContract(typeof found === "string" ? found : found());
}

/**
 * Compares two arrays entry by entry.
 *
 * @param tolerance Absolute, or relative where the expected value is above 1.
 * @returns The first difference in words, or `null`.
 */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): string | null {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] === expected[i]) continue;
    const bound = tolerance * Math.max(1, Math.abs(expected[i]));
    if (Math.abs(actual[i] - expected[i]) <= bound) continue;
    const instead = Number.isNaN(expected[i]) ? "" : ` instead of ${expected[i]}`;
    return `${actual[i]}${instead} at position ${i}`;
  }
  return null;
}
