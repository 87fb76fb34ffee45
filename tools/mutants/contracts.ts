/**
 * Contracts that a plugin could break unseen: each is weakened, and the plugins that break them must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const broken = ["tests/contracts/broken_test.ts"];
const parts = ["tests/contracts/broken_parts_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("contracts/contract.ts", broken, [
    ["if (actual[i] === expected[i]) continue;", "if (actual[i] !== expected[i]) continue;"],
    ["if (!holds) throw new BrokenContract(", "if (holds === null) throw new BrokenContract("],
    ['status: "held", detail: note ?? ""', 'status: "skipped", detail: note ?? ""'],
    ['return { ...about, status: "broken", detail };', 'return { ...about, status: "held", detail };'],
    ["error instanceof BrokenContract ? text : `it throws ${errorName(error)}: ${text}`", "text"],
  ]),
  ...mutantsOf("contracts/checks.ts", parts, [
    ["weights.fill(0, steps.batch - 2);", ""],
    ['mustAgree(plain, other, "depends on padded rows (weight 0)", true);', ""],
    ["must(left === 0,", "must(left < 1e9,"],
    ["must(values.every(Number.isFinite), `with one", "must(values.length > 0, `with one"],
    ["i % m === Math.floor(i / m) % m ? 1 : 0", "1"],
  ]),
  ...mutantsOf("contracts/checks.ts", broken, [
    ["must(found === null, () => `the gradient of", "must(true, () => `the gradient of"],
    [
      "const [plain, other] = [await steps.predict(feeds), await steps.predict(others)];",
      "const [plain, other] = [await steps.predict(feeds), await steps.predict(feeds)];",
    ],
    ["must(one === two,", "must(one !== null,"],
    ["must(value > 1e-9,", "must(value >= 0,"],
    ["if (shown(stats)) return;", "return;"],
    ["(label + 1) % 3 : label", "label : label"],
  ]),
  ...mutantsOf("contracts/samplers.ts", parts, [
    ["must(plan.some(({ items }) => items.length > 0),", "must(plan.length > 0,"],
    ["item < 0 || item >= size", "item < 0"],
    ["must(plugin.keep === true,", "must(true,"],
    ["keep.length === items.length * m,", "keep.length > 0,"],
    [".includes(1), `sample", ".length > 0, `sample"],
    ["must(written(planOf(plugin, m)) === first,", "must(first.length > 0,"],
    ["written(sampler.plan(base, inputs)) === first,", "first.length > 0,"],
    ["must(written(base) === written(copy.base),", "must(base.length > 0,"],
    ["must(told === JSON.stringify([copy.labels, copy.joint, copy.valued]),", "must(told.length > 0,"],
    ['name === "third" && epochs === 2', 'name === "third"'],
    ["if (plugin.idle === true) must(", "if (plugin.idle === null) must("],
    ["must(samplesDrawn === 2 * size,", "must(samplesDrawn <= 2 * size,"],
  ]),
  ...mutantsOf("contracts/losses.ts", parts, [
    ["for (const right of [true, false]) {", "for (const right of [true]) {"],
    ["must(less < more,", "must(less !== more,"],
    ["must(plugin.task !== true || ofLogits !== undefined,", "must(plugin !== null,"],
    ["must(text === null, () => `its gradient is not that of finite differences: ${text}`);", ""],
    ["mustBeFinite(`at logits of ±${size}, all wrong`, wrong);", ""],
  ]),
  ...mutantsOf("contracts/estimators.ts", parts, [
    ["value < -ROUNDING || value > 1 + ROUNDING", "value < -ROUNDING"],
    ["must(!onDiagonal || ncmi[i] === 0,", "must(true,"],
    ["dependent > independent,", "dependent !== independent,"],
    ['mustEqual(`with vectors times ${factors.join(", ")} (else promise scaleFree: false)`, found, plain);', ""],
    ['mustEqual("with the two vectors exchanged (else promise symmetric: false)", two, one);', ""],
  ]),
  ...mutantsOf("contracts/datasets.ts", broken, [
    ["checkDataset(dataset);", ""],
    ["must(missing.length === 0 || excused,", "must(true,"],
    ["must(again === fingerprint,", "must(again !== null,"],
    ["must(own.includes(fingerprint),", "must(own.length > 0,"],
    ['preview.kind === "sound" && !values.every', 'preview.kind === "text" && !values.every'],
    ["owner.set(hash, `${name} ${sample}`);", ""],
    ['const fits = dtype === "int32" ? Int32Array : Float32Array;', "const fits = Object;"],
    ["must(fits.length > 0, `no registered encoder", "must(true, `no registered encoder"],
  ]),
  ...mutantsOf("contracts/fusions.ts", broken, [
    ["(await steps.predict(other, kept))", "(await steps.predict(steps.feeds(), kept))"],
    ["must(!none,", "must(true,"],
    ['must(dtype === "float32", `${name} ${where}', 'must(dtype !== "bool", `${name} ${where}'],
  ]),
  ...mutantsOf("core/kinds/fusion.ts", ["tests/contracts/mistakes_test.ts"], [
    ['(width === "d" || shape[1] === width)', "(width !== null)"],
    ["shape[0] === batch &&", ""],
    ["shape.length === 2 &&", ""],
  ]),
  ...mutantsOf("contracts/methods.ts", broken, [
    ["(label + shift) % dataset.classes.length", "label"],
    ['`it refuses fusion "${name}" without a reason`', '""'],
  ]),
  ...mutantsOf("contracts/encoders.ts", broken, [
    ["must(width === -1 || shape[1] === width,", "must(width !== 0,"],
    ["paddingHasNoInfluence(firstRig(plugin), tools)", "firstRig(plugin)"],
  ]),
];

export default list;
