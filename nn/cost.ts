/**
 * Multiply-adds, counted from the kernels that ran.
 *
 * @module
 */
import type { KernelUse } from "../tensor/autodiff.ts";
import { sizeOf } from "../core/program.ts";

/** Counts one kernel from its shapes. */
type Count = (use: KernelUse) => number;

/** Every output element is a sum over a window and the input channels. Filter: [...window, in, out]. */
const convolution: Count = ({ inputs, outputs }) => sizeOf(outputs[0]) * sizeOf(inputs.filter.slice(0, -1));
/** Every output element is a sum over a window. Filter: [h, w, in, multiplier]. */
const depthwise: Count = ({ inputs, outputs }) => sizeOf(outputs[0]) * sizeOf(inputs.filter.slice(0, 2));
/** Every input element goes to a window and all output channels. Filter: [...window, out, in]. */
const transposed: Count = ({ inputs }) => sizeOf(inputs.dy) * sizeOf(inputs.filter.slice(0, -1));
/** [..., M, K] by [..., K, N], either transposed; the sum's length is what the first has beside M. */
const product: Count = ({ inputs, outputs: [out] }) => {
  const rows = out[out.length - 2];
  return rows === 0 ? 0 : sizeOf(out) * (sizeOf(inputs.a.slice(-2)) / rows);
};

const counts: Readonly<Record<string, Count>> = {
  Conv2D: convolution,
  FusedConv2D: convolution,
  Conv3D: convolution,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2D: depthwise,
  Conv2DBackpropInput: transposed,
  Conv3DBackpropInputV2: transposed,
  BatchMatMul: product,
  _FusedMatMul: product,
};

/** Kernels that multiply and add in a way that their shapes do not tell. */
const unknown: ReadonlySet<string> = new Set(["Einsum"]);

/** Values that convolutions and matrix products give: what is between them has as many, and gradients need one of both. */
export function productValues(kernels: readonly KernelUse[]): number {
  return kernels.reduce((sum, { name, outputs }) => sum + (Object.hasOwn(counts, name) ? sizeOf(outputs[0]) : 0), 0);
}

/**
 * Multiply-adds of convolutions and matrix products: k^2 c_in c_out per output position, d_in d_out per row of a linear
 * layer, 2 T^2 D for attention's two products. Everything elementwise (normalisation, activations, gates, pooling) counts
 * as 0, as is usual.
 *
 * @returns `null` if a kernel ran whose shapes do not tell.
 */
export function multiplyAdds(kernels: readonly KernelUse[]): number | null {
  if (kernels.some(({ name }) => unknown.has(name))) return null;
  return kernels.reduce((sum, use) => sum + (counts[use.name]?.(use) ?? 0), 0);
}
