/**
 * The MLP and av-digits' step of `steps.ts` in jax-js, driven by lines on standard input; `engine_bench.ts --jax-js`
 * starts it.
 *
 * Arguments: step, threads, clock (`wall`, or `cpu` for the process's processor time). Lines: `run N`, `end`. A step is
 * one jitted function of jax-js's WebAssembly backend, its only compiled one that needs no graphics card, and its numbers
 * are read after every step. What a function of jax-js is given is gone afterwards; `.ref` keeps it.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import { answerTurns, clockOf, say } from "./turns.ts";

/** Imported by this name at run time only, so that nothing but this benchmark ever downloads it. */
const JAX_JS = "npm:@jax-js/jax@0.1.25";
const [RATE, MOMENTUM, DECAY] = [0.01, 0.9, 5e-4];

/** What is used of an array. */
interface Values {
  readonly shape: readonly number[];
  readonly size: number;
  readonly ref: Values;
  add(other: Values | number): Values;
  mul(other: Values | number): Values;
  div(other: Values | number): Values;
  reshape(shape: readonly number[]): Values;
  sum(axis?: number): Values;
  mean(): Values;
  data(): Promise<Float32Array>;
}
type Params = readonly Values[];
/** Loss of parameters and a batch, with the numbers that are read. */
type Loss = (params: Params, ...batch: Values[]) => readonly [Values, Values];

/** What is used of the package. */
interface JaxJs {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
  jit<F>(f: F): F;
  grad(f: Loss, options: { readonly hasAux: true }): (params: Params, ...batch: Values[]) => readonly [Params, Values];
  readonly numpy: {
    array(data: Float32Array | Int32Array): Values;
    matmul(a: Values, b: Values): Values;
    sqrt(a: Values): Values;
    minimum(a: Values | number, b: Values | number): Values;
    stack(values: readonly Values[]): Values;
    append(a: Values, b: Values): Values;
    reciprocal(a: Values): Values;
    argmax(a: Values, axis: number): Values;
    equal(a: Values, b: Values): Values;
    where(a: Values, b: number, c: number): Values;
  };
  readonly nn: {
    relu(a: Values): Values;
    logSoftmax(a: Values, axis: number): Values;
    oneHot(a: Values, classes: number): Values;
  };
  readonly lax: {
    convGeneralDilated(
      x: Values,
      w: Values,
      strides: readonly number[],
      padding: readonly (readonly number[])[],
    ): Values;
  };
}

const [name, threads, clock] = Deno.args;
const now = clockOf(clock);

// The package takes as many workers as there are processors for it, and has no option.
Object.defineProperty(navigator, "hardwareConcurrency", { value: Number(threads) });
const { init, defaultDevice, jit, grad, numpy: np, nn, lax }: JaxJs = await import(JAX_JS);
await init("wasm");
defaultDevice("wasm");

const random = new Random(0);
const normal = (shape: readonly number[], scale = 0.05): Values => {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return np.array(Float32Array.from({ length: count }, () => scale * random.normal())).reshape(shape);
};
const zeros = (shape: readonly number[]): Values => normal(shape, 0);
const linear = (ins: number, outs: number): Values[] => [normal([ins, outs]), zeros([outs])];
const labelsOf = (batch: number) => np.array(Int32Array.from({ length: batch }, (_, i) => i % 10));

/** Of each sample. */
const crossEntropy = (logits: Values, labels: Values): Values =>
  nn.logSoftmax(logits, -1).mul(nn.oneHot(labels, 10)).sum(1).mul(-1);

interface JaxStep {
  readonly params: Params;
  readonly batch: readonly Values[];
  readonly loss: Loss;
  /** Largest norm of the gradients, or none. */
  readonly bound: number | null;
}

function mlp(): JaxStep {
  return {
    params: [...linear(512, 512), ...linear(512, 512), ...linear(512, 10)],
    batch: [normal([64, 512], 1), labelsOf(64)],
    loss: ([w1, b1, w2, b2, w3, b3], x, labels) => {
      const first = nn.relu(np.matmul(x, w1).add(b1));
      const second = nn.relu(np.matmul(first, w2).add(b2));
      const value = crossEntropy(np.matmul(second, w3).add(b3), labels).mean();
      return [value.ref, value];
    },
    bound: null,
  };
}

