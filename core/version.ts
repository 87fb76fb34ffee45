/**
 * The version of this package, kept equal to the one in `deno.json` by a test.
 *
 * @module
 */

/** Version of armlab. */
export const VERSION = "0.1.0";
