/**
 * Mistakes in `fusion/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const attention = ["tests/fusion/attention_test.ts"];
const products = ["tests/fusion/products_test.ts"];
const dynamic = ["tests/fusion/dynmm_test.ts", "tests/fusion/attention_test.ts"];
const torch = ["tests/fusion/torch_test.ts", "tests/fusion/golden_test.ts"];
const linear = ["tests/fusion/fusion_test.ts", "tests/fusion/golden_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("fusion/lmf.ts", products, [
    ["tf.transpose(factor, [1, 0, 2])", "factor"],
    ["(all, factor) => tf.mul(all, factor)", "(all, factor) => tf.add(all, factor)"],
    ["tf.reshape(weights, [1, rank, 1])", "tf.reshape(weights, [1, rank, 1]).abs()"],
    ["withOne(at(pooled, modality))", "withOne(tf.relu(at(pooled, modality)))"],
  ]),
  ...mutantsOf("fusion/tfn.ts", products, [
    ["f.shape[1] <= projection", "f.shape[1] < projection"],
    ["tf.mul(tf.expandDims(all, 2), tf.expandDims(part, 1))", "tf.mul(tf.expandDims(all, 1), tf.expandDims(part, 2))"],
    ["const fused = tf.relu(", "const fused = tf.tanh("],
    ["entries > LARGEST", "entries > 2 * LARGEST * LARGEST"],
  ]),
  ...mutantsOf("fusion/multiplicative.ts", products, [
    [
      "tf.mul(tf.expandDims(first, 2), tf.expandDims(second, 1))",
      "tf.mul(tf.expandDims(first, 1), tf.expandDims(second, 2))",
    ],
    ["[bilinear(), ...lines]", "[bilinear(), lines[0], lines[0]]"],
    ["modalities.length !== 2", "modalities.length > 3"],
    ["bias: false, ", ""],
  ]),
  ...mutantsOf("fusion/shared.ts", products, [
    ["[tf.ones([f.shape[0], 1]) as tf.Tensor2D, f]", "[f, tf.ones([f.shape[0], 1]) as tf.Tensor2D]"],
    ["const kept = tf.mul(pooled, mask);", "const kept = pooled;"],
  ]),
  ...mutantsOf("fusion/shared.ts", attention, [
    ["keep === null ? part : tf.mul(part, at(keep, modality))", "keep === null ? part : part"],
    ["width % heads === 0", "width >= heads"],
    ["tf.maximum(tf.addN(Object.values(weighted)), 1e-12)", "tf.maximum(tf.addN(Object.values(weighted)), 2)"],
  ]),
  ...mutantsOf("fusion/shared.ts", torch, [
    ["whereKept(term, keep, modality)", "term"],
    ["weights[index]) : tf.mul(at(keep, modality), weights[index])", "1) : tf.mul(at(keep, modality), weights[index])"],
  ]),
  ...mutantsOf("fusion/tokens.ts", attention, [
    [
      "if (tokens !== undefined) return { tokens, present: tokenMask ?? null };",
      "if (tokens !== undefined) return { tokens, present: null };",
    ],
    ["stages?.[stages.length - 1] ?? pooled", "stages?.[0] ?? pooled"],
    ["present.shape[1] === size", "present.shape[1] !== size"],
    ["tf.concat([classToken, placed], 1)", "tf.concat([placed, classToken], 1)"],
    ["hidden: 4 * width", "hidden: 2 * width"],
    [
      "[{ size: 1, present: null }, { size: count, present }]",
      "[{ size: 1, present: null }, { size: count, present: null }]",
    ],
    [
      'read: (x) => layerNorm(group.in("norm"), tf.reshape(firstOf(x, 1), [batch, width])) as tf.Tensor2D',
      "read: (x) => tf.reshape(firstOf(x, 1), [batch, width])",
    ],
  ]),
  ...mutantsOf("fusion/tokens.ts", ["tests/fusion/encoder_layers_test.ts"], [
    ["layers.run(level, x, among, scope)", "layers.run(0, x, among, scope)"],
    ["layers.run(level, x, among, scope)", "layers.run(level, x, null, scope)"],
  ]),
  ...mutantsOf("fusion/transfusion.ts", attention, [
    [
      'tf.add(own.param("positions", [size, width], tokenInit), name)',
      'own.param("positions", [size, width], tokenInit)',
    ],
    ["kept === null ? present : tf.mul(present, kept) as tf.Tensor2D", "kept === null ? present : present"],
    ["level === depth - 1 ? { from: 0, size: 1 }", "level === depth - 1 ? { from: 1, size: 1 }"],
  ]),
  ...mutantsOf("fusion/cross_attention.ts", attention, [
    ["asked.filter((other) => other.modality !== modality)", "asked"],
    [
      "[{ size: 1, present: null }, ...others]",
      "[{ size: 1, present: null }, ...others.map((other) => ({ ...other, present: null }))]",
    ],
    ["level < depth", "level < 1"],
  ]),
  ...mutantsOf("fusion/mbt.ts", attention, [
    ["tf.maximum(count, 1)", "tf.maximum(count, 2)"],
    [
      "tf.mul(tf.addN(names.map((name) => tensors[name])), 1 / names.length)",
      "tf.addN(names.map((name) => tensors[name]))",
    ],
    ["own ? depth - fused : 0", "0"],
    ["fused > depth", "fused > depth + 1"],
  ]),
  ...mutantsOf("fusion/tokens.ts", attention, [
    ["other === own ? part : tf.zerosLike(part)", "part"],
    ["read({ [own]: at(features, own) }, null, scope)[own]", "read(features, null, scope)[own]"],
  ]),
  ...mutantsOf("fusion/pmf.ts", attention, [
    ["{ from: count + contexts, size: queries }", "{ from: count, size: queries }"],
    ['tf.relu(linear(pair.in("map1")', 'tf.tanh(linear(pair.in("map1")'],
    ["present: keep === null ? null : at(keep, u)", "present: keep === null ? null : at(keep, v)"],
    ["before[u], size, scope", "tokens[u], size, scope", "nothing assigns `tokens` before the layer's map is done"],
    ["names.filter((name) => name !== v)", "names.filter((name) => name > v)"],
    ["Math.max(Math.floor(size / 2), Math.floor(target / 2))", "size"],
  ]),
  ...mutantsOf("fusion/dynmm.ts", dynamic, [
    ["stopGradient(joined)", "joined"],
    ["width: m + 1, kernelInit: xavierNormal }), tau)", "width: m + 1, kernelInit: xavierNormal }), 1)"],
    ["tf.mul(tf.sub(1, able), ABSENT)", "tf.mul(able, ABSENT)"],
    ["able === null ? chosen : tf.mul(chosen, able)", "chosen"],
    ['gate === "hard-test" && scope.mode === "eval"', 'gate === "hard-test"'],
    ["tf.add(stopGradient(tf.sub(oneHotOfLargest(soft), soft)), soft)", "stopGradient(oneHotOfLargest(soft))"],
    ["[...modalities.map(() => 1 / m), 1]", "[...modalities.map(() => 1), 1]"],
    ["tf.greaterEqual(epoch, pretrain)", "tf.greater(epoch, pretrain)"],
    ["tf.add(tf.mul(mixing, expertWeight - 1), 1)", "expertWeight"],
    ["(all, column) => tf.mul(all, column)", "(all, column) => tf.maximum(all, column)"],
    ["(term, modality) => whereKept(term, keep, modality)", "(term) => term"],
    ["times(times(cost, lambda), mixing)", "times(cost, lambda)"],
  ]),
  ...mutantsOf("fusion/film.ts", torch, [
    ["modality !== aim", "modality === aim"],
    ["residualGamma ? 1 : 0", "1"],
    ["modalities[(index + 1) % modalities.length]", "modalities[index]"],
  ]),
  ...mutantsOf("fusion/gated.ts", torch, [
    ["gates.reduce((all, gate) => tf.mul(all, gate))", "total(gates)"],
    ["tf.mul(tf.expandDims(tf.sigmoid(first), 2)", "tf.mul(tf.expandDims(first, 2)"],
  ]),
  ...mutantsOf("fusion/centralnet.ts", torch, [
    ["1 / (modalities.length + 1)", "1 / modalities.length"],
    ["state !== null", "false"],
    ["keep === null ? mixed : tf.mul(mixed, at(keep, modality))", "mixed"],
    ["depth - tap", "0"],
  ]),
  ...mutantsOf("fusion/concat.ts", linear, [
    ["head(tf.add(at(z, modality), share) as tf.Tensor2D, scope, 1 / m)", "head(at(z, modality), scope, 1 / m)"],
    ["Math.sqrt(2 / (widths + output))", "Math.sqrt(2 / (shape[0] + output))"],
    ["share === 1 ? shift : tf.mul(shift, share)", "shift"],
  ]),
  ...mutantsOf("fusion/mmtm.ts", torch, [
    ["tf.sub(1, share)", "1"],
    ["Math.floor(2 * total / ratio)", "Math.floor(total / ratio)"],
    ["const joint = tf.relu(", "const joint = tf.tanh("],
  ]),
];

export default list;
