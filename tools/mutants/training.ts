/**
 * Mistakes in `training/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const metrics = ["tests/training/metrics_test.ts"];
const promises = ["tests/training/promises_test.ts"];
const resume = ["tests/training/resume_test.ts"];

const ready = ["tests/training/ready_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("training/ready.ts", ready, [
    ["if (layers > 0 || stages > 1 || (stages === 1 && within)) return [];", ""],
    ["if (methods.some(({ input }) => input !== undefined)) return [];", ""],
    ["return selects(frozen, group) && !selects(copied, group);", "return selects(frozen, group);"],
    ["from += size;", ""],
    ["if (signal?.aborted) throw", "if (false) throw"],
  ]),
  ...mutantsOf("training/forward.ts", ready, [
    [
      "if (stands === undefined) return tf.zeros([rows, ...shape], dtype);",
      "if (rows > 0 || stands === undefined) return tf.zeros([rows, ...shape], dtype);",
    ],
  ]),
  ...mutantsOf("training/batches.ts", ["tests/training/present_test.ts"], [
    ["present?.[index * m + u] ?? 1", "1"],
    [
      "this.#present[i * m + u] = present?.[index * m + u] ?? 1;",
      "this.#present[i * m + u] = present?.[i * m + u] ?? 1;",
    ],
  ]),
  ...mutantsOf("training/batches.ts", promises, [
    ["this.#weights[i] = i < items.length ? 1 : 0;", "this.#weights[i] = 1;"],
    ["for (let i = 0; i < items.length; i++) {", "for (let i = items.length - 1; i >= 0; i--) {"],
    ["data[i] = keep[from * m + i]", "data[i] = keep[i]"],
    ["const from = items[i < items.length ? i : 0] * width;", "const from = items[0] * width;"],
    ["const at = items[i] * width + k;", "const at = i * width + k;"],
    ["new Float32Array(size * m).fill(1);", "new Float32Array(size * m);"],
    [
      "this.#labels[i] = split.labels[items[i < items.length ? i : 0]];",
      "this.#labels[i] = split.labels[i];",
    ],
  ]),
  ...mutantsOf("training/metrics/classification.ts", metrics, [
    ["logits[i * classes + c] > logits[i * classes + best]", "logits[i * classes + c] >= logits[i * classes + best]"],
    ["loss: loss / labels.length", "loss"],
    ["counts[labels[i] * classes + predicted[i]]++;", "counts[predicted[i] * classes + labels[i]]++;"],
    [
      "sum += 2 * counts[c * classes + c] / (predicted + actual);",
      "sum += counts[c * classes + c] / Math.max(1, predicted);",
    ],
    ["total += counts[c * classes + k];", "total += counts[k * classes + c];"],
    ["return total === 0 ? 0 :", "return total === 0 ? 1 :"],
    ["return sum / classes;", "return sum;"],
    ["max = Math.max(max, logits[i * classes + c]);", "max = 0;"],
    ["return hits / labels.length;", "return hits / (labels.length + 1);"],
  ]),
  ...mutantsOf("training/evaluate.ts", ["tests/training/train_test.ts"], [
    ["if (at >= 0) throw new DivergenceError", "if (false) throw new DivergenceError"],
  ]),
  ...mutantsOf("training/errors.ts", ["tests/training/train_test.ts"], [
    ['return term === "gradientNorm" ? "gradient norm" : "statistic of a method";', 'return "loss term";'],
    ["if (/^(validation|test)", "if (/^(other)"],
  ]),
  ...mutantsOf("training/evaluate.ts", metrics, [
    [
      "ablateMean: accuracy(having(argmaxRows(pass.ablateMean[modality]",
      "ablateMean: accuracy(having(argmaxRows(pass.solo[modality]",
    ],
    [
      "accuracy: accuracy(having(argmaxRows(pass.solo[modality]",
      "accuracy: accuracy(having(argmaxRows(pass.ablateMean[modality]",
    ],
    ["gap / (size * pairs)", "gap / size"],
    ["const pairs = m * (m - 1) / 2;", "const pairs = m;"],
    ["for (let v = u + 1; v < m; v++) gap +=", "for (let v = u + 1; v < u + 2 && v < m; v++) gap +="],
    ["macroF1: macroF1(counts, classes)", "macroF1: accuracy(predicted, labels)"],
    ["nmi: columnMean(pass.nmi, m, u)", "nmi: columnMean(pass.nmi, m, 0)"],
    ["probability: meanOf(having(own[u], u))", "probability: meanOf(having(own[0], u))"],
    ["phi: columnMean(phi, m, u)", "phi: columnMean(phi, m, m - 1 - u)"],
    ["jointContribution: mean.reduce((sum, value) => sum + value, 0) / size", "jointContribution: mean[0]"],
    ["recall: recalls(counts, classes)", "recall: recalls(counts, classes).reverse()"],
    ["contributionGap: pairs === 0 ? 0 :", "contributionGap:"],
    ["loss: joint.loss,", "loss: 0,"],
  ]),
  ...mutantsOf("training/train.ts", promises, [
    [
      "const { dataset: { splits: { validation } }, onCheckpoint }",
      "const { dataset: { splits: { test: validation } }, onCheckpoint }",
    ],
    ["accuracy > this.#best.validation.accuracy", "accuracy >= this.#best.validation.accuracy"],
    ["await state.device.write(best.tensors);", ""],
    [
      'await examine(predictor, dataset.splits.test, "test")',
      'await examine(predictor, dataset.splits.validation, "test")',
    ],
    ["selectedEpoch: best.epoch,", "selectedEpoch: this.#epochs - 1,"],
    ["validation: best.validation,", "validation: selected.metrics,", "the same parameters measured again"],
    ['training.select === "last" ||', ""],
    [
      "...names.param.under(best.tensors)",
      "...names.param.under(await state.device.read())",
      "the device holds them by then",
    ],
    ['selectedOn: training.select === "best" ? "validation" : "none"', 'selectedOn: "validation"'],
    ["/ (totals.counts[name] ?? 1)", ""],
    ["/ totals.rows,", "/ totals.steps,"],
    ['learningRate: state.control("learningRate")[0]', 'learningRate: state.control("progress")[0]'],
    ["training.epochs * trainSize :", "training.epochs * trainSize + 1 :"],
    ["momentum: training.momentum,", ""],
    ["weightDecay: training.weightDecay,", ""],
    ["clipNorm: training.clipNorm,", "clipNorm: 0,"],
    ["batchSize: training.batchSize,", "batchSize: 16,"],
    ["random: new Random(seed),", "random: new Random(0),"],
    ["{ stepAt: training.stepAt, warmup: training.warmup }", "{ warmup: training.warmup }"],
    ["samplesDrawn: state.samplesDrawn,\n        validation", "samplesDrawn: state.steps,\n        validation"],
  ]),
  ...mutantsOf("training/train.ts", resume, [
    [
      "({ epochs: this.#epochs, best: this.#best, underway: this.#underway }",
      "({ epochs: this.#epochs, underway: this.#underway }",
    ],
    ["if (this.#underway !== null) return false;", ""],
    ["onCheckpoint === undefined && this.#underway === null", "true"],
    ["if (!stopped && !due) return;", "if (!due) return;"],
  ]),
  ...mutantsOf("training/epoch.ts", promises, [
    ['.split("order", state.epoch)', '.split("order")'],
    [
      "const stream = `epoch/${state.epoch}`;",
      'const stream = "epoch";',
      "steps go on counting, so that keys differ all the same",
    ],
    ["const means = () => state.finishFeatureMeans();", "const means = () => Promise.resolve();"],
    ["plan = await method.plan?.(host, plan) ?? plan;", "await method.plan?.(host, plan);"],
    ["await method.afterEpoch?.(run.host);", "void method;"],
    ["await method.beforeEpoch?.(host);", "void method;"],
  ]),
  ...mutantsOf("training/trainer.ts", promises, [
    ["noise.split(this.state.steps, name).key()", "noise.split(name).key()"],
    [
      "noise.split(this.state.steps, name).key()",
      "noise.split(this.state.steps).key()",
      "a program more is a step more",
    ],
    ["keepRows(segment.keep, from, items.length", "keepRows(segment.keep, 0, items.length"],
    ["underway.rows += items.length;", "underway.rows += segment.items.length;"],
    ["counts[name] = (counts[name] ?? 0) + 1;", "counts[name] = 1;"],
    ["(epoch + samples / planned) / epochs", "epoch / epochs"],
    ["samplesDrawn / budget", "samplesDrawn / (budget + 1)"],
    ["if (left <= 0) return;", ""],
    ["Math.min(items.length, from + left)", "items.length"],
    ["this.state.samplesDrawn += items.length;", "this.state.samplesDrawn += segment.programs.length * items.length;"],
    ["if (rows !== undefined) scatterRows(", "if (rows === undefined) scatterRows("],
    ["this.parts.afterStep?.(stats);", ""],
    ["if (segment.resetOptimizer !== undefined && !resumed)", "if (segment.resetOptimizer === undefined)"],
    ["if (slot || count) written[name]", "if (slot) written[name]"],
    ["selects(groups, groupOf(names.slotParam(name)))", "true"],
    ["repetition < (segment.epochs ?? 1)", "repetition < 1"],
    ["this.parts.onStep?.(this.state.samplesDrawn);", ""],
  ]),
  ...mutantsOf("training/trainer.ts", resume, [
    ["repetition === start.repetition ? start.items : 0", "repetition === start.repetition ? 0 : 0"],
    ["const resumed = from !== undefined && index === start.segment;", "const resumed = false;"],
    ["sums: { ...from?.totals.sums },", "sums: {},"],
    ["counts: { ...from?.totals.counts },", "counts: {},"],
    ["position: { ...start, items: from }", "position: { ...start, items: 0 }"],
  ]),
  ...mutantsOf("training/journal.ts", resume, [
    ["if (saved !== null) notes.write(saved.start);", ""],
    ["if (repeated.after !== null) this.#notes.write(repeated.after);", ""],
    ["this.#notes.write(this.#saved.now);", ""],
    ["from = this.#saved.done;", ""],
    ["if (repeated.name !== name) throw", "if (false) throw"],
    ["if (error instanceof InterruptedError) await pause();", ""],
    ["|| answered.includes(null)", ""],
    [
      "return structuredClone(repeated.answer) as T;",
      "return repeated.answer as T;",
      "it is read from a file and used once",
    ],
  ]),
  ...mutantsOf("training/checkpoint.ts", ["tests/training/state_of_methods_test.ts"], [
    ["host.loadMethods(methods);", ""],
  ]),
  ...mutantsOf("training/checkpoint.ts", resume, [
    ["host.loadSnapshots(snapshots);", ""],
    ["state.epoch = saved.epochs;", "", "the loop sets it before the next epoch"],
    ["...names.best.over(best?.tensors ?? {}), ", ""],
  ]),
  ...mutantsOf("training/run_state.ts", resume, [
    ["for (const [name, values] of Object.entries(controls)) this.setControl(name, values);", ""],
    ["this.steps = steps;", ""],
    ["this.samplesDrawn = samplesDrawn;", ""],
    ["value.shape.join() !== shape.join()", "false"],
  ]),
  ...mutantsOf("training/run_state.ts", ["tests/training/state_of_methods_test.ts"], [
    ["this.tables[column].set(data as Float32Array);", "void data;"],
  ]),
  ...mutantsOf("training/run_state.ts", promises, [
    ["if (count === 0) continue;", ""],
    ["(value) => value / count)", "(value) => value)"],
    ["written[names.buffer.of(own.count)] = float32([0], []);", ""],
    ["written[names.buffer.of(own.sum)] = float32(new Float32Array(data.length), shape);", ""],
  ]),
  ...mutantsOf("training/predictor.ts", promises, [
    ["batches.push(items.subarray(from,", "batches.push(items.subarray(0,"],
    [
      "data as Float32Array).subarray(0, batch.length * width), from * width)",
      "data as Float32Array).subarray(0, batch.length * width), 0)",
    ],
    ["kept === undefined ? null : [...kept].sort()", "null"],
    ["solo: this.#by(names.solo, outputs) };", "solo: this.#by(names.ablateMean, outputs) };"],
  ]),
  ...mutantsOf("training/programs/train.ts", promises, [
    ["!idle.has(groupOf(full))", "idle.has(groupOf(full))"],
    ["next[name] = tf.add(given[name], 1);", "next[name] = given[name];"],
    ["const minimised = lossKeys ?? Object.keys(terms);", "const minimised = Object.keys(terms);"],
    ["gradients = clipped.gradients;", ""],
    ['stats["correct"] = tf.sum(tf.mul(hit, weights));', 'stats["correct"] = tf.sum(hit);'],
  ]),
  ...mutantsOf("training/compose.ts", ["tests/training/compose_test.ts"], [
    ["if (earlier.name === later.name) {", "if (false) {"],
    ["if (shared !== undefined) return", "if (shared === undefined) return"],
    ["claims.includes(CLAIMS.taskLoss) && earlier.taskLoss !== undefined", "false"],
    ["later.declares?.passesKeep !== true", "later.declares?.passesKeep === true"],
    ["hint: `write ${later.name}+${earlier.name}`", "hint: `write ${earlier.name}+${later.name}`"],
  ]),
];

export default list;
