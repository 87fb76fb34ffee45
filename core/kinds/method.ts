/**
 * Methods: what acts on training. All hooks are optional; none is known to the trainer by name.
 *
 * @module
 */
import { complete, defineKind, guardAtOnce, type Kind, type Typed } from "./kind.ts";
import type * as tf from "@tensorflow/tfjs";
import type { ByModality } from "../modality.ts";
import type { RawOptions } from "../options.ts";
import type { NamedTensors } from "../program.ts";
import { Refusal } from "../refusal.ts";
import type { Scope } from "../scope.ts";
import type { About } from "./about.ts";
import type { Features } from "./encoder.ts";
import type { Fusion, FusionOutput, Keep, ModelContext } from "./fusion.ts";
import type { Host, Segment } from "./host.ts";
import type { GradientBook, Step, TrainStep } from "./step.ts";

/** A column of the per-sample table. */
export interface ColumnSpec {
  /** Values per sample, or as many as a modality's encoder gives features. */
  readonly width: number | { readonly featuresOf: string };
  /** Initial value of every entry. */
  readonly init: number;
  /** Whether `beforeEpoch` fills it again after a restart, so that checkpoints need not hold it. @default {false} */
  readonly derived?: boolean;
  /** Whether a step's rows are added to the table, so that repeated samples of a batch all count. @default {false} */
  readonly added?: boolean;
}

/**
 * A trained model that a method reads: a run of its own, of this run's data, encoders, training and seed, with no method.
 * Runs that need the same one share it.
 */
export interface TeacherSpec {
  /** The modalities that it sees. */
  readonly modalities: readonly string[];
  /** Its fusion, by name, with the options that are not the default. */
  readonly fusion: { readonly name: string; readonly options?: RawOptions };
}

/** A training program: which loss terms move which parameter groups. */
export interface ProgramSpec {
  readonly name: string;
  /** Groups that are trained; a trailing `*` fits any ending (`"encoder:*"`). @default {["*"]} */
  readonly train?: readonly string[];
  /** Loss terms that are minimised; no others are logged. @default all */
  readonly lossKeys?: readonly string[];
  /**
   * Modalities that take part: all others are dropped from every sample, and their encoders do not run unless the fusion
   * looks at stages. @default all
   */
  readonly modalities?: readonly string[];
}

/** What a method adds to the harness. */
export interface Declarations {
  /** Values that the host feeds at each step, with their start values. */
  readonly controls?: Readonly<Record<string, number | readonly number[]>>;
  /** Columns of the per-sample table. */
  readonly columns?: Readonly<Record<string, ColumnSpec>>;
  /** Training programs beside (or instead of) `main`. */
  readonly programs?: readonly ProgramSpec[];
  /** Whether plans of this method carry keep masks. @default {false} */
  readonly keep?: boolean;
  /** Whether the method reads `step.groups`. @default {false} */
  readonly groups?: boolean;
  /** Whether the method needs every modality's own readout trained or read in the step. @default {false} */
  readonly solo?: boolean;
  /**
   * `"labels"`: predictions are computed from the labels of what is predicted, as some released codes do. Prediction is then
   * fed with labels, every result is marked, and none of them is ranked. @default nothing but inputs
   */
  readonly reads?: "labels";
  /**
   * What only one method of a run may do, as the end of "both ...": "replace the task's loss". Methods that share a claim
   * are refused together.
   */
  readonly claims?: readonly string[];
  /**
   * Whether `plan` passes on the keep masks of the plan that it gets. A method that plans and does not must stand before
   * those that drop modalities. @default {false}
   */
  readonly passesKeep?: boolean;
  /** Trained models whose outputs are had from `Host.teacher`, by name. */
  readonly teachers?: Readonly<Record<string, TeacherSpec>>;
  /**
   * Buffers beside parameters: for each name, the groups whose every parameter `<full>` has a buffer `<name>/<full>` that
   * starts at the parameter's own start.
   */
  readonly copies?: Readonly<Record<string, readonly string[]>>;
}

