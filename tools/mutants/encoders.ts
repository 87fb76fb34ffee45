/**
 * Mistakes in `encoders/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const features = ["tests/encoders/features_test.ts"];
const families = ["tests/encoders/families_test.ts"];
const transformers = ["tests/encoders/transformers_test.ts"];
const films = ["tests/encoders/films_test.ts"];
const recurrent = ["tests/encoders/recurrent_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("encoders/identity.ts", features, [
    ["tf.mean(map, 1)", "tf.sum(map, 1)"],
    ["shape.length === 1 || shape.length === 2", "shape.length > 0"],
    ["tokens: shape.length === 2", "tokens: false"],
    ['dtype === "float32" && (', "(true) && ("],
  ]),
  ...mutantsOf("encoders/linear.ts", features, [
    ["tf.mean(map, 1)", "tf.max(map, 1)"],
    ["steps ? x : tf.reshape(x, [-1, sizeOf(shape)])", "tf.reshape(x, [x.shape[0], -1])"],
    ['dtype === "float32" ? null', "dtype !== undefined ? null"],
    ["const steps = shape.length === 2;", "const steps = shape.length === 1;"],
  ]),
  ...mutantsOf("nn/transformer.ts", features, [
    ["tf.concat([cls, tokens], 1)", "tf.concat([tokens, cls], 1)"],
    ["tf.add(tokens, positions)", "tokens"],
    ["Math.round(mlpRatio * width)", "4 * width"],
    ['layerNorm(scope.in("norm"), map, { epsilon }) as tf.Tensor3D', "map"],
    ["tf.mean(tokens, 1)", "tf.max(tokens, 1)"],
    ["tf.slice(tokens, [0, 0, 0]", "tf.slice(tokens, [0, 1, 0]"],
  ]),
  ...mutantsOf("encoders/transformer.ts", features, [
    ["width % heads !== 0", "width < heads"],
    ["shape.length !== 2", "shape.length < 1"],
  ]),
  ...mutantsOf("encoders/resnet.ts", families, [
    ["const EXPANSION = 4;", "const EXPANSION = 2;"],
    ["stride === 1 && x.shape[x.rank - 1] === channels", "stride === 1"],
    ["level > 0 && index === 0 ? 2 : 1", "index === 0 ? 2 : 1"],
    ["width * 2 ** level", "width * (level + 1)"],
    [
      'y = convolution(scope.in("conv2"), y, channels, 3, stride);',
      'y = convolution(scope.in("conv2"), y, channels, 3, 1);',
    ],
    ["resnet(34, basic, [3, 4, 6, 3])", "resnet(34, basic, [3, 4, 3, 6])"],
    ["resnet(50, bottleneck, [3, 4, 6, 3])", "resnet(50, basic, [3, 4, 6, 3])"],
    ["maxPool(z, { window: 3, stride: 2, padding: 1 })", "z"],
  ]),
  ...mutantsOf("encoders/cnn.ts", films, [
    ["films ? tf.mean(", "films ? tf.max("],
    ["map.shape.slice(-3)", "map.shape.slice(1)"],
  ]),
  ...mutantsOf("encoders/vit.ts", films, [
    ['frames: frames === "each" && shape.length === 4', "frames: false"],
  ]),
  ...mutantsOf("nn/transformer.ts", films, [
    [
      "tf.mean(tf.reshape(own.pooled, [batch, frames, width]), 1)",
      "tf.max(tf.reshape(own.pooled, [batch, frames, width]), 1)",
    ],
    ["tf.reshape(own.tokens, [batch, frames * size, width])", "tf.reshape(own.tokens, [batch, size, width * frames])"],
  ]),
  ...mutantsOf("encoders/vit.ts", families, [
    ['published("tiny", 192, 3,', 'published("tiny", 256, 4,'],
    ['published("small", 384, 6,', 'published("small", 512, 8,'],
    ["{ patch: 16, width, depth: 12, heads }", "{ patch: 16, width, depth: 6, heads }"],
  ]),
  ...mutantsOf("nn/transformer.ts", transformers, [
    ["tf.add(tokens, positions)", "tokens"],
    ["Math.round(mlpRatio * width)", "3 * width"],
    ["tf.concat([cls, tokens], 1)", "tf.concat([tokens, cls], 1)"],
  ]),
  ...mutantsOf("encoders/bert.ts", families, [
    ['query: "attention/q_lin"', 'query: "attention/v_lin_"'],
    [
      "const base: Sizes = { width: 768, depth: 12, heads: 12, hidden: 3072 };",
      "const base: Sizes = { width: 768, depth: 12, heads: 12, hidden: 1536 };",
    ],
    ["{ ...base, depth: 6 }", "base"],
    ['attended: "attention/out_lin"', 'attended: "attention/out"'],
  ]),
  ...mutantsOf("encoders/bert.ts", transformers, [
    ["return tf.mul(z, tf.expandDims(present, 2));", "return z;"],
    ["const EPSILON = 1e-12;", "const EPSILON = 1e-1;"],
    ['tf.notEqual(ids, tf.scalar(padding, "int32"))', 'tf.notEqual(ids, tf.scalar(padding + 1, "int32"))'],
    ["return tf.div(tf.sum(tokens, 1), count);", "return tf.mean(tokens, 1);"],
    ["return tf.tanh(linear(", "return tf.relu(linear("],
  ]),
  ...mutantsOf("encoders/recurrent.ts", recurrent, [
    ["tf.tanh(tf.add(inn, tf.mul(r, hn)))", "tf.tanh(tf.add(inn, hn))"],
    ["tf.mul(z, tf.sub(h, n))", "tf.mul(z, h)"],
    ["tf.mul(tf.sigmoid(f), c)", "c"],
    ["tf.mul(tf.sigmoid(o), tf.tanh(next))", "tf.mul(tf.sigmoid(o), next)"],
  ]),
];

export default list;
