/**
 * Mistakes in `nn/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const layers = ["tests/nn/layers_test.ts"];
const scope = ["tests/nn/scope_test.ts"];
const optimizers = ["tests/nn/optimizers_test.ts"];
const torch = ["tests/nn/torch_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("nn/optimizers.ts", optimizers, [
    ["weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(param, weightDecay))", "gradient"],
    ['tf.add(tf.mul(slots["momentum"], momentum), direction)', 'tf.add(tf.mul(slots["momentum"], momentum), gradient)'],
    ["nesterov ? tf.add(direction, tf.mul(velocity, momentum)) : velocity", "velocity"],
    ['slots: momentum === 0 ? [] : ["momentum"],', 'slots: ["momentum"],'],
    ["tf.mul(param, tf.sub(1, tf.mul(learningRate, weightDecay)))", "tf.mul(param, tf.sub(1, weightDecay))"],
    ["const decayed = weightDecay === 0 ? param :", "const decayed = weightDecay !== 0 ? param :"],
    ["tf.mul(gradient, 1 - b1)", "tf.mul(gradient, 1 - b2)"],
    ["tf.mul(tf.square(gradient), 1 - b2)", "tf.mul(tf.square(gradient), 1 - b1)"],
    ["const [b1, b2] = betas;", "const [b1, b2] = [0.9, 0.999];"],
    ["betas = [0.9, 0.999], epsilon = 1e-8", "betas = [0.9, 0.99], epsilon = 1e-8"],
    ["const correction2 = tf.sqrt(rest(b2));", "const correction2 = rest(b2);"],
    ["tf.add(tf.div(tf.sqrt(v), correction2), epsilon)", "tf.div(tf.sqrt(tf.add(v, epsilon)), correction2)"],
    ["tf.div(learningRate, correction1)", "learningRate"],
    ['name === "sgd" ? sgd(options) : adamW(options)', 'name === "sgd" ? sgd(options) : adamW()'],
    ['name === "sgd" ? sgd(options) : adamW(options)', 'name === "sgd" ? sgd() : adamW(options)'],
    ["tf.minimum(tf.div(max, tf.add(norm, 1e-6)), 1)", "tf.div(max, tf.add(norm, 1e-6))"],
    ['tf.cast(tf.greater(norm, max), "float32")', 'tf.cast(tf.greater(norm, 1), "float32")'],
    ["tf.div(max, tf.add(norm, 1e-6))", "tf.div(max, norm)"],
  ]),
  ...mutantsOf("nn/schedules.ts", optimizers, [
    ["Math.PI * Math.min(1, Math.max(0, progress))", "Math.PI * progress"],
    ["stepAt = 0.7, warmup = 0", "stepAt = 0.5, warmup = 0"],
    ["progress < stepAt ? 1 : 0.1", "progress <= stepAt ? 1 : 0.1"],
    ["progress < warmup ? progress / warmup", "progress < warmup ? 1"],
    ["base((progress - warmup) / (1 - warmup))", "base(progress)"],
  ]),
  ...mutantsOf("nn/normalization.ts", layers, [
    [
      "const { momentum = 0.1, epsilon = 1e-5, scaleInit = ones } = options;",
      "const { momentum = 0.1, epsilon = 1e-5 } = options; const scaleInit = ones;",
    ],
    [
      "const { momentum = 0.1, epsilon = 1e-5, scaleInit = ones } = options;",
      "const { epsilon = 1e-5, scaleInit = ones } = options; const momentum = 0.1;",
    ],
    [
      "const { momentum = 0.1, epsilon = 1e-5, scaleInit = ones } = options;",
      "const { momentum = 0.1, scaleInit = ones } = options; const epsilon = 1e-5;",
    ],
    ['tf.cast(tf.greater(weights, 0), "float32")', "weights"],
    ["tf.div(count, tf.maximum(tf.sub(count, 1), 1))", "1"],
    [
      "tf.add(tf.mul(runningMean, 1 - momentum), tf.mul(mean, momentum))",
      "tf.add(tf.mul(runningMean, momentum), tf.mul(mean, 1 - momentum))",
    ],
    [
      'scope.update("variance", tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(unbiased, momentum)));',
      'scope.update("variance", tf.add(tf.mul(runningVariance, 1 - momentum), tf.mul(variance, momentum)));',
    ],
    ['if (scope.mode === "eval") {', 'if (scope.mode !== "eval") {'],
    ["tf.sub(shift, tf.mul(runningMean, factor))", "tf.sub(shift, runningMean)"],
    ["[byRow(tf.mul(present, level)), byRow(tf.mul(present, slope))]", "[level, slope]"],
    ["const share = tf.neg(tf.div(factor, count));", "const share = tf.div(factor, count);"],
    ["tf.mul(product, inverse), sum]", "product, sum]"],
    [
      "export function layerNorm(scope: Scope, x: tf.Tensor, { epsilon = 1e-5 }: { epsilon?: number } = {}): tf.Tensor {",
      "export function layerNorm(scope: Scope, x: tf.Tensor, _: { epsilon?: number } = {}): tf.Tensor { const epsilon = 1e-5;",
    ],
    ["tf.sub(tf.mul(tf.mul(dy, scale), inverse), through)", "tf.mul(tf.mul(dy, scale), inverse)"],
    ["tf.sum(rows(product), 0),", "tf.mean(rows(product), 0),"],
    ["rate >= 0 && rate < 1", "rate < 1"],
    ['scope.mode === "eval" || rate === 0', "rate === 0"],
    ['tf.greaterEqual(scope.random("uniform", x.shape), rate)', 'tf.less(scope.random("uniform", x.shape), rate)'],
    ["tf.mul(tf.mul(x, kept), 1 / (1 - rate))", "tf.mul(x, kept)"],
  ]),
  ...mutantsOf("nn/activations.ts", layers, [
    ["tf.mul(u, density)", "density"],
    ["tf.add(tf.mul(tf.erf(u), 0.5), 0.5)", "tf.sigmoid(tf.mul(x, 1.702))"],
    ["tf.mul(value, tf.sub(1, share))", "tf.mul(share, tf.sub(1, share))"],
    ["return tf.relu(x);", "return x;"],
    ["return tf.tanh(x);", "return tf.sigmoid(x);"],
    ["return gelu(x);", "return tf.relu(x);"],
  ]),
  ...mutantsOf("nn/scope.ts", scope, [
    ['if (this.mode === "train") this.#backing.update', "this.#backing.update"],
    ['return this.mode === "train" ? this.#backing.weights() : null;', "return this.#backing.weights();"],
    ["return mode === this.mode ? this : new NamedScope(this.#backing, this.path, mode);", "return this;"],
    [
      "return new NamedScope(this.#backing, name, this.mode);",
      "return new NamedScope(this.#backing, join(this.path, name), this.mode);",
    ],
    ["for (const full of [...entries.keys()].sort()) {", "for (const full of entries.keys()) {"],
    ["options.random.split(full)", 'options.random.split("start")'],
    ['checkAsked("buffer", full, present.shape, value.shape);', ""],
    ["drawn.set(path, count + 1);", ""],
    ["noise(bindings.key, streamOf(path, count), shape, kind)", "noise(bindings.key, count, shape, kind)"],
    ["const text = `${path}#${count}`;", "const text = path;"],
    [": scalars?.has(name)\n        ? tf.scalar(value[0])", ""],
    ["buffers: make(buffers) }", "buffers: make(new Map()) }"],
    ["updates: () => ({ ...updates })", "updates: () => ({})"],
    ["checkAsked(what, full, tensor.shape, shape);", ""],
    ["weights: () => bindings.weights ?? null,", "weights: () => null,"],
    ["common(b) - common(a)", "common(a) - common(b)"],
    ['mode = "train" } = options', 'mode = "eval" } = options'],
  ]),
  ...mutantsOf("nn/initializers.ts", scope, [
    ["fanOut: spatial * shape[shape.length - 1]", "fanOut: shape[shape.length - 1]"],
    ["while (Math.abs(value) > 2) value", "if (Math.abs(value) > 2) value"],
    ["bound * (2 * random.uniform() - 1)", "bound * random.uniform()"],
    ["Math.sqrt(6 / (fanIn + fanOut))", "Math.sqrt(6 / fanIn)"],
    ['mode: "fanIn" | "fanOut" = "fanOut"', 'mode: "fanIn" | "fanOut" = "fanIn"'],
    ['mode: "fanIn" | "fanOut" = "fanIn"', 'mode: "fanIn" | "fanOut" = "fanOut"'],
    ["uniform(Math.sqrt(6 / fans(shape)[mode]))", "uniform(Math.sqrt(3 / fans(shape)[mode]))"],
    ["export const ones: Initializer = constant(1);", "export const ones: Initializer = constant(0);"],
  ]),
  ...mutantsOf("nn/linear.ts", layers, [
    ["kernelInit === undefined ? fanInUniform(input) : zeros", "fanInUniform(input)"],
    ["options.biasInit ?? (", "("],
    ["kernelInit ?? fanInUniform(input)) as tf.Tensor2D", "fanInUniform(input)) as tf.Tensor2D"],
    ["if (bias) {", "{"],
    ['tf.notEqual(indices, tf.scalar(padding, "int32"))', 'tf.greater(indices, tf.scalar(padding, "int32"))'],
    ["[...x.shape.slice(0, -1), width]", "[x.shape[0], -1, width]"],
    ["const init: Initializer = options.init ?? (", "const init: Initializer = ("],
  ]),
  ...mutantsOf("nn/conv.ts", layers, [
    ['padding = "same", bias = true', 'padding = "valid", bias = true'],
    [
      'tf.conv2d(images, filter, stride, padding, "NHWC", [1, 1], "floor")',
      'tf.conv2d(images, filter, stride, padding, "NHWC", [1, 1], "ceil")',
    ],
    [": tf.conv2d(images, filter, stride, padding),", ": tf.conv2d(images, filter, 1, padding),"],
    ["kernelInit === undefined ? fanInUniform(fanIn) : zeros", "zeros"],
    ["if (!bias) return y;", ""],
    [
      "return perImage(x, (images) => tf.avgPool(images, window, stride, padding, rounding));",
      "return perImage(x, (images) => tf.maxPool(images, window, stride, padding, rounding));",
    ],
    ["tf.avgPool(images, window, stride, padding, rounding)", "tf.avgPool(images, window, window, padding, rounding)"],
    ["return tf.reshape(y, [...leading, ...y.shape.slice(1)]);", "return y;"],
    ["(_, axis) => axis + 1));", "(_, axis) => axis + 1).slice(0, 1));"],
  ]),
  ...mutantsOf("nn/attention.ts", ["tests/nn/attention_test.ts"], [
    ["tf.mul(q, 1 / Math.sqrt(size))", "q"],
    ["1 / Math.sqrt(size)", "1 / Math.sqrt(width)"],
    ["tf.sub(1, present)", "present"],
    ["const weights = dropout(scope, tf.softmax(scores), rate);", "const weights = tf.softmax(scores);"],
    ["[0, 2, 1, 3]);\n  return tf.reshape(joined", "[0, 1, 2, 3]);\n  return tf.reshape(joined"],
    ["if (width % heads !== 0) {", "if (width < heads) {"],
    [
      "const y = gelu(linear(inner, x, { width: hidden, kernelInit }));",
      "const y = linear(inner, x, { width: hidden, kernelInit });",
    ],
    [
      "return linear(outer, y, { width: x.shape[x.rank - 1], kernelInit });",
      "return linear(outer, y, { width: x.shape[x.rank - 1] });",
    ],
  ]),
  ...mutantsOf("nn/cost.ts", ["tests/nn/cost_test.ts"], [
    ["sizeOf(outputs[0]) * sizeOf(inputs.filter.slice(0, -1))", "sizeOf(outputs[0]) * sizeOf(inputs.filter)"],
    [
      "sizeOf(outputs[0]) * sizeOf(inputs.filter.slice(0, 2))",
      "sizeOf(outputs[0]) * sizeOf(inputs.filter.slice(0, 3))",
    ],
    ["sizeOf(inputs.dy) * sizeOf(inputs.filter.slice(0, -1))", "sizeOf(inputs.dy)"],
    ["rows === 0 ? 0 : ", ""],
    ["if (kernels.some(({ name }) => unknown.has(name))) return null;", ""],
  ]),
  ...mutantsOf("nn/torch.ts", torch, [
    ["axes.map((_, axis) => axes.indexOf(axis))", "axes"],
    ["if (found === undefined) {", "if (found === null) {"],
    ["expected.length !== found.shape.length || ", ""],
    ["axes === null ? { ...tensor, data: tensor.data.slice() }", "axes === null ? tensor"],
  ]),
];

export default list;
