/**
 * What a row of the rule table is, and the rows' common shapes.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import type { Value, ValueSpec } from "../graph/ir.ts";
import type { AttributesOf, InputsOf, KernelName, Kernels } from "../trace/kernels.ts";

/** How a tfjs kernel with these inputs and attributes is compiled. */
export interface Rule<I extends readonly string[] | "variadic", A> {
  /** Names of the inputs in order, as tfjs gives them; `?` marks optional ones. */
  readonly inputs: I;
  /** Shapes and types of the outputs, as tfjs's CPU backend makes them. */
  infer(inputs: InputsOf<I, ValueSpec>, attributes: A): ValueSpec | readonly ValueSpec[];
  /** The same values in ONNX. `outputs` are the inferred specs. */
  lower(
    b: Builder,
    inputs: InputsOf<I, Value>,
    attributes: A,
    outputs: readonly ValueSpec[],
  ): Value | readonly Value[];
  /**
   * Whether the values are sums over elements of the inputs. Of an empty input they are zeros, which are made without
   * the row: the runtime refuses empty tensors in many of its operators.
   */
  readonly sums?: true;
  /** What a user should know, for the support table. */
  readonly note?: string;
}

/** The rule of a kernel. */
export type KernelRule<K extends KernelName> = Rule<Kernels[K]["inputs"], AttributesOf<K>>;

/** Rows for some kernels. */
export type Rules<K extends KernelName> = { readonly [N in K]: KernelRule<N> };

/** Runs float operations on integers and truths: ONNX defines most functions for floats only. */
export function float(b: Builder, x: Value): Value {
  return b.cast(x, "float32");
}

/** Truths as integers; numbers as they are. */
export function numeric(b: Builder, x: Value): Value {
  return x.dtype === "bool" ? b.cast(x, "int32") : x;
}
