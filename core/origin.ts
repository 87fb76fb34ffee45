/**
 * Where parts came from: which module registered which, so that a run is held to the code of what it uses and of nothing
 * else.
 *
 * @module
 */

/** Specifiers of the modules that parts were imported from. */
const origins: WeakMap<object, string> = new WeakMap();

/** Says that a module registered a part. The last module that is said counts: names are unique within a library. */
export function setOrigin(part: object, specifier: string): void {
  origins.set(part, specifier);
}

/** Specifier of the module that registered a part, or `null`: the part is built in, or was registered by a program. */
export function originOf(part: object): string | null {
  return origins.get(part) ?? null;
}
