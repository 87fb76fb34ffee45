/**
 * What fusions and methods cost beside concatenation: `deno task bench:methods`.
 *
 * Every fusion alone and every method on concatenation (on the first fusion that takes it, where concatenation does not)
 * trains two CNNs on av-digits, one thread: those of the grids, and ones four times as wide. What a method computes besides
 * forwards and backwards does not grow with encoders, so the smaller ones are its hardest case. A round runs each of them
 * once, in an order that turns, so that a busy machine disturbs all alike; `relative` is the median over rounds of its time
 * over that of plain concatenation in the same round. Times are processor time: on an idle machine wall-clock time, on a
 * busy one what remains comparable.
 *
 * `theoretical` is what it should cost: multiply-adds of the model over those of concatenation, times the forwards and
 * backwards that the method states (a backward counts as two forwards) over those of plain training. An epoch is what a
 * method does before it, its plan and steps and what it does after; its theoretical cost counts the samples that it draws,
 * and the forward passes between steps that the method states.
 *
 * @module
 */
import { median } from "../../core/median.ts";
import { didYouMean } from "../../core/suggest.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Library } from "../../core/library.ts";
import { importPlugins } from "../../core/plugins.ts";
import { byModality, modalitiesOf } from "../../core/modality.ts";
import type { Dataset, FusionPlugin, MethodPlugin } from "../../core/kinds/mod.ts";
import type { Engine } from "../../core/program.ts";
import { sizeOf } from "../../core/program.ts";
import { type Command, type Flag, helpOf, parseFlags, parseInteger, runCommand } from "../../cli/command.ts";
import { pluginSpecifier } from "../../cli/plugins.ts";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { fusionsFor } from "../../contracts/mod.ts";
import { modelCost, type Run, stepForwards, trainEpoch } from "../../training/mod.ts";
import { datasetOf } from "./data.ts";
import { processorMs } from "./processor.ts";
import { BATCH, benchRun } from "./run.ts";

/** What one fusion or method costs. */
export interface MethodCost {
  readonly name: string;
  readonly kind: "fusion" | "method";
  /** The fusion that a method is timed on. */
  readonly fusion: string;
  /** Milliseconds of a step. */
  readonly stepMs: number;
  /** Step time over that of plain concatenation. */
  readonly relative: number;
  /** What `relative` should be by multiply-adds, forwards and backwards. */
  readonly theoretical: number;
  /** Milliseconds of an epoch. */
  readonly epochMs: number;
  readonly epochRelative: number;
  readonly epochTheoretical: number;
  /** Samples drawn in an epoch, in multiples of the training set. */
  readonly drawn: number;
}

/** How much is measured. */
export interface Effort {
  /** Steps of each. */
  readonly rounds: number;
  /** Epochs of each. */
  readonly epochs: number;
  /** Training samples of an epoch. */
  readonly samples: number;
  /** Channels of the CNNs' stages. @default those of `cnn` */
  readonly channels?: readonly number[];
}

/**
 * How far a cost may lie above the theoretical one: 1.3 x on CNNs four times as wide as the grids', 1.5 x on the grids' own
 * and narrower ones, where a method's own arithmetic, which theory leaves out, is a larger part of a step.
 */
export function allowed(channels: readonly number[]): number {
  return Math.max(...channels) >= 128 ? 1.3 : 1.5;
}

/** Epochs of a run, and the first that is timed: past every warm-up, within every window. */
const [EPOCHS, FIRST] = [100, 20];

/** One thing to time. */
interface Subject {
  readonly name: string;
  readonly kind: MethodCost["kind"];
  readonly fusion: FusionPlugin;
  readonly method: MethodPlugin | null;
}

/** A subject with its run. */
interface Running extends Subject {
  readonly run: Run;
  readonly multiplyAdds: number;
  /** Forwards that a step is worth; 3 for plain training. */
  readonly forwards: number;
  /** Forward passes over the training set between steps. */
  readonly passes: number;
  readonly steps: number[];
  readonly epochs: number[];
}

/** The first samples of a dataset's training split. */
function firstOf(dataset: Dataset, samples: number): Dataset {
  const { train } = dataset.splits;
  const size = Math.min(samples, train.size);
  const inputs = byModality(
    modalitiesOf(train.inputs),
    (modality) => train.inputs[modality].slice(0, size * sizeOf(dataset.modalities[modality].shape)),
  );
  const split = { size, labels: train.labels.slice(0, size), inputs, groups: train.groups.slice(0, size) };
  return { ...dataset, splits: { ...dataset.splits, train: split } };
}

