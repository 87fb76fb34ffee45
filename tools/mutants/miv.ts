/**
 * Mistakes in `miv/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const valuate = ["tests/miv/valuate_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("miv/valuate.ts", valuate, [
    ['size === 1 ? { ...given, centring: "none" } : given', "given"],
    ["value - mean[group(k)]", "value"],
    ["largest === 0 ? 0 : LARGEST_EXPONENT - Math.floor(Math.log2(largest))", "0"],
    ["if (pairs.length === 0) return null;", ""],
    ["if (values.length !== size * columns) {", "if (values.length < size) {"],
    ["checkFinite(what, values);", ""],
    ["label < 0 || label >= classes", "label < 0"],
    ["if (ordered && members", "if (members"],
    ["Object.hasOwn(subsets, name)\n      ? subsets[name]\n      : subset === all", "subset === all"],
    ["absent.length === 0 ? [] : [", "absent.length >= 0 ? [] : ["],
    ["(_, label) => !present.has(label)", "(_, label) => present.has(label)"],
  ]),
  ...mutantsOf("miv/summaries.ts", valuate, [
    ["own.length === 0 ? null : meanOver(own, value)", "meanOver(own, value)"],
    ["extra.floor?.ncmi[u] ?? null", "extra.floor?.nmi[u] ?? null"],
    [
      "given.length === 0 ? 0 : meanOver(samples, sum) / given.length",
      "given.length === 0 ? 0 : meanOver(samples, sum)",
    ],
  ]),
];

export default list;
