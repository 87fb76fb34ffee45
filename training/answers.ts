/**
 * What the neurons of a trained model answer to samples.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { byModality } from "../core/modality.ts";
import * as names from "../core/names.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import type { Engine, NamedHostTensors, NamedTensors, Program } from "../core/program.ts";
import { bindScope } from "../nn/scope.ts";
import { record } from "../tensor/autodiff.ts";
import { Batches } from "./batches.ts";
import { HARNESS_CONTROLS } from "./declarations.ts";
import { forward } from "./forward.ts";
import type { Model } from "./model.ts";
import { RunState } from "./run_state.ts";

/** One forward pass; gives what every kernel made of its inputs. */
function answersProgram({ programParts: parts }: RunState): Program {
  const { model, layout, modalities, batchSize } = parts;
  const inputs = Object.fromEntries(
    model.context.modalities.map((modality) => {
      const { shape, dtype } = modalities[modality];
      return [names.input.of(modality), { shape: [batchSize, ...shape], dtype }];
    }),
  );
  const kernels = Object.keys(layout.params).filter((full) => layout.params[full].shape.length > 1);
  return {
    name: "answers",
    state: { ...names.param.over(layout.params), ...names.buffer.over(layout.buffers) },
    inputs,
    apply(given, fed) {
      const params = names.param.under(given);
      const { scope } = bindScope({
        params,
        buffers: names.buffer.under(given),
        controls: Object.fromEntries(Object.keys(HARNESS_CONTROLS).map((name) => [name, tf.scalar(0)])),
        key: null,
        mode: "eval",
      });
      const pass = record(() =>
        forward(model, {
          inputs: byModality(model.context.modalities, (modality) => fed[names.input.of(modality)]),
          keep: null,
          rows: () => tf.zeros([batchSize, 1]),
        }, scope)
      );
      const outputs: NamedTensors = {};
      for (const full of kernels) {
        const [answer] = pass.combinedWith(params[full]);
        const width = layout.params[full].shape.at(-1)!;
        // Tables and positions are not asked: their rows are looked up or added.
        if (answer?.shape.at(-1) === width) outputs[full] = tf.reshape(answer, [-1, width]);
      }
      pass.dispose();
      return { state: {}, outputs };
    },
  };
}

/**
 * The answers of a model to the first training samples, before biases: [samples x places, outputs] by the full name of the
 * kernel that gives them. A kernel that no sample meets has none.
 *
 * @param weights Parameters and buffers by device name.
 */
export async function answersOf(
  model: Model,
  dataset: Dataset,
  weights: NamedHostTensors,
  samples: number,
  engine: Engine,
): Promise<NamedHostTensors> {
  const batchSize = Math.min(samples, dataset.splits.train.size);
  const state = RunState.ofModel({ model, dataset, engine, batchSize }, weights, "ask the neurons of a model");
  const program = await engine.compile(answersProgram(state));
  try {
    const batches = new Batches(dataset, state.modalities, batchSize);
    const fed = await batches.inputs(dataset.splits.train, Int32Array.from({ length: batchSize }, (_, n) => n));
    const inputs = Object.fromEntries(Object.keys(program.program.inputs).map((name) => [name, fed[name]]));
    return await program.run(state.device, inputs);
  } finally {
    program.dispose();
    state.dispose();
  }
}
