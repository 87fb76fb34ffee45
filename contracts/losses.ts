/**
 * What every loss promises. Symbols: B batch, C classes.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { firstNonFinite } from "../core/check.ts";
import * as prefixes from "../core/names.ts";
import type { LossContext, LossPlugin, Method, MethodPlugin } from "../core/kinds/mod.ts";
import { type RawOptions, use } from "../core/options.ts";
import { float32, int32, type NamedHostTensors, type Program } from "../core/program.ts";
import { Refusal } from "../core/refusal.ts";
import { groupOf } from "../core/scope.ts";
import { record } from "../tensor/autodiff.ts";
import {
  everyModalityIsMoved,
  leavesNoTensor,
  mustBeFinite,
  paddingHasNoInfluence,
  takesDropped,
  tracedEqualsEager,
} from "./checks.ts";
import { type Contract, type ContractTools, difference, type Found, must } from "./contract.ts";
import { choicesWork, optionsAreSound } from "./options.ts";
import { namesDoNotMatter } from "./renaming.ts";
import { masking, type Steps, withSteps } from "./steps.ts";
import { contextOf, early, fusionRig, NAMES, type Rig } from "./toy.ts";

/** Training samples of each class, as a dataset would say. */
const COUNTS: readonly number[] = [5, 3, 4];

/** Looks at the terms of a step. */
type Observer = (terms: Readonly<Record<string, tf.Tensor1D>>) => void;

/** The same loss, looked at. */
function observed(plugin: LossPlugin, observe: Observer): LossPlugin {
  return {
    ...plugin,
    create(options: RawOptions, context: LossContext) {
      const made = plugin.create(options, context);
      return {
        ...made,
        terms(step) {
          const terms = made.terms(step);
          observe(terms);
          return terms;
        },
      };
    },
  };
}

/** A method that makes valuations and takes further losses, if one is registered. */
function valuing({ library }: ContractTools): MethodPlugin | null {
  return library.of("method").list().find(({ options }) => {
    const spec = options["losses"];
    return spec?.type === "parts" && spec.kind === "loss";
  }) ?? null;
}

/** A method that adds a loss, or `null` if the loss needs what nobody registered makes. */
function adding(
  plugin: LossPlugin,
  tools: ContractTools,
  names: readonly string[],
  options: RawOptions,
  observe: Observer = () => {},
): Method | null {
  const context = contextOf(names);
  const own = observed(plugin, observe);
  if (plugin.needs?.includes("valuation")) {
    const host = valuing(tools);
    return host?.create({ ...early(host), losses: [use(own, options)] }, context) ?? null;
  }
  const made = own.create(options, { ...context, counts: COUNTS });
  return { name: "loss", declares: { solo: true }, loss: (step) => prefixed(made.terms(step)) };
}

/** Keys of their own, as the task may have the same loss. */
function prefixed(terms: Readonly<Record<string, tf.Tensor1D>>): Record<string, tf.Tensor1D> {
  return Object.fromEntries(Object.entries(terms).map(([key, term]) => [`own/${key}`, term]));
}

/** A model with a loss; with 2 modalities where the loss serves no other number. */
function rigOf(
  plugin: LossPlugin,
  tools: ContractTools,
  { m = 3, names = NAMES.slice(0, m), options = {}, observe, masked = false }: {
    m?: number;
    names?: readonly string[];
    options?: RawOptions;
    observe?: Observer;
    masked?: boolean;
  } = {},
): Rig | null {
  const method = adding(plugin, tools, names, options, observe);
  if (method === null) return null;
  const methods = masked ? [masking, method] : [method];
  return fusionRig(tools.library.of("fusion").get("concat"), tools.library, { names, methods });
}

const ALONE: Found = { skipped: "no registered method makes the valuation that it needs" };

/** A contract over a model with the loss. */
function onRig(
  claim: string,
  check: (rig: () => Rig, plugin: LossPlugin, tools: ContractTools) => Promise<Found | void>,
): Contract<LossPlugin> {
  return {
    claim,
    async check(plugin, tools) {
      if (rigOf(plugin, tools) === null) return ALONE;
      return await check(() => rigOf(plugin, tools)!, plugin, tools) ?? {};
    },
  };
}

