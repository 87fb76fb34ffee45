/**
 * What valuation costs: `deno task bench:miv [--json] [--rounds N] [--python PATH]`.
 *
 * Rows: case, stepMs, valuationMs, share, officialMs, speedup. The first cases train two CNNs on av-digits' shapes with and
 * without a valuation in the step, in turn; `share` is what it adds over what the bare step takes. `valuation` is parts,
 * information, contributions and their table rows; `differentiated` also has the gradient of both information losses;
 * `ARM` is the whole method with its log. The last cases compare one batch of 128 x 512 features, two modalities, with the
 * released code's arithmetic in NumPy (official_miv.py), again in turn. Medians of milliseconds of processor time, one
 * thread each: on an idle machine that is wall-clock time, on a busy one it is what remains comparable.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { Refusal } from "../../core/refusal.ts";
import * as names from "../../core/names.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import * as tf from "@tensorflow/tfjs";
import { type ArmOptions, armOptions } from "../../baselines/arm/options.ts";
import { valuate, valuationOptionsOf } from "../../baselines/arm/valuation.ts";
import { resolveOptions } from "../../core/options.ts";
import type { Dataset, Method, Split, TrainStep } from "../../core/kinds/mod.ts";
import { type Engine, float32, type NamedHostTensors } from "../../core/program.ts";
import { Random } from "../../core/random.ts";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { informationProgram } from "../../miv/mod.ts";
import { type EstimatorName, estimators } from "./estimators.ts";
import type { Run } from "../../training/mod.ts";
import { processorMs } from "./processor.ts";
import { BATCH, benchRun } from "./run.ts";
import { modulesMissing, Side } from "./side.ts";

/** One row; what a case does not measure is `null`. */
export interface MivRow {
  readonly case: string;
  readonly stepMs: number | null;
  readonly valuationMs: number;
  readonly share: number | null;
  readonly officialMs: number | null;
  readonly speedup: number | null;
}

/** Noise of av-digits' shapes: time does not depend on what is in the pictures. */
function noise(): Dataset {
  const random = new Random(0);
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const split = (name: string): Split => ({
    size: BATCH,
    labels: Int32Array.from({ length: BATCH }, (_, n) => n % 10),
    inputs: { audio: draw(BATCH * 32 * 32), image: draw(BATCH * 28 * 28) },
    groups: Array.from({ length: BATCH }, (_, n) => `${name} ${n}`),
  });
  return {
    name: "noise",
    modalities: {
      audio: { shape: [32, 32, 1], dtype: "float32", about: "noise" },
      image: { shape: [28, 28, 1], dtype: "float32", about: "noise" },
    },
    classes: Array.from({ length: 10 }, (_, c) => String(c)),
    splits: { train: split("train"), validation: split("validation"), test: split("test") },
    fingerprint: "",
    notices: [],
  };
}

const context = { modalities: ["audio", "image"], classes: 10 };

/** A method that valuates every batch as ARM does and, differentiated, descends both losses by next to nothing. */
function valuation(differentiated: boolean): Method {
  const options: ArmOptions = resolveOptions("arm", armOptions, {
    gradient: differentiated ? "all" : "none",
  });
  const valuing = { options: valuationOptionsOf(options), remembers: false };
  const value = (step: TrainStep) =>
    valuate(
      step,
      { stage: "output", classes: step.labels, output: step.output, weights: step.weights },
      valuing,
      false,
    );
  const context = { modalities: ["audio", "image"], classes: 10, valuation: value };
  const losses = [options.minimum, options.gap].map(({ plugin, options }) => plugin.create(options, context));
  return {
    name: "valuation",
    declares: { solo: true, columns: { "valuation/phi": { width: 2, init: 0 } } },
    loss: !differentiated ? undefined : (step) => {
      const terms = Object.assign({}, ...losses.map((loss) => loss.terms(step))) as Record<string, tf.Tensor1D>;
      return Object.fromEntries(Object.entries(terms).map(([key, term]) => [key, tf.mul(term, 1e-3)]));
    },
    emit: (step) => ({ rows: { "valuation/phi": value(step).phi } }),
  };
}

