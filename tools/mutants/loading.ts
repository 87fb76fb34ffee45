/**
 * Mistakes in `loading/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const fill = ["tests/loading/fill_test.ts"];
const ahead = ["tests/loading"];

const list: readonly Mutant[] = [
  ...mutantsOf("loading/fill.ts", fill, [
    ["source.copy(items[i], into, i * width)", "source.copy(i, into, i * width)"],
    ["source.copy(items[i], into, i * width)", "source.copy(items[i], into, items[i] * width)"],
    ["if (pending.length > 0) await Promise.all(pending);", ""],
    ["if (source.has(items[i])) augmenter.apply(", "augmenter.apply("],
    [
      "into.subarray(i * width, (i + 1) * width), epoch, items[i])",
      "into.subarray(i * width, (i + 1) * width), 0, items[i])",
    ],
    [
      "into.subarray(i * width, (i + 1) * width), epoch, items[i])",
      "into.subarray(i * width, (i + 1) * width), epoch, i)",
    ],
    ["if (augmenter.mixes) await mix(", "if (!augmenter.mixes) await mix("],
    ["into.copyWithin(at, 0, width)", "into.fill(0, at, at + width)"],
    ["own !== null && source.has(own.partner) && source.has(items[i])", "own !== null && source.has(items[i])"],
    ["own !== null && source.has(own.partner) && source.has(items[i])", "own !== null && source.has(own.partner)"],
    ["augmenter.apply(modality, other, epoch, own!.partner);", ""],
    ["augmenter.apply(modality, other, epoch, own!.partner);", "augmenter.apply(modality, other, epoch, items[i]);"],
    ["share * into[i * width + k] + (1 - share) * other[k]", "(1 - share) * into[i * width + k] + share * other[k]"],
    ["augmenter.mixture(modality, epoch, item)", "augmenter.mixture(modality, 0, item)"],
  ]),
  ...mutantsOf("loading/read_ahead.ts", ahead, [
    [
      "Object.hasOwn(train.rows ?? {}, modality) && train.rows![modality].elsewhere !== undefined",
      "Object.hasOwn(train.rows ?? {}, modality)",
    ],
    [
      "const keys = new Map(batches.slice(0, this.#most)",
      "const keys = new Map(batches.slice(0, 1000)",
    ],
    ["if (keys.has(key)) continue;", ""],
    ["Atomics.store(task.givenUp, 0, 1);", ""],
    ["Math.max(LEAST_DEPTH, Math.min(", "Math.max(1, Math.min("],
    ["Math.floor(MOST_BYTES / bytes / threads)", "Math.floor(MOST_BYTES / bytes)"],
    ["this.#tasks.delete(key);\n    const started", "const started"],
    ["`${number}/${epoch}/${items.join()}`", "`${number}/${items.join()}`"],
    ["`${number}/${epoch}/${items.join()}`", "`${epoch}/${items.join()}`"],
    ["other.tasks < least.tasks ? other : least", "least"],
    ["if (!thread.opened.has(number)) this.#open(thread, number, split);", "this.#open(thread, 0, split);"],
    ["const drawn = epoch === null || !this.augments ? {} : { epoch };", "const drawn = {};"],
    ["present[n * m + u]", "present[n]"],
    ['dtype === "int32" ? new Int32Array(memory) : new Float32Array(memory)', "new Float32Array(memory)"],
    [
      "refusal === undefined ? new Error(`A reading thread failed: ${stack}`) : new Refusal(refusal)",
      "new Error(`A reading thread failed: ${stack}`)",
    ],
    ["thread.tasks--;", ""],
    ["parts.every(({ plugin }) => builtinAugmentations.includes(plugin))", "true"],
  ]),
  ...mutantsOf("loading/worker.ts", ahead, [
    ["if (Atomics.load(givenUp, 0) === 1) return;", ""],
    ["present === undefined || present[sample] === 1", "true"],
    ["epoch === undefined || augmenter === null ? null : { augmenter, epoch }", "null"],
    [
      "augmenter = new Augmenter({ parts: bound, seed }, infos, size);",
      "augmenter = new Augmenter({ parts: bound, seed: 0 }, infos, size);",
    ],
    [
      "if (!(error instanceof Refusal)) return scope.postMessage({ id, failure: { stack } });",
      "return scope.postMessage({ id, failure: { stack } });",
    ],
  ]),
];

export default list;
