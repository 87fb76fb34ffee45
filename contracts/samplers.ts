/**
 * What every sampler promises. Symbols: N training samples, m modalities.
 *
 * @module
 */
import type { Method, SamplerInputs, SamplerPlugin, Segment } from "../core/kinds/mod.ts";
import type { RawOptions } from "../core/options.ts";
import { Random } from "../core/random.ts";
import { Refusal } from "../core/refusal.ts";
import { resumesBitForBit } from "./checks.ts";
import { BrokenContract, type Contract, type ContractTools, must } from "./contract.ts";
import { keptRun } from "./kept.ts";
import { choicesWork, optionsAreSound } from "./options.ts";
import { CLASSES, contextOf, fusionRig, NAMES, type Rig, toyTraining } from "./toy.ts";

/** Everything that a sampler may be told of N samples, whether it asks for it or not. */
function inputsOf(labels: Int32Array, m: number, random: Random): SamplerInputs {
  const size = labels.length;
  const known = new Random(3).split("sampler");
  return {
    labels,
    random,
    joint: Float32Array.from({ length: size }, () => m * known.uniform() - 0.3),
    valued: {
      items: Int32Array.from({ length: size }, (_, item) => item),
      contributions: Float32Array.from({ length: size * m }, (_, i) => 1.5 * known.uniform() - 0.2 - 0.3 * (i % m)),
    },
  };
}

/** An epoch of 24 samples in random order. */
function epoch(m: number): { base: readonly Segment[]; inputs: SamplerInputs } {
  const size = 24;
  const labels = Int32Array.from({ length: size }, (_, n) => n < 15 ? 0 : n < 21 ? 1 : CLASSES - 1);
  const items = new Random(1).permutation(size);
  return { base: [{ programs: ["main"], items }], inputs: inputsOf(labels, m, new Random(2).split("sampler")) };
}

function planOf(plugin: SamplerPlugin, m: number, options: RawOptions = {}): readonly Segment[] {
  const { base, inputs } = epoch(m);
  return plugin.create(options, contextOf(NAMES.slice(0, m))).plan(base, inputs);
}

/** A plan as text, so that two can be compared. */
function written(plan: readonly Segment[]): string {
  return JSON.stringify(plan.map((segment) => ({
    ...segment,
    items: [...segment.items],
    keep: segment.keep === undefined ? null : [...segment.keep],
  })));
}

/** A plan that can be run. */
function mustBeSound(plan: readonly Segment[], plugin: SamplerPlugin, m: number, size: number): void {
  must(plan.some(({ items }) => items.length > 0), `for ${m} modalities its plan is empty`);
  for (const { programs, items, keep, epochs = 1 } of plan) {
    must(items instanceof Int32Array, "items must be an Int32Array");
    must(programs.length > 0, "a segment has no program; it must pass on those of the base plan");
    const bad = items.find((item) => item < 0 || item >= size);
    must(bad === undefined, `its plan holds sample ${bad}, and there are 0..${size - 1}`);
    must(Number.isInteger(epochs) && epochs >= 1, `a segment is to be run ${epochs} times`);
    if (keep === undefined) continue;
    must(plugin.keep === true, "its plan has keep masks, and it does not say so (keep: true)");
    must(
      keep.length === items.length * m,
      `a mask has ${keep.length} flags for ${items.length} samples of ${m} modalities`,
    );
    const flag = keep.find((value) => value > 1);
    must(flag === undefined, `a mask holds ${flag}, and must hold 0 and 1`);
    for (let n = 0; n < items.length; n++) {
      must(keep.subarray(n * m, (n + 1) * m).includes(1), `sample ${items[n]} is planned with no modality at all`);
    }
  }
}

