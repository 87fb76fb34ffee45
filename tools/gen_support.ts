/**
 * Writes SUPPORT.md: which tfjs kernels the compiled engine runs, from the rule table itself.
 *
 *     deno task support
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerGradients } from "../tensor/gradients.ts";
import { kernelRules } from "../engines/onnx/lower/mod.ts";
import { unsupportedKernels } from "../engines/onnx/trace/unsupported.ts";
import type { Case } from "../tests/engines/parity/case.ts";
import { flat, meaningless } from "../tests/engines/parity/coverage.ts";
import { parityFamilies } from "../tests/engines/parity/mod.ts";

/** A Markdown table with aligned columns, as the formatter writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Kernels of fused operations, which tfjs differentiates as what they are made of. */
const fused: ReadonlySet<string> = new Set(["FusedConv2D", "FusedDepthwiseConv2D", "_FusedMatMul"]);

/** The whole file. */
export function supportText(): string {
  const own = new Set<string>();
  const before = new Map(Object.keys(kernelRules).map((kernel) => [kernel, tf.getGradient(kernel)]));
  registerGradients();
  for (const [kernel, gradient] of before) if (tf.getGradient(kernel) !== gradient) own.add(kernel);
  const cases: Readonly<Record<string, readonly Case[]>> = Object.assign({}, ...Object.values(parityFamilies));
  const gradientOf = (kernel: string): string => {
    if (flat.has(kernel)) return "none to have";
    if (own.has(kernel)) return "yes, ours";
    if (before.get(kernel) !== undefined) return "yes";
    if (fused.has(kernel)) return "of its parts";
    return /Grad$|Backprop/.test(kernel) ? "is one" : "no";
  };
  const supported = Object.entries(kernelRules).sort(([a], [b]) => a < b ? -1 : 1).map(([kernel, rule]) => [
    `\`${kernel}\``,
    gradientOf(kernel),
    cases[kernel] === undefined ? "tests of its own" : String(cases[kernel].length),
    rule.note ?? "",
  ]);
  const unsupported = Object.entries(unsupportedKernels).map(([kernel, why]) => [`\`${kernel}\``, why]);
  const pointless = Object.entries(meaningless).flatMap(([kernel, reasons]) =>
    Object.entries(reasons).map(([kind, why]) => [`\`${kernel}\``, kind, why])
  );
  const wrong = new Set(
    Object.entries(cases).flatMap(([kernel, list]) =>
      list.flatMap(({ wrong }) => wrong === undefined ? [] : [`\`${kernel}\`|${wrong}`])
    ),
  );
  return `# What the compiled engine supports

Written by \`deno task support\` from the rule table (\`engines/onnx/lower\`) and the parity cases; do not edit.

\`onnx:cpu\` traces a program of tfjs operations once and compiles it. It can compile ${supported.length} kernels, which is every kernel
that the encoders, fusions, methods and optimisers here use, with their gradients. What it cannot compile is an
\`UnsupportedKernelError\` while tracing; the engine \`cpu\` runs every kernel of tfjs.

Operations that look at values are no kernels and are a \`TraceBreakError\` that names the line: \`dataSync\`, \`array\`,
\`whereAsync\`, \`booleanMaskAsync\`, and unseeded randomness (\`tf.randomNormal\` without a seed, \`tf.dropout\` without one).

## Supported kernels

The gradient is tfjs's own ("yes"), or one of \`tensor/gradients.ts\` where tfjs has none or a wrong one ("yes, ours").
Each case compares values and gradients with tfjs's CPU backend, and the gradient with finite differences.

${table(["Kernel", "Gradient", "Cases", "Note"], supported)}

Every kernel has cases of odd extents, of one element and of none, and of operands that are repeated where it repeats
any, with the gradient where there is one (a gradient's kernel is met by the cases of the kernel that it belongs to).
The suite fails where one is missing. These have no meaning:

${table(["Kernel", "Shapes", "Why there is no case"], pointless)}

## Unsupported kernels

${table(["Kernel", "Why"], unsupported)}

## Where tfjs's CPU backend is not the measure

There the cases are compared with NumPy, PyTorch or values worked out by hand, or the gradient with finite differences
alone.

${table(["Kernel", "What tfjs's CPU backend does"], [...wrong].sort().map((row) => row.split("|")))}
`;
}

if (import.meta.main) {
  Deno.writeTextFileSync(new URL("../SUPPORT.md", import.meta.url), supportText());
}
