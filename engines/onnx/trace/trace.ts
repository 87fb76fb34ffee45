/**
 * Tracing: a tfjs backend that records kernels instead of running them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { noiseKernel } from "../../../tensor/noise.ts";
import type { NamedSpecs, NamedTensors } from "../../../core/program.ts";
import { normaliseAttributes, type RawAttributes } from "./attributes.ts";
import { checkInputs, checkOutputs } from "./shapes.ts";
import { Refusal } from "../../../core/refusal.ts";
import { TraceBreakError, UnsupportedKernelError } from "../errors.ts";
import {
  type Attributes,
  type ConstantData,
  constantValue,
  type Graph,
  inputValue,
  liveNodes,
  makeNode,
  type Port,
  type Value,
  type ValueSpec,
} from "../graph/ir.ts";
import { isTfType, type KernelName, type TfType } from "./kernels.ts";
import { registerComposed } from "../../composed_kernels.ts";
import { logSumExpKernels } from "../../log_sum_exp_kernel.ts";
import { kernelRules } from "../lower/mod.ts";
import { unsupportedKernels } from "./unsupported.ts";

const BACKEND = "armlab-trace";

interface Entry {
  readonly value: Value;
  references: number;
}

/** A kernel's row without its types: the trace meets kernels by name only. */
interface AnyRule {
  readonly inputs: readonly string[] | "variadic";
  infer(inputs: readonly (ValueSpec | null)[], attributes: unknown): ValueSpec | readonly ValueSpec[];
}

function constantData(values: unknown, dtype: string): ConstantData {
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array) {
    return values.slice();
  }
  const list = values as ArrayLike<number>;
  return dtype === "float32"
    ? Float32Array.from(list)
    : dtype === "int32"
    ? Int32Array.from(list)
    : Uint8Array.from(list);
}

/** The number that all values are, if they are alike; by a plain loop, as it may go over millions. */
function filling(values: ArrayLike<number>): number | null {
  const first = values[0];
  // Zeros have a sign, and NaN equals nothing: only for those is the slower test needed.
  const plain = first === first && first !== 0;
  for (let i = 1; i < values.length; i++) {
    if (plain ? values[i] !== first : !Object.is(values[i], first)) return null;
  }
  return values.length > 1 ? first : null;
}

/** Equal values are a filling that the graph computes: tfjs writes `ones` of any size element by element. */
function known(shape: readonly number[], dtype: TfType, values: unknown): Value {
  const value = filling(values as ArrayLike<number>);
  if (value === null) return constantValue(shape, dtype, constantData(values, dtype));
  const stored = Number(constantData([value], dtype)[0]);
  return makeNode("Fill", [], { shape, value: stored, dtype }, [{ shape, dtype }]).outputs[0];
}

/** The recording backend. It holds graph values where others hold memory. */
class TraceBackend extends tf.KernelBackend {
  readonly #entries: Map<object, Entry> = new Map();
  #tracing = false;
  #broken: TraceBreakError | null = null;

  /**
   * Runs a function as one trace. The first break is its error, also where the function caught it, or where it happened in
   * a promise that nobody waits for.
   */
  during<T>(run: () => T): T {
    const [tracing, broken] = [this.#tracing, this.#broken];
    this.#tracing = true;
    this.#broken = null;
    try {
      const result = run();
      if (this.#broken !== null) throw this.#broken;
      return result;
    } catch (error) {
      throw this.#broken ?? error;
    } finally {
      this.#tracing = tracing;
      this.#broken = broken;
    }
  }

  /** Ends the trace with an error. */
  break(error: TraceBreakError): never {
    this.#broken ??= error;
    throw error;
  }

  hold(value: Value): tf.TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { value, references: 1 });
    return { dataId, shape: [...value.shape], dtype: value.dtype as tf.DataType };
  }

  graphValue(info: tf.TensorInfo): Value {
    const entry = this.#entries.get(info.dataId);
    if (entry === undefined) {
      throw new TraceBreakError(
        "foreign tensor",
        "a tensor that was made outside the function, or is disposed",
        "make constants inside it, and give it everything else as inputs or state",
      );
    }
    // A tensor may view data in another shape (tfjs's reshape of a variable).
    const { value } = entry;
    if (value.data !== null && value.shape.join() !== info.shape.join()) {
      return constantValue(info.shape, value.dtype, value.data);
    }
    return value;
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (!isTfType(dtype)) throw new UnsupportedKernelError("write", `tensors of type ${dtype} cannot be compiled`);
    return this.hold(known(shape, dtype, values)).dataId;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    if (!isTfType(dtype)) throw new UnsupportedKernelError("move", `tensors of type ${dtype} cannot be compiled`);
    this.#entries.set(dataId, {
      value: constantValue(shape, dtype, constantData(values, dtype)),
      references: refCount,
    });
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const value = this.#entries.get(dataId)?.value;
    // A constant is known while tracing; nothing else is.
    if (value !== undefined && value.data !== null) return value.data as tf.backend_util.BackendValues;
    if (value?.node?.op === "Fill" && value.node.inputs.length === 0) {
      const size = value.shape.reduce((product, extent) => product * extent, 1);
      return constantData(
        new Array(size).fill(value.node.attributes["value"]),
        value.dtype,
      ) as tf.backend_util.BackendValues;
    }
    return this.break(
      new TraceBreakError(
        "value read",
        "the reading of a tensor's value, which is not known before the program runs",
        "choose by a value with tf.where, and return what is to be looked at",
      ),
    );
  }

  override read(dataId: object): Promise<tf.backend_util.BackendValues> {
    try {
      return Promise.resolve(this.readSync(dataId));
    } catch (error) {
      // The trace ends with the break; a rejection that nobody waits for would end the process besides.
      return this.#tracing ? new Promise(() => {}) : Promise.reject(error);
    }
  }

  override numDataIds(): number {
    return this.#entries.size;
  }
  override incRef(dataId: object): void {
    const entry = this.#entries.get(dataId);
    if (entry !== undefined) entry.references++;
  }
  override refCount(dataId: object): number {
    return this.#entries.get(dataId)?.references ?? 0;
  }
  override disposeData(dataId: object, force = false): boolean {
    const entry = this.#entries.get(dataId);
    if (entry === undefined) return true;
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.#entries.delete(dataId);
    return true;
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }
  override dispose(): void {
    this.#entries.clear();
  }
}

