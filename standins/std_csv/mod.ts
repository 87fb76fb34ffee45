/**
 * Stand-in for `jsr:@std/csv` over `csv-parse` and `csv-stringify`, for machines that cannot reach JSR.
 *
 * @module
 */
export * from "./parse.ts";
export * from "./stringify.ts";