const SIDES = [32, 28];
const CHANNELS = [1, 8, 16, 32];
/** Arrays of one encoder: three convolutions and a layer, each with its bias. */
const ENCODER = 8;

function cnn(side: number, width: number): Values[] {
  const convs = CHANNELS.slice(1).flatMap((outs, level) => [normal([outs, CHANNELS[level], 3, 3]), zeros([outs])]);
  const last = Math.ceil(side / 8);
  return [...convs, ...linear(last * last * CHANNELS[3], width)];
}

function encode(params: Params, x: Values): Values {
  let map = x;
  for (let at = 0; at < ENCODER - 2; at += 2) {
    const y = lax.convGeneralDilated(map, params[at], [2, 2], [[1, 1], [1, 1]]);
    map = nn.relu(y.add(params[at + 1].reshape([CHANNELS[at / 2 + 1], 1, 1])));
  }
  const flat = map.reshape([map.shape[0], -1]);
  return nn.relu(np.matmul(flat, params[ENCODER - 2]).add(params[ENCODER - 1]));
}

function digitsConcat(): JaxStep {
  const [batch, width] = [64, 128];
  return {
    params: [
      ...SIDES.flatMap((side) => cnn(side, width)),
      normal([width, width]),
      normal([width, width]),
      zeros([width]),
      ...linear(width, 10),
    ],
    batch: [...SIDES.map((side) => normal([batch, 1, side, side], 1)), labelsOf(batch), normal([batch], 0).add(1)],
    loss: (params, first, second, labels, weights) => {
      const [part1, part2, bias, w, b] = params.slice(2 * ENCODER);
      const z1 = np.matmul(encode(params.slice(0, ENCODER), first), part1);
      const z2 = np.matmul(encode(params.slice(ENCODER, 2 * ENCODER), second), part2);
      const logits = np.matmul(z1.add(z2).add(bias), w).add(b);
      const right = np.where(np.equal(np.argmax(logits.ref, 1), labels.ref), 1, 0).mul(weights.ref).sum();
      const value = crossEntropy(logits, labels).mul(weights.ref).sum().div(weights.sum());
      return [value.ref, np.stack([value, right])];
    },
    bound: 10,
  };
}

const steps: Readonly<Record<string, () => JaxStep>> = { mlp, "digits-concat": digitsConcat };
const { params: start, batch, loss, bound } = steps[name]();

/** Gradients cut to the norm `bound` in common, and what is read with that norm. */
function clipped(gradients: Params, stats: Values, bound: number): readonly [Params, Values] {
  const squares = gradients.map((g) => g.ref.mul(g.ref).reshape([-1]).sum());
  const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
  const factor = np.minimum(1, np.reciprocal(norm.ref.add(1e-6)).mul(bound));
  const cut = gradients.map((g) => g.mul(factor.ref));
  return [cut, np.append(stats, norm)];
}

/** Momentum SGD: new parameters, new momentum, what is read. */
const update = jit((params: Params, slots: Params, ...fed: Values[]): readonly [Params, Params, Values] => {
  const found = grad(loss, { hasAux: true })(params.map((value) => value.ref), ...fed);
  const [gradients, stats] = bound === null ? found : clipped(...found, bound);
  const moved = slots.map((v, i) => v.mul(MOMENTUM).add(gradients[i]).add(params[i].ref.mul(DECAY)));
  return [params.map((p, i) => p.add(moved[i].ref.mul(-RATE))), moved, stats];
});

const counted = start.reduce((sum, { size }) => sum + size, 0);
let parameters = start;
let momentum: Params = start.map(({ shape }) => zeros(shape));
async function step(): Promise<Float32Array> {
  const [next, moved, stats] = update(parameters, momentum, ...batch.map((value) => value.ref));
  [parameters, momentum] = [next, moved];
  return await stats.data();
}

const [first] = await step();
say({ parameters: counted, loss: first });
let last = first;
await answerTurns(async () => {
  [last] = await step();
}, now);
say({ loss: last, peakMiB: Deno.memoryUsage().rss / 2 ** 20 });
Deno.exit(0);
