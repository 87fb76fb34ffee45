/**
 * Prediction as a program.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import * as names from "../../core/names.ts";
import type { NamedTensors, Program } from "../../core/program.ts";
import { bindScope } from "../../nn/scope.ts";
import { startRows } from "../declarations.ts";
import { forward } from "../forward.ts";
import { subsetKeep } from "../model.ts";
import { controlSpecs, fedInputs, inputSpecs, modelSpecs, presentColumns, type ProgramParts, spec } from "./parts.ts";

/**
 * Prediction in evaluation mode. It gets no labels, no table and no noise, so nothing of them can reach its output; only
 * a method that declares that it reads labels has labels fed, and its results are marked.
 *
 * Outputs: `logits` [B, C]; with `detail`: `solo:<m>` and `ablateMean:<m>` [B, C], `part:<m>` and `fused` [B, d] for
 * valuation, `pooled:<m>` [B, d_u].
 *
 * @param kept Static subset of modalities (feature level), or `null` for all.
 */
export function predictProgram(parts: ProgramParts, kept: readonly string[] | null, detail: boolean): Program {
  const { model, merged, layout, batchSize } = parts;
  const { modalities } = model.context;
  return {
    name: `predict/${kept === null ? "all" : kept.join("+") || "none"}${detail ? "/detail" : ""}`,
    state: modelSpecs(layout),
    inputs: {
      ...inputSpecs(parts),
      ...controlSpecs(merged),
      ...(merged.readsLabels ? { labels: spec([batchSize], "int32") } : {}),
    },
    apply(given, fed) {
      const { scope } = bindScope({
        params: names.param.under(given),
        buffers: names.buffer.under(given),
        controls: names.control.under(fed),
        key: null,
        mode: "eval",
        weights: null,
      });
      const { step, encoded, ablateMean } = forward(model, {
        ...fedInputs(parts, fed),
        keep: kept === null ? null : subsetKeep(modalities, kept, batchSize),
        present: presentColumns(parts, fed),
        rows: (column) => startRows(merged, column, batchSize),
        labels: merged.readsLabels ? fed["labels"] as tf.Tensor1D : undefined,
      }, scope);
      const outputs: NamedTensors = { logits: step.output.logits };
      if (detail) {
        const solo = step.solo();
        outputs["fused"] = solo.fused;
        for (const modality of modalities) {
          outputs[names.solo.of(modality)] = solo.logits[modality];
          outputs[names.part.of(modality)] = solo.parts[modality];
          outputs[names.pooled.of(modality)] = encoded[modality].pooled;
          outputs[names.ablateMean.of(modality)] = ablateMean(modality);
        }
      }
      return { state: {}, outputs };
    },
  };
}