/** Every fusion alone, then every method; plain concatenation is the first. */
function subjectsOf(library: Library, m: number): Subject[] {
  const concat = library.of("fusion").get("concat");
  const others = library.of("fusion").list().filter((fusion) => fusion !== concat);
  return [
    ...[concat, ...others].map((fusion): Subject => ({ name: fusion.name, kind: "fusion", fusion, method: null })),
    ...library.of("method").list().filter(({ name }) => name !== "none").flatMap((method): Subject[] => {
      const { fits } = fusionsFor(method, library, m);
      const fusion = fits.includes(concat) ? concat : fits[0];
      return fusion === undefined ? [] : [{ name: method.name, kind: "method", fusion, method }];
    }),
  ];
}

function start(
  subject: Subject,
  dataset: Dataset,
  library: Library,
  engine: Engine,
  { channels }: Effort,
): Running {
  const context = { modalities: modalitiesOf(dataset.modalities), classes: dataset.classes.length };
  const { fusion, method } = subject;
  const model = {
    context,
    encoders: byModality(
      context.modalities,
      (modality) =>
        library.of("encoder").get("cnn").create(
          channels === undefined ? {} : { channels },
          dataset.modalities[modality],
        ),
    ),
    fusion: fusion.create({}, context),
    methods: method === null ? [] : [method.create({}, context)],
  };
  const { multiplyAdds } = modelCost(model, dataset.modalities, (run) => engine.abstract(run));
  return {
    ...subject,
    run: benchRun(engine, dataset, model, EPOCHS),
    multiplyAdds: multiplyAdds ?? NaN,
    forwards: stepForwards([method?.cost]),
    passes: method?.passes?.({}, context) ?? 0,
    steps: [],
    epochs: [],
  };
}

/** Processor time of something. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = processorMs();
  await run();
  return processorMs() - started;
}

const step = ({ run: { state, trainer } }: Running, round: number) => {
  const items = Int32Array.from({ length: BATCH }, (_, n) => n % state.parts.dataset.splits.train.size);
  return trainer.run([{ programs: ["main"], items }], `bench/${round}`);
};

async function epoch({ run }: Running): Promise<void> {
  run.state.epoch++;
  await trainEpoch(run);
  for (const method of run.state.parts.model.methods) await method.afterEpoch?.(run.host);
}

/** A list from another start in each round. */
function turned<T>(items: readonly T[], round: number): T[] {
  const from = round % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

/** Modalities of the data. */
const MODALITIES = 2;

/** @throws {Refusal} If a name is no fusion and no method. */
function checkNames(only: readonly string[], all: readonly Subject[]): void {
  const names = all.map((subject) => subject.name);
  const unknown = only.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new Refusal({
    what: `time ${JSON.stringify(unknown.slice(0, 80))}`,
    found: `names are ${names.join(", ")}`,
    hint: didYouMean(unknown, names),
  });
}

/**
 * Times plain concatenation and everything that is chosen.
 *
 * @param only Names; all if empty.
 * @throws {Refusal} If a name is no fusion and no method.
 */
export async function methodCosts(
  library: Library,
  engine: Engine,
  whole: Dataset,
  effort: Effort,
  only: readonly string[] = [],
): Promise<MethodCost[]> {
  const all = subjectsOf(library, modalitiesOf(whole.modalities).length);
  checkNames(only, all);
  const dataset = firstOf(whole, effort.samples);
  const chosen = all.filter(({ name }, index) => index === 0 || only.length === 0 || only.includes(name));
  const running = chosen.map((subject) => start(subject, dataset, library, engine, effort));
  const [concat] = running;
  const drawn = new Map<Running, number>();
  try {
    // Two epochs compile everything, and give methods that look at the epoch before something to look at.
    for (const own of running) {
      own.run.state.epoch = FIRST - 3;
      for (let count = 0; count < 2; count++) await epoch(own);
    }
    for (let round = 0; round < effort.epochs; round++) {
      for (const own of turned(running, round)) {
        const before = own.run.state.samplesDrawn;
        own.epochs.push(await timed(() => epoch(own)));
        drawn.set(own, (drawn.get(own) ?? 0) + (own.run.state.samplesDrawn - before) / dataset.splits.train.size);
      }
    }
    for (let round = 0; round < effort.rounds; round++) {
      for (const own of turned(running, round)) own.steps.push(await timed(() => step(own, round)));
    }
  } finally {
    for (const { run } of running) run.dispose();
  }
  const plain = stepForwards([]);
  const ratio = (own: readonly number[], bare: readonly number[]) => median(own.map((ms, k) => ms / bare[k]));
  return running.map((own) => {
    const { name, kind, fusion, steps, epochs, forwards, passes } = own;
    const model = own.multiplyAdds / concat.multiplyAdds;
    const mean = drawn.get(own)! / effort.epochs;
    return {
      name,
      kind,
      fusion: fusion.name,
      stepMs: median(steps),
      relative: ratio(steps, concat.steps),
      theoretical: model * forwards / plain,
      epochMs: median(epochs),
      epochRelative: ratio(epochs, concat.epochs),
      epochTheoretical: model * (mean * forwards + passes) / plain,
      drawn: mean,
    };
  });
}

const columns = ["name", "kind", "on", "step ms", "x concat", "theory", "epoch ms", "x concat", "theory", "drawn"];

/** A table of costs; what lies more than `limit` times above theory is marked. */
export function costTable(costs: readonly MethodCost[], limit: number): string {
  const mark = (found: number, theory: number) => `${found.toFixed(2)}${found > limit * theory ? " !" : ""}`;
  const rows = costs.map((cost) => [
    cost.name,
    cost.kind,
    cost.fusion,
    cost.stepMs.toFixed(2),
    mark(cost.relative, cost.theoretical),
    cost.theoretical.toFixed(2),
    cost.epochMs.toFixed(0),
    mark(cost.epochRelative, cost.epochTheoretical),
    cost.epochTheoretical.toFixed(2),
    cost.drawn.toFixed(2),
  ]);
  const widths = columns.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k].length)));
  return [columns, ...rows].map((row) =>
    row.map((cell, k) => k < 3 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])).join("  ").trimEnd()
  ).join("\n");
}

