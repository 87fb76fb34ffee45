/**
 * Mistakes in `tensor/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const autodiff = ["tests/tensor/autodiff_test.ts"];
const second = ["tests/tensor/second_derivatives_test.ts"];
const gradients = ["tests/tensor/gradients_test.ts", "tests/tensor/autodiff_test.ts"];
const noise = ["tests/tensor/noise_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("tensor/autodiff.ts", autodiff, [
    ["tf.add(present, tf.onesLike(root))", "tf.onesLike(root)"],
    ["tf.add(present, gradient)", "gradient"],
    ["info.backend.incRef(tensor.dataId);", ""],
    ["engine.state.activeTape = null;", "", "the next tape is a new list; this one is held longer, that is all"],
    ["if (engine.state.gradientDepth !== 0) {", "if (engine.state.gradientDepth > 1) {"],
    ["for (const tensor of node.saved ?? []) tensor.dispose();", "void node.saved;"],
    ['if (output.dtype === "float32") reached.add(output.id);', "reached.add(output.id);"],
    ["return tf.reshape(tf.sum(gradient, repeated), input.shape);", "return tf.reshape(gradient, input.shape);"],
    ["(input.shape[axis - extra] === 1 && gradient.shape[axis] !== 1)", "false"],
    ["extra < 0 || kept.join() !== wanted.join()", "extra < 0"],
    [
      "node.outputs.length === 1 ? dys : dys.map(",
      "node.outputs.length === 1 ? dys : dys.filter((dy) => dy !== null).map(",
    ],
    [
      "return by.map((tensor) => gradients.get(tensor.id) ?? null);",
      "return by.map((tensor) => gradients.get(tensor.id) ?? tf.zerosLike(tensor));",
    ],
    ["outputs: outputs.map(({ shape }) => shape),", "outputs: outputs.map(({ shape }) => [...shape].reverse()),"],
    ["    engine.endTape();\n", ""],
    [
      "return { value, gradFunc: gradient };",
      "return { value, gradFunc: (dy, saved) => gradient(tf.neg(dy as tf.Tensor), saved) };",
    ],
  ]),
  ...mutantsOf("tensor/tape.ts", second, [
    ["tape.splice(place, 0, node);", "tape.push(node);"],
    ["engine.state.gradientDepth === 0", "engine.state.gradientDepth >= 0"],
    [
      "engine.state.gradientDepth === 0",
      "engine.state.gradientDepth < 0",
      "a gradient that nobody records is copied, that is all",
    ],
    [
      "const own = new Set([...from, ...outputs].map(({ id }) => id));",
      "const own = new Set(from.map(({ id }) => id));",
    ],
    [
      "const own = new Set([...from, ...outputs].map(({ id }) => id));",
      "const own = new Set(outputs.map(({ id }) => id));",
    ],
    ["gradient: () => dy,", "gradient: () => tf.zerosLike(dy),"],
    ["Math.min(saved.length, tape.length)", "Math.min(1, tape.length)"],
  ]),
  ...mutantsOf("tensor/tape.ts", gradients, [
    ["tensor !== undefined && tensor !== null", "true"],
    [
      "return present.length === entries.length ? inputs as Record<string, T> : Object.fromEntries(present);",
      "return inputs as Record<string, T>;",
    ],
  ]),
  ...mutantsOf("tensor/gradients.ts", gradients, [
    ['Max: extreme("reductionIndices")', 'Max: extreme("axis")'],
    ['Min: extreme("axis")', 'Min: extreme("reductionIndices")'],
    ['tf.cast(tf.greater(x, 0), "float32")) }),', 'tf.cast(tf.greaterEqual(x, 0), "float32")) }),'],
    ['tf.cast(tf.lessEqual(x, 6), "float32")', 'tf.cast(tf.less(x, 6), "float32")'],
    ["tf.sub(tf.sum(given), tf.sum(at))", "tf.sum(given)"],
    ["values.rank === 0 ? tf.sum(at)", "values.rank === 0 ? tf.mean(at)"],
    [
      "tf.reshape(tf.div(dy as tf.Tensor, count), keptShape(x, axes))",
      "tf.reshape(dy as tf.Tensor, keptShape(x, axes))",
    ],
    [
      "x: () => tf.cumsum(dy as tf.Tensor, axis as number, exclusive as boolean, !reverse),",
      "x: () => tf.cumsum(dy as tf.Tensor, axis as number, exclusive as boolean, reverse as boolean),",
    ],
    [
      "gradient: (dy, _, { axis }) => ({ x: () => tf.concat([dy].flat(), axis as number) }),",
      "gradient: (dy) => ({ x: () => tf.concat([dy].flat(), 0) }),",
    ],
    [
      "return tf.sum(tf.mul(places, tf.expandDims((dy as tf.Tensor[])[0], -1)), -2);",
      "return tf.sum(tf.mul(places, tf.expandDims((dy as tf.Tensor[])[0], -1)), -1);",
    ],
  ]),
  ...mutantsOf("tensor/gradient_parts.ts", gradients, [
    ["tf.div(tf.reshape(dy as tf.Tensor, kept), tf.sum(marks, axes, true))", "tf.reshape(dy as tf.Tensor, kept)"],
    ["const known = wanted.filter((letter) =>", "const known = wanted.filter((letter, place) => place > 0 ||"],
    ["turned.length === 0 ? sparse : tf.reverse(sparse, turned)", "sparse"],
  ]),
  ...mutantsOf("tensor/square_scale.ts", ["tests/tensor/square_scale_test.ts"], [
    ["tf.greater(largest, LARGE)", "tf.greaterEqual(largest, LARGE)"],
    ["tf.max(tf.abs(stopGradient(numbers))", "tf.max(stopGradient(numbers)"],
    ["const SMALLER = 2 ** -100;", "const SMALLER = 2 ** -10;"],
  ]),
  ...mutantsOf("tensor/noise.ts", noise, [
    ["[0x7feb352d, 0x846ca68b]", "[0x7feb352f, 0x846ca68b]"],
    ["x = Math.imul(x ^ (x >>> 15), mixMultipliers[1]);", "x = Math.imul(x ^ (x >>> 16), mixMultipliers[1]);"],
    ["return [mix(2 * stream + 1), mix(2 * stream + 2)];", "return [mix(2 * stream + 1), mix(2 * stream + 1)];"],
    ["const second = t ^ key[1];", "const second = t ^ key[0];"],
    [">>> 9) + 0.5) / 0x800000;", ">>> 9) + 0) / 0x800000;"],
    ["const half = Math.ceil(count / 2);", "const half = Math.floor(count / 2);"],
    ["const angle = 2 * Math.PI * uniform(half + j);", "const angle = Math.PI * uniform(half + j);"],
    ["const angle = 2 * Math.PI * uniform(half + j);", "const angle = 2 * Math.PI * uniform(j);"],
    ["values[half + j] = radius * Math.sin(angle);", "values[half + j] = radius * Math.cos(angle);"],
    ["stream > 0x7ffffffe", "stream > 0x7fffffff"],
    ["!Number.isInteger(stream) || ", ""],
    ['key.dtype !== "int32" || ', ""],
    [
      "tf.slice(tf.cumsum(tf.softmax(logits), 1), [0, 0], [batch, classes - 1])",
      "tf.slice(tf.cumsum(tf.softmax(logits), 1), [0, 1], [batch, classes - 1])",
    ],
    ["tf.greaterEqual(uniform,", "tf.less(uniform,"],
    ["logits.rank !== 2 || classes === 0", "logits.rank !== 2"],
  ]),
];

export default list;
