/**
 * Saved arrays for `armlab value`: one `.npz` or `.safetensors` file, or a folder of `.npy` files.
 *
 * @module
 */
import { join } from "node:path";
import { decodeNpy, decodeNpz } from "../formats/npy.ts";
import type { HostTensor } from "../core/program.ts";
import type { ValuationInputs } from "../miv/valuate.ts";
import { readSafetensors } from "../formats/safetensors.ts";

const naming = "labels [N], logits [N, C], fused [N, d], part.<modality> [N, d], solo.<modality> [N, C]";

/** Arrays by name. @throws {TypeError} If the path is of no known kind. */
export async function readArrays(path: string): Promise<Record<string, HostTensor>> {
  const info = await Deno.stat(path);
  if (info.isDirectory) {
    const arrays: Record<string, HostTensor> = {};
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (!isFile || !name.endsWith(".npy")) continue;
      const file = join(path, name);
      arrays[name.slice(0, -".npy".length)] = decodeNpy(await Deno.readFile(file), `"${file}"`);
    }
    return arrays;
  }
  if (path.endsWith(".npz")) return await decodeNpz(await Deno.readFile(path), `"${path}"`);
  if (path.endsWith(".safetensors")) return (await readSafetensors(path))?.tensors ?? {};
  throw new TypeError(
    `Cannot valuate "${path}" as it must be a finished run, a folder of .npy files, or a .npz or .safetensors file`,
  );
}

/**
 * Sorts arrays into what a valuation needs.
 *
 * @param view `"raw"` takes `feature.<modality>` in place of parts; widths must be equal.
 * @throws {TypeError} If one is missing, of an unknown name, or of a wrong rank or type.
 */
export function inputsOf(
  arrays: Readonly<Record<string, HostTensor>>,
  path: string,
  view: "aligned" | "raw",
): ValuationInputs {
  const found = Object.keys(arrays).sort();
  const floats = (name: string): Float32Array => {
    const array = arrays[name];
    if (array === undefined) {
      throw new TypeError(
        `Cannot valuate "${path}" as it must hold ${naming}: "${name}" is missing, found ${
          found.join(", ") || "nothing"
        }`,
      );
    }
    if (array.shape.length !== 2 || !(array.data instanceof Float32Array)) {
      throw new TypeError(
        `Cannot use "${name}" of "${path}" as it must be a matrix of floats: found ${array.dtype} of shape ` +
          `[${array.shape.join(", ")}]`,
      );
    }
    return array.data;
  };
  const under = (prefix: string) =>
    found.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const known = /^(labels|logits|fused|(part|feature|solo|subset)\..+)$/;
  const strange = found.find((name) => !known.test(name));
  if (strange !== undefined) {
    throw new TypeError(
      `Cannot use "${strange}" of "${path}" as names must be ${naming}, feature.<modality>, subset.<a>+<b>`,
    );
  }
  const prefix = view === "aligned" ? "part." : "feature.";
  const modalities = under(prefix);
  if (modalities.length === 0) {
    const other = under("feature.").length > 0 && view === "aligned"
      ? "; to compare features as they are with the fused one (equal widths), say --view raw"
      : "";
    throw new TypeError(
      `Cannot valuate "${path}" as it must hold ${prefix}<modality>: found ${found.join(", ") || "nothing"}${other}`,
    );
  }
  const labels = arrays["labels"];
  if (labels === undefined || labels.shape.length !== 1 || !(labels.data instanceof Int32Array)) {
    throw new TypeError(
      `Cannot valuate "${path}" as it must hold labels, a list of integers: found ${
        labels === undefined ? "none" : `${labels.dtype} of shape [${labels.shape.join(", ")}]`
      }`,
    );
  }
  const collect = (start: string, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, floats(`${start}${name}`)]));
  return {
    labels: labels.data,
    logits: floats("logits"),
    fused: floats("fused"),
    parts: collect(prefix, modalities),
    solo: collect("solo.", modalities),
    subsets: Object.fromEntries(
      under("subset.").map((name) => [name === "none" ? "" : name, floats(`subset.${name}`)]),
    ),
  };
}