/** What lies too far above theory, in words. */
function overText(costs: readonly MethodCost[], limit: number): string {
  const over = costs.filter((cost) =>
    cost.relative > limit * cost.theoretical || cost.epochRelative > limit * cost.epochTheoretical
  ).map(({ name }) => name);
  return over.length === 0
    ? `None is above ${limit} x its theoretical cost.`
    : `! above ${limit} x its theoretical cost: ${over.join(", ")}`;
}

/** Channels of the CNNs' stages that are timed unless said otherwise. */
const SIZES = ["8,16,32", "32,64,128"];

const flags: Readonly<Record<string, Flag>> = {
  only: { type: "list", value: "NAME,...", about: "fusions and methods to time (default: all)" },
  rounds: { type: "text", value: "N", about: "steps of each (default: 60)" },
  epochs: { type: "text", value: "N", about: "epochs of each (default: 9)" },
  samples: { type: "text", value: "N", about: "training samples of an epoch (default: 1280)" },
  channels: {
    type: "each",
    value: "N,...",
    about: `channels of the CNNs' stages; repeat it for more sizes (default: ${SIZES.join(" and ")})`,
  },
  plugin: { type: "list", value: "FILE", about: "time somebody else's parts too" },
  json: { type: "boolean", about: "print one JSON object per fusion and method" },
  help: { type: "boolean", about: "show this help" },
};

export const command: Command = {
  name: "bench:methods",
  about: "Times a step and an epoch of every fusion and every method beside plain concatenation, one thread.",
  async run(args) {
    const parsed = parseFlags(this.name, flags, args);
    if (parsed.boolean.help) {
      console.log(helpOf("deno task bench:methods [options]", this.about, flags, [
        "deno task bench:methods --only mmtm,arm,ogm-ge",
        "deno task bench:methods --channels 8,16,32",
        "deno task bench:methods --plugin ./my_fusion.ts --json",
      ]));
      return 0;
    }
    const count = (flag: string, otherwise: number) =>
      parsed.text[flag] === undefined ? otherwise : parseInteger(`--${flag}`, parsed.text[flag], 1);
    const effort = { rounds: count("rounds", 60), epochs: count("epochs", 9), samples: count("samples", 1280) };
    const sizes = (parsed.list.channels.length === 0 ? SIZES : parsed.list.channels).map((text) =>
      text.split(",").map((number) => parseInteger("--channels", number, 1))
    );
    const library = createLibrary();
    for (const file of parsed.list.plugin) await importPlugins(library, pluginSpecifier(file));
    // Before data is loaded, which takes seconds.
    checkNames(parsed.list.only, subjectsOf(library, MODALITIES));
    const { engine } = await selectEngine("onnx:cpu", { threads: 1 });
    try {
      const dataset = await datasetOf("av-digits", library);
      for (const channels of sizes) {
        const costs = await methodCosts(library, engine, dataset, { ...effort, channels }, parsed.list.only);
        if (parsed.boolean.json) { for (const cost of costs) console.log(JSON.stringify({ ...cost, channels })); }
        else {
          const limit = allowed(channels);
          console.log(
            `CNNs of ${channels.join(", ")} channels\n${costTable(costs, limit)}\n\n${overText(costs, limit)}\n`,
          );
        }
      }
      return 0;
    } finally {
      await engine.dispose();
    }
  },
};

if (import.meta.main) Deno.exit(await runCommand(command, Deno.args));