/** Claims that the harness itself knows. */
export const CLAIMS = {
  /** `taskLoss` returns terms of its own, whatever it got. */
  taskLoss: "replace the task's loss",
  /** `channelGates` returns gates of its own. */
  channelGates: "replace the channel gates",
  /** `readout` returns logits of its own. */
  readout: "replace the modalities' own readouts",
  /** Its programs train one modality at a time by its own loss: nothing that acts on several can join them. */
  alternates: "train one modality at a time",
  /** `gradients` makes the encoders' gradients anew from the loss terms, whatever it got. */
  gradients: "make the encoders' gradients anew",
} as const;

/**
 * A balancing method: pure tensor functions inside the step and ordinary code between steps. All hooks are optional.
 * Hooks of composed methods run in the order given.
 */
export interface Method {
  /** That of its plugin, under which its log and its state are kept. */
  readonly name: string;
  readonly declares?: Declarations;
  // ---- traced, in this order ----
  /** Changes raw inputs. */
  input?(inputs: ByModality<tf.Tensor>, scope: Scope): ByModality<tf.Tensor>;
  /** Changes features before fusion; may drop samples (weights) or modalities (keep). */
  features?(step: Step): {
    readonly features: ByModality<Features>;
    readonly weights?: tf.Tensor1D;
    readonly keep?: Keep;
  };
  /** Changes the fusion's channel gates, [B, c_u] per modality. */
  channelGates?(level: number, gates: ByModality<tf.Tensor2D>, scope: Scope): ByModality<tf.Tensor2D>;
  /** Changes between-stage gating: called with the fusion's gate result. */
  gate?(level: number, maps: ByModality<tf.Tensor>, gated: ByModality<tf.Tensor>, scope: Scope): ByModality<tf.Tensor>;
  /**
   * Changes the output, at training and at prediction. New `logits` that are a sum of other parts than the fusion's come
   * with these `parts` and their sum, `fused`, for whoever values them.
   */
  output?(step: Step): FusionOutput;
  /** Every modality's own logits [B, C], by heads of the method's, in place of what the fusion gives. */
  readout?(step: Step): ByModality<tf.Tensor2D>;
  /** Loss terms by key: per sample [B], or scalars. The key `"joint"` is taken by the task's own loss. */
  loss?(step: TrainStep): Record<string, tf.Tensor>;
  /** Replaces or scales the task's own loss term(s), e.g. by a weight per sample. */
  taskLoss?(terms: Record<string, tf.Tensor1D>, step: TrainStep): Record<string, tf.Tensor>;
  /** Changes the gradients that go to the optimiser. */
  gradients?(gradients: NamedTensors, book: GradientBook, step: TrainStep): NamedTensors;
  /** Factors on the learning rate by parameter group: what scales an update whatever the optimiser makes of gradients. */
  rates?(step: TrainStep): Record<string, tf.Scalar>;
  /** New table rows [B, width] by column, and scalars to log. Buffers are updated through the scope. */
  emit?(step: TrainStep): {
    readonly rows?: Record<string, tf.Tensor2D>;
    readonly stats?: Record<string, tf.Scalar>;
  };
  // ---- host ----
  /** Before each epoch is planned. */
  beforeEpoch?(host: Host): void | Promise<void>;
  /** The index plan of the coming epoch. */
  plan?(host: Host, base: readonly Segment[]): readonly Segment[] | Promise<readonly Segment[]>;
  /** After each epoch, once validation was measured. */
  afterEpoch?(host: Host): void | Promise<void>;
  /** After each step, with the step's scalars by name (`loss/joint`, `<method>/<stat>`). Rarely needed. */
  afterStep?(stats: Readonly<Record<string, number>>, host: Host): void;
  /** What the method wants in the epoch's log: scalars and histograms (counts by label). */
  report?(host: Host): Record<string, number | Record<string, number>>;
  /**
   * Host memory that must survive a restart: plain values, arrays of float32, int32 and bytes among them. Tables, buffers
   * and controls are kept anyway. It is asked as an epoch begins, since a run that is stopped in the middle repeats the
   * epoch's hooks; of methods with `afterStep` also in the middle, as steps are not repeated.
   */
  save?(): unknown;
  /** Takes back what `save` gave, where a run goes on. */
  load?(saved: unknown): void;
}