let backend: TraceBackend | null = null;

/** Registers backend and kernels once. */
function traceBackend(): TraceBackend {
  if (backend !== null) return backend;
  const made = new TraceBackend();
  tf.registerBackend(BACKEND, () => made, 0);
  const known = new Set([
    ...tf.getKernelsForBackend("cpu").map(({ kernelName }) => kernelName).filter((name) => !name.endsWith("/own")),
    ...Object.keys(kernelRules),
    ...Object.keys(unsupportedKernels),
    noiseKernel,
  ]);
  for (const kernelName of known) {
    tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: recorder(made, kernelName) });
  }
  registerComposed(BACKEND, logSumExpKernels);
  backend = made;
  return made;
}

/** Records one kernel as a node. */
function recorder(holder: TraceBackend, kernel: string): tf.KernelFunc {
  if (!Object.hasOwn(kernelRules, kernel)) {
    const reasons: Readonly<Record<string, string | undefined>> = unsupportedKernels;
    return () => {
      throw new UnsupportedKernelError(kernel, reasons[kernel]);
    };
  }
  const name = kernel as KernelName;
  const rule = kernelRules[name] as unknown as AnyRule;
  return ({ inputs, attrs }) => {
    const given = inputs as Record<string, tf.TensorInfo | undefined>;
    const values = rule.inputs === "variadic"
      ? Object.values(given).map((info) => holder.graphValue(info!))
      : rule.inputs.map((input) => {
        const info = given[input.replace("?", "")];
        return info === undefined || info === null ? null : holder.graphValue(info);
      });
    const normalise = normaliseAttributes[name] as (
      raw: RawAttributes,
      specs: readonly (ValueSpec | null)[],
    ) => unknown;
    const attributes = normalise((attrs ?? {}) as RawAttributes, values);
    checkInputs(name, values, attributes);
    const inferred = rule.infer(values, attributes);
    const specs = Array.isArray(inferred) ? inferred as readonly ValueSpec[] : [inferred as ValueSpec];
    checkOutputs(kernel, specs);
    const node = makeNode(kernel, values, attributes as Attributes, specs);
    const infos = node.outputs.map((output) => holder.hold(output));
    return infos.length === 1 && !Array.isArray(inferred) ? infos[0] : infos;
  };
}

/** Runs a function under the recording backend; restores everything that was global, whatever happens. */
function underTrace<T>(run: (holder: TraceBackend) => T): T {
  const holder = traceBackend();
  // Before anything ran there is no backend yet.
  const previous = tf.getBackend() || "cpu";
  const { random } = Math;
  const bytes = Object.getOwnPropertyDescriptor(crypto, "getRandomValues");
  // tfjs switches synchronously between backends that are ready; the promise only reports it.
  void tf.setBackend(BACKEND);
  const unseeded = () =>
    holder.break(
      new TraceBreakError(
        "unseeded randomness",
        "unseeded randomness, which would be one constant in every run",
        "draw from scope.random (with jit from noise() of a key that is an input), or give a seed if one constant is meant",
      ),
    );
  Math.random = unseeded;
  Object.defineProperty(crypto, "getRandomValues", { value: unseeded, configurable: true });
  try {
    return holder.during(() => run(holder));
  } finally {
    Math.random = random;
    if (bytes === undefined) Reflect.deleteProperty(crypto, "getRandomValues");
    else Object.defineProperty(crypto, "getRandomValues", bytes);
    void tf.setBackend(previous);
  }
}

/**
 * Records a function of named tensors.
 *
 * @param inputs Specs of what the function is called with.
 * @param run Pure function; it returns tensors by name.
 * @returns A graph of stage `"traced"` with ports of the given names.
 * @throws {UnsupportedKernelError} If it uses a kernel that cannot be compiled.
 * @throws {TraceBreakError} If it reads a value or draws unseeded randomness.
 */
export function trace(inputs: NamedSpecs, run: (tensors: NamedTensors) => NamedTensors): Graph {
  return underTrace((holder) => {
    const ports: Port[] = [];
    const outputs: Port[] = [];
    tf.tidy(() => {
      const tensors: NamedTensors = {};
      const engine = tf.engine() as unknown as { makeTensorFromTensorInfo(info: tf.TensorInfo): tf.Tensor };
      for (const [name, { shape, dtype }] of Object.entries(inputs)) {
        const value = inputValue({ shape, dtype });
        ports.push({ name, value });
        tensors[name] = engine.makeTensorFromTensorInfo(holder.hold(value));
      }
      for (const [name, tensor] of Object.entries(run(tensors))) {
        if (!((tensor as unknown) instanceof tf.Tensor)) {
          throw new Refusal({
            what: "trace a function",
            must: `its result "${name.replace(/^\w+:/, "")}" must be a tensor`,
            found: `found ${tensor}`,
          });
        }
        outputs.push({ name, value: holder.graphValue(tensor) });
      }
    });
    return { stage: "traced", inputs: ports, outputs, nodes: liveNodes(outputs) };
  });
}

/** Runs a function for its shapes alone. */
export function traceShapes(run: () => void): void {
  underTrace(() => {
    tf.tidy(() => {
      run();
    });
  });
}
