/**
 * `armlab export`: the tested model of a finished run for other programs.
 *
 * @module
 */
import { dirname } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { exportOnnx, exportWeights, readFinishedRun } from "../experiments/export_run.ts";
import { makeFolder, writeAtomic } from "../store/files.ts";
import { writeSafetensors } from "../store/tensors.ts";
import { type Command, type Flag, helpOf, parseFlags } from "./command.ts";
import { libraryFor, pluginFlag } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  to: { type: "list", value: "FILE,...", about: "files to write: *.onnx (prediction) or *.safetensors (weights)" },
  encoder: {
    type: "text",
    value: "MODALITY",
    about: "write the weights of this modality's encoder alone, as torchvision, timm and transformers name them",
  },
  plugin: { ...pluginFlag, about: "register plugins that the run used, where they were moved" },
  help: { type: "boolean", about: "show this help" },
};

const details = `
*.onnx         The prediction, for any batch size: one input per modality (channels last, as the dataset makes it),
               outputs "logits" and "probabilities". Classes and preprocessing stand in its metadata and in *.onnx.json
               beside it. Runs in ONNX Runtime 1.18 or later (operator set 21).
*.safetensors  Weights under PyTorch's names and in its layouts: encoder.audio.block1.conv.weight is [out, in, h, w],
               linear weights are [out, in], batch normalisation has running_mean and running_var. With --encoder the
               names are those of the encoder alone: model.load_state_dict(load_file(FILE), strict=True).`;

const formatOf = (path: string) => path.endsWith(".onnx") ? "onnx" : path.endsWith(".safetensors") ? "weights" : null;

/** `armlab export`. */
export const exportCommand: Command = {
  name: "export",
  about: "write the model of a finished run as ONNX or as weights for PyTorch",
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("export", flags, args, { most: 1, about: "one run folder" });
    if (parsed.boolean.help) {
      console.log(
        helpOf("armlab export RUN --to FILE", this.about, flags, [
          "armlab export runs/0123456789abcdef --to model.onnx",
          "armlab export runs/0123456789abcdef --to model.onnx,weights.safetensors",
          "armlab export runs/0123456789abcdef --encoder image --to resnet18.safetensors",
        ]) + "\n" + details,
      );
      return 0;
    }
    if (parsed.positional.length === 0) {
      throw new Refusal({
        what: "export",
        must: "there must be one run folder",
        found: "found none",
        hint: "name it as runs/0123456789abcdef",
      });
    }
    const targets = parsed.list.to;
    if (targets.length === 0) {
      throw new Refusal({
        what: "export",
        must: "--to must name a file",
        found: "found none",
        hint: "*.onnx or *.safetensors",
      });
    }
    const odd = targets.find((path) => formatOf(path) === null);
    if (odd !== undefined) {
      throw new Refusal({
        what: `export to ${JSON.stringify(odd.slice(0, 200))}`,
        must: "its name must end with .onnx or .safetensors",
      });
    }
    const { encoder } = parsed.text;
    const whole = encoder === undefined ? undefined : targets.find((path) => formatOf(path) === "onnx");
    if (whole !== undefined) {
      throw new Refusal({
        what: `export an encoder alone to ${JSON.stringify(whole.slice(0, 200))}`,
        must: "its name must end with .safetensors",
      });
    }
    const run = await readFinishedRun(parsed.positional[0]);
    if (targets.every((path) => formatOf(path) === "weights")) await libraryFor(null, parsed.list.plugin);
    for (const path of targets) {
      await makeFolder(dirname(path));
      if (formatOf(path) === "weights") {
        const { tensors, metadata } = exportWeights(run, encoder);
        await writeSafetensors(path, tensors, metadata);
        const whose = encoder === undefined ? "" : ` of encoder "${encoder}"`;
        console.log(`${path}: ${Object.keys(tensors).length} tensors${whose} under PyTorch's names`);
        continue;
      }
      const library = await libraryFor(run.config, parsed.list.plugin);
      const { bytes, description } = await exportOnnx(run, library);
      await writeAtomic(path, bytes);
      await writeAtomic(`${path}.json`, JSON.stringify(description, null, 2) + "\n");
      const ports = [...description.inputs, ...description.outputs].map(({ name, shape }) =>
        `${name} [${shape.join(", ")}]`
      );
      console.log(
        `${path}: ${ports.join(", ")}; ${(bytes.length / 2 ** 20).toFixed(1)} MiB; described in ${path}.json`,
      );
    }
    return 0;
  },
};