/** Sizes of the two-CNN step. */
interface StepSize {
  readonly channels: readonly number[];
  readonly width: number;
}

/** A run that trains two CNNs, with a method or bare. */
export function runFor(engine: Engine, size: StepSize, method: Method | null): Run {
  const library = createLibrary();
  const dataset = noise();
  const options = { channels: [...size.channels], width: size.width };
  return benchRun(engine, dataset, {
    context,
    encoders: {
      audio: library.of("encoder").get("cnn").create(options, dataset.modalities["audio"]),
      image: library.of("encoder").get("cnn").create(options, dataset.modalities["image"]),
    },
    fusion: library.of("fusion").get("concat").create({ width: size.width }, context),
    methods: method === null ? [] : [method],
  });
}

/** Steps with and without a part in turn. */
export async function stepRow(
  engine: Engine,
  name: string,
  size: StepSize,
  method: Method,
  rounds: number,
): Promise<MivRow> {
  const [bare, valued] = [runFor(engine, size, null), runFor(engine, size, method)];
  const items = Int32Array.from({ length: BATCH }, (_, n) => n);
  const step = async (run: Run, round: number): Promise<number> => {
    const started = processorMs();
    await run.trainer.run([{ programs: ["main"], items }], `bench/${round}`);
    return processorMs() - started;
  };
  const [without, difference]: [number[], number[]] = [[], []];
  for (let round = -3; round < rounds; round++) {
    // Which goes first alternates, so that neither always meets a warm cache.
    const first = round % 2 === 0;
    const [a, b] = first
      ? [await step(bare, round), await step(valued, round)]
      : [await step(valued, round), await step(bare, round)].reverse();
    if (round < 0) continue; // compiling and warming up
    without.push(a);
    difference.push(b - a);
  }
  bare.dispose();
  valued.dispose();
  const [stepMs, valuationMs] = [median(without), median(difference)];
  return { case: name, stepMs, valuationMs, share: valuationMs / stepMs, officialMs: null, speedup: null };
}

/**
 * One batch of features valuated here and by the released arithmetic in turn.
 *
 * @param python Python with NumPy; `null` leaves the released arithmetic out.
 * @param times How often the other side makes each histogram: twice, as released, or once.
 */
export async function batchRow(
  engine: Engine,
  estimator: EstimatorName,
  rounds: number,
  python: string | null,
  times: 1 | 2 = 2,
): Promise<MivRow> {
  const [batch, width] = [128, 512];
  const random = new Random(0);
  const draw = () => Float32Array.from({ length: batch * width }, () => random.normal());
  const [a, b, rest] = [draw(), draw(), draw()];
  const feeds: NamedHostTensors = {
    [names.part.of("a")]: float32(a, [batch, width]),
    [names.part.of("b")]: float32(b, [batch, width]),
    fused: float32(a.map((value, i) => 0.8 * value + 0.4 * b[i] + 0.1 * rest[i]), [batch, width]),
    weights: float32(new Float32Array(batch).fill(1), [batch]),
  };
  const compiled = await engine.compile(
    informationProgram(["a", "b"], batch, width, { estimator: estimators[estimator] }),
  );
  const state = engine.createState({});
  const script = new URL("./official_miv.py", import.meta.url).pathname;
  const official = python === null ? null : await Side.start(python, [script, ...[batch, width, times].map(String)]);
  const [own, theirs]: [number[], number[]] = [[], []];
  for (let round = -3; round < rounds; round++) {
    const started = processorMs();
    await compiled.run(state, feeds);
    const ms = processorMs() - started;
    const other = official === null ? NaN : (await official.run(1))[0];
    if (round < 0) continue;
    own.push(ms);
    theirs.push(other);
  }
  await official?.end();
  compiled.dispose();
  state.dispose();
  const valuationMs = median(own);
  const officialMs = official === null ? null : median(theirs);
  return {
    case: `batch 128 x 512, ${estimator}${times === 1 ? ", histograms once" : ""}`,
    stepMs: null,
    valuationMs,
    share: null,
    officialMs,
    // Median of the rounds' own ratios: both sides of a ratio met the same machine.
    speedup: official === null ? null : median(theirs.map((ms, k) => ms / own[k])),
  };
}

