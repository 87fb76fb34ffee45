/**
 * Names and layouts of PyTorch: what our parameters are called and how they lie there, and back.
 *
 * @module
 */
import { type HostTensor, type NamedHostTensors, sizeOf } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";

/** Last names of our layers' parameters and buffers, and PyTorch's. */
const leaves: Readonly<Record<string, string>> = {
  kernel: "weight",
  table: "weight",
  scale: "weight",
  shift: "bias",
  mean: "running_mean",
  variance: "running_var",
};

/**
 * PyTorch's name of a parameter or buffer: `encoder:image/layer1/0/bn1/scale` is
 * `encoder.image.layer1.0.bn1.weight`.
 */
export function torchName(name: string): string {
  const path = name.replaceAll(":", ".").split("/");
  const leaf = path.pop() as string;
  return [...path, Object.hasOwn(leaves, leaf) ? leaves[leaf] : leaf].join(".");
}

/**
 * Order of our axes in PyTorch's layout, or `null` where both agree. Kernels are `[...spatial, in, out]` here and
 * `[out, in, ...spatial]` there.
 */
function torchAxes(name: string, rank: number): readonly number[] | null {
  if (name !== "kernel" && !name.endsWith("/kernel")) return null;
  return [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, axis) => axis)];
}

/** Shape of a parameter or buffer in PyTorch's layout. */
export function torchShape(name: string, shape: readonly number[]): readonly number[] {
  const axes = torchAxes(name, shape.length);
  return axes === null ? shape : axes.map((axis) => shape[axis]);
}

/** A tensor with axis k of the result being axis `axes[k]` of the given one. */
function permuted(tensor: HostTensor, axes: readonly number[]): HostTensor {
  const { shape, data } = tensor;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const target = axes.map((axis) => shape[axis]);
  const result = data.slice();
  const index = new Array<number>(axes.length).fill(0);
  for (let i = 0; i < result.length; i++) {
    let from = 0;
    for (let k = 0; k < axes.length; k++) from += index[k] * strides[axes[k]];
    result[i] = data[from];
    for (let k = axes.length - 1; k >= 0 && ++index[k] === target[k]; k--) index[k] = 0;
  }
  return { data: result, shape: target, dtype: tensor.dtype };
}

/**
 * Parameters and buffers under PyTorch's names and in its layout; values are copied.
 *
 * Buffers of batch normalisation need no `num_batches_tracked`: PyTorch fills it in.
 */
export function toTorch(tensors: Readonly<NamedHostTensors>): NamedHostTensors {
  const result: NamedHostTensors = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const axes = torchAxes(name, tensor.shape.length);
    result[torchName(name)] = axes === null ? { ...tensor, data: tensor.data.slice() } : permuted(tensor, axes);
  }
  return result;
}

/**
 * Values of PyTorch's tensors for parameters and buffers of ours.
 *
 * @param wanted Our tensors by name; only their shapes are read.
 * @param tensors PyTorch's by name. Others than those wanted are left aside.
 * @throws {Refusal} If one is missing or has another shape.
 */
export function fromTorch(
  wanted: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  tensors: Readonly<NamedHostTensors>,
): NamedHostTensors {
  const result: NamedHostTensors = {};
  for (const [name, { shape }] of Object.entries(wanted)) {
    const theirs = torchName(name);
    const found = tensors[theirs];
    if (found === undefined) {
      throw new Refusal({
        what: `read "${name}" from PyTorch's tensors`,
        must: `"${theirs}" must be among them`,
        found: "it is not",
      });
    }
    const expected = torchShape(name, shape);
    if (expected.length !== found.shape.length || expected.some((extent, axis) => extent !== found.shape[axis])) {
      throw new Refusal({
        what: `read "${name}" from PyTorch's tensor "${theirs}"`,
        must: `it must be [${expected.join(", ")}]`,
        found: `found [${found.shape.join(", ")}]`,
      });
    }
    const axes = torchAxes(name, shape.length);
    const back = axes === null ? null : axes.map((_, axis) => axes.indexOf(axis));
    result[name] = back === null ? { ...found, data: found.data.slice() } : permuted(found, back);
  }
  return result;
}