/** A method as its author writes it: its name is that of its plugin, whatever it says. */
export type UnnamedMethod = Omit<Method, "name"> & { readonly name?: string };

/** A registered method. */
export interface MethodPlugin extends About {
  readonly kind: "method";
  /** Whether it treats all modalities alike, so that other names for them change nothing. @default {true} */
  readonly symmetric?: boolean;
  /**
   * How much larger rounding may become than elsewhere, where a formula divides by what may be near 0. Engines add up in
   * other orders, so that what they compute then differs by as much. @default {1}
   */
  readonly amplifies?: number;
  /** Which encoder widths it takes: any, or only that of the fused feature. @default {"any"} */
  readonly widths?: "any" | "fused";
  /** Which fusions it works with, in words; `null` means all. */
  readonly worksWith?: string;
  /** Says why it cannot be combined with a fusion, or `null`. */
  refuses?(fusion: Fusion, context: ModelContext, options: RawOptions): string | null;
  /** Forward and backward passes per step relative to plain training, for cost tables. @default 1 and 1 */
  readonly cost?: { readonly forwards: number; readonly backwards: number };
  /**
   * Forward passes between the steps of an epoch past any warm-up, in multiples of the training set, for cost tables.
   * @default 0
   */
  passes?(options: RawOptions, context: ModelContext): number;
  create(options: RawOptions, context: ModelContext): Method;
}

/** How many teachers a method has with its default options; none where these are refused. */
function teachersWith(create: MethodPlugin["create"], context: ModelContext): number {
  try {
    return Object.keys(create({}, context).declares?.teachers ?? {}).length;
  } catch (error) {
    if (error instanceof Refusal) return 0;
    throw error;
  }
}

/** The kind of methods. */
export const methodKind: Kind<MethodPlugin> = defineKind<MethodPlugin>({
  name: "method",
  plural: "methods",
  about: "what acts on training: losses, gradients, samples",
  functions: {
    refuses: { at: 2, otherwise: () => null },
    passes: { at: 0, otherwise: () => 0 },
    // One name: that under which it is registered.
    create: {
      at: 0,
      then: (made: UnnamedMethod, part, owner) => {
        const method = guardAtOnce(made, part, owner, ["beforeEpoch", "plan", "afterEpoch"]);
        return Object.defineProperty(method, "name", { value: part.name, enumerable: true });
      },
    },
  },
  describe: ({ cost, passes, create }) => {
    const { forwards, backwards } = cost ?? { forwards: 1, backwards: 1 };
    const context = { modalities: ["a", "b"], classes: 2 };
    const between = passes?.({}, context) ?? 0;
    const teachers = teachersWith(create, context);
    return [
      `Cost per step: ${forwards} forward, ${backwards} backward (plain training is 1 and 1)`,
      ...between === 0 ? [] : [
        `Cost per epoch past its warm-up: ${Number(between.toPrecision(3))} forward passes over the training set ` +
        "besides its steps (2 modalities)",
      ],
      ...teachers === 0 ? [] : [
        `Teachers: ${teachers} runs of their own, which a grid runs first and shares (2 modalities)`,
      ],
    ];
  },
});

/** Defines a method; `create`, `refuses` and `passes` receive resolved options. */
export function defineMethod<O extends object>(
  plugin: Typed<MethodPlugin, O, "create" | "refuses" | "passes"> & {
    refuses?(fusion: Fusion, context: ModelContext, options: O): string | null;
    passes?(options: O, context: ModelContext): number;
    create(options: O, context: ModelContext): UnnamedMethod;
  },
): MethodPlugin {
  return complete(methodKind, plugin);
}