const shapes: Contract<LossPlugin> = {
  claim: "gives finite terms [B] by key, for 2 and 3 modalities and batches of 1 and 5",
  async check(plugin, tools) {
    const keys = new Set<string>();
    for (const m of [2, 3]) {
      for (const batch of [1, 5]) {
        const observe: Observer = (terms) => {
          for (const [key, { shape, dtype }] of Object.entries(terms)) {
            keys.add(key);
            must(
              shape.length === 1 && shape[0] === batch,
              `term "${key}" of ${batch} samples is [${
                shape.join(", ")
              }] and must be [${batch}], a value for each sample`,
            );
            must(dtype === "float32", `term "${key}" is ${dtype} and must be float32`);
          }
        };
        const rig = rigOf(plugin, tools, { m, observe });
        if (rig === null) return ALONE;
        const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train(), { batch });
        for (const [name, value] of Object.entries(stats)) {
          must(Number.isFinite(value), `with ${m} modalities and ${batch} samples, "${name}" is ${value}`);
        }
      }
    }
    must(keys.size > 0, "it has no term");
    must(plugin.task !== true || keys.size === 1, `it stands for the task's loss and has ${keys.size} terms`);
    return { note: [...keys].join(", ") };
  },
};

/** Labels that the model's own predictions make right or wrong. */
async function labelsOf(steps: Steps, right: boolean): Promise<Int32Array> {
  const { data, shape: [batch, classes] } = (await steps.predict())["logits"];
  return Int32Array.from({ length: batch }, (_, n) => {
    const row = [...data.subarray(n * classes, (n + 1) * classes)];
    const best = row.indexOf(Math.max(...row));
    return right ? best : (best + 1) % classes;
  });
}

const extremes: Contract<LossPlugin> = {
  claim: "has finite values and gradients at perfect and at hopeless predictions",
  async check(plugin, tools) {
    const rig = rigOf(plugin, tools);
    if (rig === null) return ALONE;
    await withSteps(rig, tools.eager, async (plain) => {
      for (const factor of [100, 1e4]) {
        // Heads so large that softmax gives zeros and ones in single precision.
        const values = Object.fromEntries(
          Object.entries(plain.values).map(([name, value]) => {
            const head = prefixes.param.has(name) && /^(head|fusion)/.test(groupOf(prefixes.param.rest(name)));
            const data = Float32Array.from(value.data, (own) => own * factor);
            return [name, head ? float32(data, value.shape) : value];
          }),
        );
        await withSteps(rigOf(plugin, tools)!, tools.eager, async (steps) => {
          for (const right of [true, false]) {
            const where = `at ${right ? "perfect" : "hopeless"} predictions (a head of ${factor} times the size)`;
            const labels = int32(await labelsOf(steps, right), [steps.batch]);
            const { stats, gradients } = await steps.train({ ...steps.feeds(), labels });
            for (const [name, value] of Object.entries(stats)) {
              must(Number.isFinite(value), `${where}, "${name}" is ${value}`);
            }
            for (const [name, found] of Object.entries(gradients)) {
              const index = firstNonFinite(found);
              must(index === -1, () => `${where}, the gradient of "${name}" is ${found[index]}`);
            }
          }
        }, { values });
      }
    });
    return {};
  },
};

/** Logits of the first sample that are no numbers are shown by its loss, and change nothing of the others. */
async function oneSampleAlone(
  at: (logits: ArrayLike<number>) => Promise<NamedHostTensors>,
  logits: Float32Array,
  classes: number,
): Promise<void> {
  const plain = await at(logits);
  for (const value of [NaN, Infinity, -Infinity]) {
    const { loss, gradient } = await at(logits.map((own, i) => i < classes ? value : own));
    must(!Number.isFinite(loss.data[0]), `a sample whose logits are ${value} has the loss ${loss.data[0]}`);
    for (
      const [what, found, expected, width] of [
        ["loss", loss, plain["loss"], 1],
        ["gradient", gradient, plain["gradient"], classes],
      ] as const
    ) {
      const text = difference(found.data.subarray(width), expected.data.subarray(width), 0);
      must(text === null, () => `logits of ${value} in one sample change the ${what} of others: ${text}`);
    }
  }
}

