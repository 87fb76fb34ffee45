/** What runs keep of samples, without training, and samples to look at. */
import type { SampleSource } from "../../experiments/previews.ts";
import { writeFeatures } from "../../store/features.ts";
import { writePredictions } from "../../store/predictions.ts";

/** Predictions, followed samples and features of twelve samples, as a run may keep them. */
export async function keepAll(runs: string, id: string): Promise<void> {
  const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const phi = { audio: new Float32Array(12), image: new Float32Array(12) };
  for (const split of ["test", "validation"] as const) {
    await writePredictions(`${runs}/${id}/predictions-${split}.safetensors`, id, {
      ...{ split, ids: labels.map((_, i) => i), groups: labels, labels, predicted: labels, phi },
      ...{ confidence: new Float32Array(12).fill(0.5), fused: null, solo: null },
    });
  }
  const own = { audio: [0.5], image: [0.25] };
  Deno.writeTextFileSync(
    `${runs}/${id}/valuation.jsonl`,
    `${JSON.stringify({ epoch: 0, ids: [1], phi: own, fused: [0.5], solo: own })}\n`,
  );
  const fused = Float32Array.from({ length: 36 }, (_, i) => Math.sin(i));
  await writeFeatures(`${runs}/${id}/features-test.safetensors`, id, { labels, fused, pooled: { audio: fused } });
}

/** A picture, a sound and a text of every sample; the text is the given one. */
export function sampleSource(text: string): SampleSource {
  return {
    preview: () =>
      Promise.resolve({
        audio: [{ kind: "sound", sampleRate: 8000, values: Float32Array.of(0, 0.5, -0.5) }],
        image: [
          { kind: "image", width: 2, height: 2, channels: 1, values: Uint8Array.of(0, 255, 128, 64) },
          { kind: "text", text },
        ],
      }),
  };
}