const sound: Contract<SamplerPlugin> = {
  claim: "plans training samples, with at least one modality each, for 2, 3 and 4 modalities",
  check(plugin) {
    const drawn: string[] = [];
    for (const m of [2, 3, 4]) {
      const plan = planOf(plugin, m);
      mustBeSound(plan, plugin, m, 24);
      drawn.push(String(plan.reduce((sum, { items, epochs = 1 }) => sum + items.length * epochs, 0)));
    }
    return { note: `of 24 samples it draws ${drawn.join(", ")}` };
  },
};

/** What may be measured of a sample or of one of its modalities, for better or worse. */
const oddMeasures: Readonly<Record<string, (n: number) => number>> = {
  "all measured values 0": () => 0,
  "all measured values equal": () => 0.25,
  "all measured values below 0": () => -0.5,
  "measured values that are denormal": (n) => n % 2 === 0 ? 1e-42 : -1e-42,
  "measured values of 1e30 and 1e-30": (n) => n % 3 === 0 ? 1e30 : n % 3 === 1 ? -1e30 : 1e-30,
  "one measured value that is no number": (n) => n === 4 ? NaN : 0.1 * (n % 7),
  "one measured value that is infinite": (n) => n === 4 ? Infinity : 0.1 * (n % 7),
  "one measured value of minus infinity": (n) => n === 4 ? -Infinity : 0.1 * (n % 7),
};

const odd: Contract<SamplerPlugin> = {
  claim:
    "plans soundly, or refuses, whatever is measured: ties, zeros, denormals, 1e30, no numbers, one class, one sample",
  check(plugin) {
    const m = 3;
    const context = contextOf(NAMES.slice(0, m));
    const { base, inputs } = epoch(m);
    const size = inputs.labels.length;
    const refused: string[] = [];
    const planned = (what: string, given: SamplerInputs, segments: readonly Segment[] = base) => {
      try {
        const plan = plugin.create({}, context).plan(segments, { ...given, random: new Random(2).split("sampler") });
        mustBeSound(plan, plugin, m, size);
      } catch (error) {
        if (error instanceof BrokenContract) {
          throw new BrokenContract(`with ${what}, ${error.message}`, { cause: error });
        }
        if (!(error instanceof Refusal)) throw error;
        must(error.reason !== "", `with ${what}, it refuses without a reason`);
        refused.push(what);
      }
    };
    for (const [what, value] of Object.entries(oddMeasures)) {
      const of = (length: number) => Float32Array.from({ length }, (_, n) => value(n));
      planned(what, { ...inputs, joint: of(size), valued: { ...inputs.valued!, contributions: of(size * m) } });
    }
    planned("samples of one class", { ...inputs, labels: new Int32Array(size) });
    planned("an epoch of one sample", inputs, [{ programs: ["main"], items: Int32Array.of(3) }]);
    return refused.length === 0 ? {} : { note: `it refuses ${refused.join(", ")}` };
  },
};

const pure: Contract<SamplerPlugin> = {
  claim: "plans the same from the same: in another run, in a later epoch, after a restart",
  check(plugin) {
    const m = 3;
    const first = written(planOf(plugin, m));
    must(written(planOf(plugin, m)) === first, "made twice, it plans differently; draw from `inputs.random` alone");
    const sampler = plugin.create({}, contextOf(NAMES.slice(0, m)));
    const other = inputsOf(epoch(m).inputs.labels, m, new Random(8));
    sampler.plan([{ programs: ["main"], items: Int32Array.from([3, 1, 2]) }], other);
    const { base, inputs } = epoch(m);
    must(
      written(sampler.plan(base, inputs)) === first,
      "an epoch before changes what it plans: a plan must be a function of its arguments alone, as a resumed run begins anew",
    );
  },
};

const careful: Contract<SamplerPlugin> = {
  claim: "changes nothing of what it is given",
  check(plugin) {
    const m = 3;
    const { base, inputs } = epoch(m);
    const copy = structuredClone({ base, labels: inputs.labels, joint: inputs.joint, valued: inputs.valued });
    plugin.create({}, contextOf(NAMES.slice(0, m))).plan(base, inputs);
    must(written(base) === written(copy.base), "it changes the base plan");
    const told = JSON.stringify([inputs.labels, inputs.joint, inputs.valued]);
    must(told === JSON.stringify([copy.labels, copy.joint, copy.valued]), "it changes what was measured");
  },
};

