/**
 * Functions that nobody calls: a hook that is misspelt is silently none, and what it was to do is not done.
 *
 * @module
 */
import type { Fusion, Method } from "../core/kinds/mod.ts";
import { editDistance } from "../core/suggest.ts";
import { type Found, must } from "./contract.ts";

/** What the harness looks at in a method; the compiler holds it complete. */
const ofMethods: Readonly<Record<keyof Method, true>> = {
  name: true,
  declares: true,
  input: true,
  features: true,
  channelGates: true,
  gate: true,
  output: true,
  readout: true,
  loss: true,
  taskLoss: true,
  gradients: true,
  rates: true,
  emit: true,
  beforeEpoch: true,
  plan: true,
  afterEpoch: true,
  afterStep: true,
  report: true,
  save: true,
  load: true,
};

/** What it looks at in a fusion. */
const ofFusions: Readonly<Record<keyof Fusion, true>> = {
  needs: true,
  soloMode: true,
  late: true,
  gate: true,
  channelGates: true,
  bypass: true,
  forward: true,
  solo: true,
  kernels: true,
  align: true,
  loss: true,
};

/** Names of a value's functions, those of its class among them. */
function functionsOf(made: object): string[] {
  return Object.getOwnPropertyNames(made).filter((name) =>
    typeof (made as Record<string, unknown>)[name] === "function"
  );
}

function checkNames(made: object, known: Readonly<Record<string, true>>): string[] {
  const functions = functionsOf(made);
  for (const name of functions) {
    if (Object.hasOwn(known, name)) continue;
    const hook = Object.keys(known).find((own) =>
      editDistance(name.toLowerCase(), own.toLowerCase()) <= (own.length < 6 ? 1 : 2)
    );
    must(hook === undefined, `it has a function "${name}", which nobody calls; is "${hook}" meant?`);
  }
  return functions.filter((name) => Object.hasOwn(known, name));
}

/** @throws {BrokenContract} If a method has a function whose name is nearly that of a hook. */
export function methodHooks(made: Method): Found {
  return checkNames(made, ofMethods).length === 0 ? { note: "it has no hook, and changes nothing" } : {};
}

/** @throws {BrokenContract} If a fusion has a function whose name is nearly that of one that is called. */
export function fusionHooks(made: Fusion): Found {
  checkNames(made, ofFusions);
  return {};
}