const flags: Readonly<Record<string, Flag>> = {
  rounds: { type: "text", value: "N", about: "rounds of each case (default: 40)" },
  python: {
    type: "text",
    value: "PATH",
    about: 'Python with NumPy, for the released arithmetic; "none" leaves it out (default: python3 if it has NumPy)',
  },
  json: { type: "boolean", about: "print one JSON line per row" },
  help: { type: "boolean", about: "show this help" },
};

export const command: Command = {
  name: "bench:miv",
  about: "Times valuation beside a training step of two CNNs, and beside the released code's arithmetic in NumPy.",
  async run(args) {
    const { text, boolean } = parseFlags(this.name, flags, args);
    if (boolean.help) {
      console.log(helpOf("deno task bench:miv [options]", this.about, flags, ["deno task bench:miv --rounds 150"]));
      return 0;
    }
    const { json } = boolean;
    const rounds = text.rounds === undefined ? 40 : parseInteger("--rounds", text.rounds, 1);
    const wanted = text.python === "none" ? null : text.python ?? "python3";
    const missing = wanted === null ? null : await modulesMissing(wanted, ["numpy"]);
    if (missing !== null && text.python !== undefined) {
      throw new Refusal({
        what: "time the released arithmetic",
        must: `"${wanted}" must have numpy`,
        found: missing,
        hint: "give another by --python, or none",
      });
    }
    const python = missing === null ? wanted : null;
    const { engine } = await selectEngine("onnx:cpu", { threads: 1 });
    const print = (row: MivRow) => {
      if (json) return console.log(JSON.stringify(row));
      const number = (value: number | null, digits: number) =>
        (value === null ? "-" : value.toFixed(digits)).padStart(13);
      console.log(
        `${row.case.padEnd(44)}${number(row.stepMs, 2)}${number(row.valuationMs, 2)}` +
          `${number(row.share === null ? null : 100 * row.share, 1)}${number(row.officialMs, 2)}${
            number(row.speedup, 1)
          }`,
      );
    };
    if (!json) {
      console.log(
        `${"case".padEnd(44)}${
          ["stepMs", "valuationMs", "share %", "officialMs", "speedup"].map((t) => t.padStart(13)).join("")
        }`,
      );
    }
    const small: StepSize = { channels: [8, 16, 32], width: 128 };
    const large: StepSize = { channels: [32, 64, 128], width: 512 };
    for (const [label, size] of [["two CNNs 8-16-32, d 128", small], ["two CNNs 32-64-128, d 512", large]] as const) {
      print(await stepRow(engine, `${label}: valuation`, size, valuation(false), rounds));
      print(await stepRow(engine, `${label}: differentiated`, size, valuation(true), rounds));
      print(
        await stepRow(
          engine,
          `${label}: ARM`,
          size,
          createLibrary().of("method").get("arm").create({}, context),
          rounds,
        ),
      );
    }
    for (const estimator of ["hard", "straight-through", "gaussian", "official"] as const) {
      print(await batchRow(engine, estimator, rounds, python));
    }
    print(await batchRow(engine, "hard", rounds, python, 1));
    if (missing !== null) {
      console.error(`The released arithmetic was left out as "${wanted}" must have numpy: ${missing} (--python PATH)`);
    }
    await engine.dispose();
    return 0;
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
