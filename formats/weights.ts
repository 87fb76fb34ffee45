/**
 * Files of weights that somebody else trained.
 *
 * @module
 */
import { Refusal } from "../core/refusal.ts";
import type { ArrayFile } from "./arrays.ts";
import { openOnnx } from "./onnx.ts";
import { openArrays } from "./open.ts";
import { fileSource } from "./source.ts";

/** Names of files that hold Python's pickles. */
const pickles = /\.(pt|pth|bin|ckpt)$/;

/**
 * Opens weights: `.safetensors`, `.npz`, or the initialisers of an `.onnx`.
 *
 * A pickle is a program and is not run; its refusal has the line of Python that converts it.
 *
 * @throws {Refusal} If nothing is there, it is of another format, is damaged, or too large.
 */
export async function openWeights(path: string): Promise<ArrayFile> {
  if (pickles.test(path)) {
    const to = path.replace(pickles, ".safetensors");
    throw new Refusal({
      what: `read "${path}"`,
      must: "weights must be a .safetensors, .npz or .onnx file",
      found: "it is a Python pickle, which runs code where it is read",
      hint: `convert it: python -c "import torch; from safetensors.torch import save_file; ` +
        `save_file({k: v.contiguous().clone() for k, v in ` +
        `torch.load('${path}', map_location='cpu', weights_only=True).items()}, '${to}')"`,
    });
  }
  if (!path.endsWith(".onnx")) return await openArrays(path);
  const source = await fileSource(path);
  try {
    return await openOnnx(source, path);
  } catch (error) {
    source.close();
    throw error;
  }
}