const criterion: Contract<LossPlugin> = {
  claim:
    "is, of logits alone, less for right predictions than for wrong ones, with the gradient of finite differences; no numbers stay with their sample",
  async check(plugin, { eager }) {
    const context = { ...contextOf(NAMES.slice(0, 2)), counts: COUNTS };
    const { ofLogits } = plugin.create({}, context);
    must(plugin.task !== true || ofLogits !== undefined, "it stands for the task's loss (task) and has no ofLogits");
    if (ofLogits === undefined) return { skipped: "it is a loss of the whole step" };
    const [batch, classes] = [4, context.classes];
    const labels = int32([0, 1, 2, 1], [batch]);
    const program: Program = {
      name: "loss/logits",
      state: {},
      inputs: { logits: { shape: [batch, classes], dtype: "float32" }, labels: { shape: [batch], dtype: "int32" } },
      apply(_state, { logits, labels: y }) {
        const pass = record(() => ofLogits(logits as tf.Tensor2D, y as tf.Tensor1D));
        const [gradient] = pass.gradients(pass.value, [logits]);
        const outputs = { loss: tf.clone(pass.value), gradient: gradient ?? tf.zerosLike(logits) };
        pass.dispose();
        return { state: {}, outputs };
      },
    };
    const compiled = await eager.compile(program);
    const state = eager.createState({});
    const at = (logits: ArrayLike<number>) =>
      compiled.run(state, { logits: float32(Float32Array.from(logits), [batch, classes]), labels });
    try {
      const sure = (right: boolean, size: number) =>
        Array.from(
          { length: batch * classes },
          (_, i) => (i % classes === (labels.data[Math.floor(i / classes)] + (right ? 0 : 1)) % classes) ? size : -size,
        );
      for (const size of [1, 50, 1e4]) {
        const [right, wrong] = [await at(sure(true, size)), await at(sure(false, size))];
        mustBeFinite(`at logits of ±${size}`, right);
        mustBeFinite(`at logits of ±${size}, all wrong`, wrong);
        must(right["loss"].shape.join() === `${batch}`, `the loss of logits is [${right["loss"].shape.join(", ")}]`);
        for (let n = 0; n < batch; n++) {
          const [less, more] = [right["loss"].data[n], wrong["loss"].data[n]];
          must(less < more, `at logits of ±${size} it is ${less} for a right prediction and ${more} for a wrong one`);
        }
      }
      const logits = Float32Array.from({ length: batch * classes }, (_, i) => Math.sin(3 * i));
      const { gradient } = await at(logits);
      const step = 1e-2;
      const numeric = Float32Array.from(logits, () => 0);
      for (let i = 0; i < logits.length; i++) {
        const sum = async (sign: number) => {
          const { loss } = await at(logits.map((value, k) => k === i ? value + sign * step : value));
          return (loss.data as Float32Array).reduce((total, value) => total + value, 0);
        };
        numeric[i] = (await sum(1) - await sum(-1)) / (2 * step);
      }
      const text = difference(gradient.data, numeric, 5e-3);
      must(text === null, () => `its gradient is not that of finite differences: ${text}`);
      await oneSampleAlone(at, logits, classes);
    } finally {
      state.dispose();
      compiled.dispose();
    }
    return {};
  },
};

const masked: Contract<LossPlugin> = {
  claim: "takes samples with modalities dropped",
  async check(plugin, tools) {
    const m = 3;
    const rig = rigOf(plugin, tools, { m, masked: true });
    if (rig === null) return ALONE;
    await takesDropped(rig, tools);
    return {};
  },
};

/** Contracts of losses. */
export const lossContracts: readonly Contract<LossPlugin>[] = [
  {
    claim: "has options whose defaults and tuning values are allowed, and refuses others",
    check: (plugin, { library }) =>
      optionsAreSound(
        plugin,
        library,
        (options) => plugin.create(options, { ...contextOf(NAMES.slice(0, 2)), counts: COUNTS }),
      ),
  },
  shapes,
  extremes,
  criterion,
  masked,
  onRig("leaves a gradient to the encoder of every modality", async (rig, _plugin, tools) => {
    await everyModalityIsMoved(rig(), tools);
  }),
  onRig("is not influenced by padded rows", async (rig, _plugin, tools) => {
    await paddingHasNoInfluence(rig(), tools);
  }),
  onRig("does not care how modalities are called or in which order they sort", async (_rig, plugin, tools) => {
    await namesDoNotMatter((names) => rigOf(plugin, tools, { names })!, NAMES.slice(0, 3), true, tools);
  }),
  onRig(
    "computes the same when traced and compiled as when run operation by operation",
    (rig, _plugin, tools) => tracedEqualsEager(rig, tools),
  ),
  onRig("leaves no tensor behind", (rig, _plugin, tools) => leavesNoTensor(rig, tools)),
  {
    claim: "works with every value of its choices",
    check: (plugin, tools) =>
      choicesWork(plugin, tools.library, async (options) => {
        let rig: Rig | null;
        try {
          rig = rigOf(plugin, tools, { options });
        } catch (error) {
          if (error instanceof Refusal) return false; // it contradicts another option
          throw error;
        }
        if (rig === null) return false;
        const { stats } = await withSteps(rig, tools.eager, (steps) => steps.train());
        for (const [name, value] of Object.entries(stats)) must(Number.isFinite(value), `"${name}" is ${value}`);
        return true;
      }),
  },
];
