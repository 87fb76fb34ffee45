/**
 * Stand-in for `jsr:@std/cli`, for machines that cannot reach JSR: `parseArgs` only.
 *
 * @module
 */
export * from "./parse_args.ts";
