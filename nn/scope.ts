/**
 * The two scopes: one that finds parameters and makes their start values, one that reads traced state.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { noise } from "../tensor/noise.ts";
import { float32, type NamedHostTensors, type NamedTensors } from "../core/program.ts";
import type { Random } from "../core/random.ts";
import type { Initializer, Mode, NoiseKind, Scope } from "../core/scope.ts";
import { Refusal } from "../core/refusal.ts";

/** What a root scope does with full names. */
interface Backing {
  param(full: string, shape: readonly number[], init: Initializer): tf.Tensor;
  buffer(full: string, shape: readonly number[], init: Initializer): tf.Tensor;
  update(full: string, value: tf.Tensor): void;
  control(name: string): tf.Tensor;
  random(path: string, kind: NoiseKind, shape: readonly number[]): tf.Tensor;
  weights(): tf.Tensor1D | null;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

class NamedScope implements Scope {
  readonly mode: Mode;
  readonly path: string;
  readonly #backing: Backing;

  constructor(backing: Backing, path: string, mode: Mode) {
    this.#backing = backing;
    this.path = path;
    this.mode = mode;
  }
  in(name: string): Scope {
    return new NamedScope(this.#backing, join(this.path, name), this.mode);
  }
  group(name: string): Scope {
    return new NamedScope(this.#backing, name, this.mode);
  }
  as(mode: Mode): Scope {
    return mode === this.mode ? this : new NamedScope(this.#backing, this.path, mode);
  }
  param(name: string, shape: readonly number[], init: Initializer): tf.Tensor {
    return this.#backing.param(join(this.path, name), shape, init);
  }
  buffer(name: string, shape: readonly number[], init: Initializer): tf.Tensor {
    return this.#backing.buffer(join(this.path, name), shape, init);
  }
  update(name: string, value: tf.Tensor): void {
    if (this.mode === "train") this.#backing.update(join(this.path, name), value);
  }
  control(name: string): tf.Tensor {
    return this.#backing.control(name);
  }
  random(kind: NoiseKind, shape: readonly number[]): tf.Tensor {
    return this.#backing.random(this.path, kind, shape);
  }
  weights(): tf.Tensor1D | null {
    return this.mode === "train" ? this.#backing.weights() : null;
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

function checkAsked(what: string, full: string, found: readonly number[], asked: readonly number[]): void {
  if (!sameShape(found, asked)) {
    throw new Refusal({
      what: `use ${what} "${full}"`,
      must: "one name must keep one shape",
      found: `it is [${found.join(", ")}], asked for [${asked.join(", ")}]`,
    });
  }
}

/** What `discover` needs. */
export interface DiscoverOptions {
  /** Start values of controls; a number is a scalar, a list a vector. @default none */
  readonly controls?: Readonly<Record<string, number | readonly number[]>>;
  /** Names of controls given as lists that are scalars nevertheless. */
  readonly scalars?: ReadonlySet<string>;
  /** Runs a function for its shapes, as `Engine.abstract` does. */
  readonly abstract: (run: () => void) => void;
  /** @default {"train"} */
  readonly mode?: Mode;
}

/** What `initialise` needs. */
export interface InitialiseOptions extends DiscoverOptions {
  /** Start values are drawn from `random.split(<full name>)`. */
  readonly random: Random;
}

/** A parameter or buffer that a function asked for. */
export interface Asked {
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/** Parameters and buffers by full name, in the order in which they were asked for. */
export interface Discovered {
  readonly params: ReadonlyMap<string, Asked>;
  readonly buffers: ReadonlyMap<string, Asked>;
}

/** Start values by full name, sorted. */
export interface Initialised {
  readonly params: NamedHostTensors;
  readonly buffers: NamedHostTensors;
}

/**
 * Finds parameters and buffers by running a function once.
 *
 * In that run parameters and buffers are zeros of the right shape and noise is zero.
 */
export function discover(run: (scope: Scope) => void, options: DiscoverOptions): Discovered {
  const { controls = {}, scalars, abstract, mode = "train" } = options;
  const found = { param: new Map<string, Asked>(), buffer: new Map<string, Asked>() };
  const ask = (kind: "param" | "buffer") => (full: string, shape: readonly number[], init: Initializer): tf.Tensor => {
    const present = found[kind].get(full);
    if (present !== undefined) checkAsked(kind === "param" ? "parameter" : "buffer", full, present.shape, shape);
    else found[kind].set(full, { shape: [...shape], init });
    // A kernel that an engine may leave undone, where tf.zeros would hand it an array.
    return tf.fill([...shape], 0);
  };
  const backing: Backing = {
    param: ask("param"),
    buffer: ask("buffer"),
    update: () => {},
    control: (name) => {
      const value = controls[name];
      if (value === undefined) throw missing("control", name, Object.keys(controls));
      return typeof value === "number"
        ? tf.scalar(value)
        : scalars?.has(name)
        ? tf.scalar(value[0])
        : tf.tensor1d([...value]);
    },
    random: (_path, _kind, shape) => tf.zeros([...shape]),
    weights: () => null,
  };
  abstract(() => run(new NamedScope(backing, "", mode)));
  return { params: found.param, buffers: found.buffer };
}

/**
 * Finds parameters and buffers by running a function once, and makes their start values.
 *
 * Values are made outside of that run, each from a stream named by the parameter, so a start depends on the seed and the
 * name alone.
 */
export function initialise(run: (scope: Scope) => void, options: InitialiseOptions): Initialised {
  const { params, buffers } = discover(run, options);
  const make = (entries: ReadonlyMap<string, Asked>): NamedHostTensors => {
    const values: NamedHostTensors = {};
    for (const full of [...entries.keys()].sort()) {
      const { shape, init } = entries.get(full)!;
      values[full] = float32(init(shape, options.random.split(full)), shape);
    }
    return values;
  };
  return { params: make(params), buffers: make(buffers) };
}

/** What `bindScope` reads from. */
export interface Bindings {
  /** By full name. */
  readonly params: Readonly<NamedTensors>;
  readonly buffers: Readonly<NamedTensors>;
  readonly controls: Readonly<NamedTensors>;
  /** Two 32-bit words, int32 [2]; `null` where no noise may be drawn. */
  readonly key: tf.Tensor1D | null;
  readonly mode: Mode;
  /** Sample weights [B]; 0 marks padding. */
  readonly weights?: tf.Tensor1D | null;
}

/** A scope over traced tensors, and the buffer values that were set through it. */
export interface BoundScope {
  readonly scope: Scope;
  /** New buffer values by full name. */
  updates(): NamedTensors;
}

/** Makes the root scope over traced tensors. */
export function bindScope(bindings: Bindings): BoundScope {
  const updates: NamedTensors = {};
  const drawn = new Map<string, number>();
  const look = (what: string, tensors: Readonly<NamedTensors>) => (full: string, shape: readonly number[]) => {
    const tensor = tensors[full];
    if (tensor === undefined) throw missing(what, full, Object.keys(tensors));
    checkAsked(what, full, tensor.shape, shape);
    return tensor;
  };
  const buffer = look("buffer", bindings.buffers);
  const backing: Backing = {
    param: look("parameter", bindings.params),
    buffer,
    update(full, value) {
      const present = bindings.buffers[full];
      if (present === undefined) throw missing("buffer", full, Object.keys(bindings.buffers));
      checkAsked("buffer", full, present.shape, value.shape);
      updates[full] = value;
    },
    control(name) {
      const tensor = bindings.controls[name];
      if (tensor === undefined) throw missing("control", name, Object.keys(bindings.controls));
      return tensor;
    },
    random(path, kind, shape) {
      if (bindings.key === null) {
        throw new Refusal({
          what: `draw noise in scope "${path}"`,
          must: "noise needs a key",
          found: "evaluation has none",
        });
      }
      const count = drawn.get(path) ?? 0;
      drawn.set(path, count + 1);
      return noise(bindings.key, streamOf(path, count), shape, kind);
    },
    weights: () => bindings.weights ?? null,
  };
  return { scope: new NamedScope(backing, "", bindings.mode), updates: () => ({ ...updates }) };
}

/** A 31-bit stream number of a path and a count (FNV-1a). */
function streamOf(path: string, count: number): number {
  const text = `${path}#${count}`;
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h % 0x7ffffffe;
}

/** An error that lists the names nearest to the one asked for. */
function missing(what: string, name: string, known: readonly string[]): Refusal {
  const common = (other: string) => {
    let length = 0;
    while (length < Math.min(name.length, other.length) && name[length] === other[length]) length++;
    return length;
  };
  const near = [...known].sort((a, b) => common(b) - common(a) || (a < b ? -1 : 1)).slice(0, 8);
  return new Refusal({
    what: `find ${what} "${name}"`,
    found: `nearest of ${known.length} are ${near.join(", ") || "none"}`,
  });
}
