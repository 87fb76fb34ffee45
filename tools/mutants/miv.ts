/**
 * Mistakes in `miv/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const valuate = ["tests/miv/valuate_test.ts"];
const inGraph = ["tests/miv/in_graph_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("miv/estimators/binned.ts", inGraph, [
    ['tf.cast(tf.less(low, high), "float32")', "tf.onesLike(low)"],
    ["[2 ** -7, 2 ** 47]", "[2 ** -7, 1]"],
    ["[2 ** -87, 2 ** 127]", "[2 ** -87, 2 ** 87]"],
    ["[2 ** 80, 2 ** -80]", "[2 ** 80, 1]"],
    ["save([value, tf.mul(factor, units)]);", "save([value, factor]);"],
    ["tf.sub(on(risen), on(left))", "on(risen)"],
    ["k === bins - 1 ? 1e30 : low + k + 1", "low + k + 1"],
    ["k === 0 ? -1e30 : low + k - 1)", "low + k - 1)"],
    ["const many = bins ** variables > few;", 'const many = binning === "hard" && bins ** variables > few;'],
  ]),
  ...mutantsOf("miv/valuation.ts", inGraph, [
    ["tf.where(tf.equal(differences, 0), first, tf.matMul(row, all))", "tf.matMul(row, all)"],
    [
      "tf.abs(tf.sub(all, first)) as tf.Tensor2D",
      "tf.sub(all, first) as tf.Tensor2D",
      "differences that cancel leave the first sample as the mean, too",
    ],
    ["tf.matMul(row, tf.abs(", "tf.matMul(tf.ones([1, all.shape[0]]), tf.abs("],
  ]),
  ...mutantsOf("miv/valuate.ts", valuate, [
    ['size === 1 ? { ...given, centring: "none" } : given', "given"],
    ["absent.length === 0 ? [] : [", "absent.length >= 0 ? [] : ["],
    ["(_, label) => !present.has(label)", "(_, label) => present.has(label)"],
  ]),
  ...mutantsOf("miv/saved.ts", valuate, [
    ["value - mean[group(k)]", "value"],
    ["largest === 0 ? 0 : LARGEST_EXPONENT - Math.floor(Math.log2(largest))", "0"],
    ["if (values.length !== size * columns) {", "if (values.length < size) {"],
    ["checkFinite(what, values);", ""],
    ["label < 0 || label >= classes", "label < 0"],
    ["if (ordered && members", "if (members"],
  ]),
  ...mutantsOf("miv/floor.ts", valuate, [["if (pairs.length === 0) return null;", ""]]),
  ...mutantsOf("miv/subset_values.ts", valuate, [
    ["Object.hasOwn(subsets, name)\n      ? subsets[name]\n      : subset === all", "subset === all"],
  ]),
  ...mutantsOf("miv/summaries.ts", valuate, [
    ["own.length === 0 ? null : meanOver(own, value)", "meanOver(own, value)"],
    ["extra.floor?.ncmi[u] ?? null", "extra.floor?.nmi[u] ?? null"],
    [
      "given.length === 0 ? 0 : meanOver(samples, sum) / given.length",
      "given.length === 0 ? 0 : meanOver(samples, sum)",
    ],
  ]),
  ...mutantsOf("miv/summaries.ts", ["tests/miv/valuate_test.ts"], [
    [
      "...modalities.flatMap((modality) => entry.solo[modality]),",
      "...modalities.flatMap((modality) => entry.nmi[modality]),",
    ],
    ["...row(s.phiMi, n),", "...row(s.phi, n),"],
    ["...row(s.fusionWeights, n),", "...row(s.solo, n),"],
    ["ncmi:${j}|${i}", "ncmi:${i}|${j}"],
    ["perSample.phi[n * m + u] < 0 ? 1 : 0", "perSample.phi[n * m + u] > 0 ? 1 : 0"],
    ["fusionWeight: mean(perSample.fusionWeights),", "fusionWeight: mean(perSample.phi),"],
    ["phiMi: mean(perSample.phiMi),", "phiMi: mean(perSample.phi),"],
  ]),
];

export default list;