const whole: Contract<SamplerPlugin> = {
  claim: "passes on programs and whatever else segments hold, each by itself",
  check(plugin) {
    const m = 3;
    const { inputs } = epoch(m);
    const items = (from: number) => Int32Array.from({ length: 8 }, (_, n) => from + n);
    const base: Segment[] = [
      { programs: ["first", "second"], items: items(0), resetOptimizer: ["head*"] },
      { programs: ["third"], items: items(12), epochs: 2 },
    ];
    const plan = plugin.create({}, contextOf(NAMES.slice(0, m))).plan(base, inputs);
    const programs = new Set(plan.flatMap((segment) => segment.programs));
    must(["first", "second", "third"].every((name) => programs.has(name)), "it loses programs of the base plan");
    must(
      plan.some(({ programs: [name], resetOptimizer }) => name === "first" && resetOptimizer?.join() === "head*") &&
        plan.some(({ programs: [name], epochs }) => name === "third" && epochs === 2),
      "it loses what segments say of their optimiser or of how often they are run (spread the segment)",
    );
    if (plugin.idle === true) must(written(plan) === written(base), "it says that it is idle, and changes the plan");
  },
};

/** A method with the sampler; it is told made-up measurements that change from epoch to epoch. */
function sampling(plugin: SamplerPlugin, m: number, options: RawOptions = {}): Method {
  const sampler = plugin.create(options, contextOf(NAMES.slice(0, m)));
  return {
    name: "sampling",
    declares: { keep: plugin.keep === true },
    plan: (host, base) => sampler.plan(base, inputsOf(host.labels("train"), m, host.random.split("sampling"))),
  };
}

function rigOf(plugin: SamplerPlugin, { library }: ContractTools, options: RawOptions = {}): Rig {
  const m = 3;
  return fusionRig(library.of("fusion").get("concat"), library, { m, methods: [sampling(plugin, m, options)] })!;
}

const counted: Contract<SamplerPlugin> = {
  claim: "draws every sample of its plan from the budget, and no more than that",
  async check(plugin, tools) {
    const { model, dataset } = rigOf(plugin, tools);
    const { size } = dataset.splits.train;
    const training = { ...toyTraining, budget: "samples", epochs: 2 } as const;
    const { result, records } = await keptRun({ model, dataset, engine: tools.compiled, training, seed: 0 });
    const { samplesDrawn, steps } = result.summary;
    must(samplesDrawn === 2 * size, `of a budget of ${2 * size} samples it draws ${samplesDrawn}`);
    must(
      steps >= Math.ceil(samplesDrawn / training.batchSize),
      `${steps} steps of ${training.batchSize} samples cannot have drawn ${samplesDrawn}`,
    );
    return { note: `${2 * size} samples in ${records.length} epochs` };
  },
};

/** Contracts of samplers. */
export const samplerContracts: readonly Contract<SamplerPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(plugin, library, (options) => plugin.create(options, contextOf(NAMES.slice(0, 2)))),
  },
  sound,
  odd,
  pure,
  careful,
  whole,
  counted,
  {
    claim: "trains, and resumes from a checkpoint bit for bit, within an epoch too",
    check: (plugin, tools) => resumesBitForBit(() => rigOf(plugin, tools), tools),
  },
  {
    claim: "works with every value of its choices",
    check: (plugin, { library }) =>
      choicesWork(plugin, library, (options) => {
        try {
          mustBeSound(planOf(plugin, 3, options), plugin, 3, 24);
        } catch (error) {
          if (error instanceof Refusal) return Promise.resolve(false); // it contradicts another option
          throw error;
        }
        return Promise.resolve(true);
      }),
  },
];
