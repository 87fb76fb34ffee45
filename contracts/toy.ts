/**
 * Small made-up data and models that contracts are checked on.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { type ByModality, byModality } from "../core/modality.ts";
import type {
  Dataset,
  Encoder,
  EncoderPlugin,
  Fusion,
  FusionPlugin,
  Method,
  MethodPlugin,
  ModalityInfo,
  ModelContext,
  Split,
  TeacherSpec,
} from "../core/kinds/mod.ts";
import { type Engine, sizeOf } from "../core/program.ts";
import { Random } from "../core/random.ts";
import type { TrainingConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { mlp } from "../encoders/mlp.ts";
import type { Model } from "../training/model.ts";
import type { Teachers } from "../training/host.ts";
import { featureWidths } from "../training/state.ts";
import { BrokenContract } from "./contract.ts";

/** Names of up to four modalities. */
export const NAMES: readonly string[] = ["audio", "image", "text", "video"];
/** Classes of the made-up task. */
export const CLASSES = 3;
/** Widths of made-up vectors: all different. */
const WIDTHS = [5, 7, 4, 6];

/** Inputs that an encoder may take: one of each shape that datasets have. */
export const INPUTS: readonly ModalityInfo[] = [
  { shape: [5], dtype: "float32", about: "a vector" },
  { shape: [12, 10, 1], dtype: "float32", about: "a map of one channel" },
  { shape: [3, 16, 16, 3], dtype: "float32", about: "a film of colour images" },
  { shape: [6, 5], dtype: "float32", about: "a sequence of vectors" },
  { shape: [16], dtype: "float32", about: "a longer vector" },
  { shape: [32, 32, 3], dtype: "float32", about: "a colour image" },
  { shape: [8], dtype: "int32", vocabulary: 10, about: "indices" },
];

/** Values of one input: noise and a pattern of the class. Indices stay below 10. */
function valuesOf(info: ModalityInfo, labels: Int32Array, random: Random): Float32Array | Int32Array {
  const row = sizeOf(info.shape);
  if (info.dtype === "int32") {
    return Int32Array.from(
      { length: labels.length * row },
      (_, i) => i % row === 0 ? 1 + labels[Math.floor(i / row)] : random.integer(10),
    );
  }
  return Float32Array.from(
    { length: labels.length * row },
    (_, i) => 0.6 * random.normal() + (i % CLASSES === labels[Math.floor(i / row)] ? 1 : 0),
  );
}

/** A dataset of three classes over given inputs, different for every seed. */
export function toyDataset(modalities: ByModality<ModalityInfo>, seed = 1, train = 37): Dataset {
  const split = (name: string, size: number): Split => {
    const random = new Random(seed).split("contracts", name);
    const labels = Int32Array.from({ length: size }, (_, n) => n % CLASSES);
    return {
      size,
      labels,
      inputs: byModality(Object.keys(modalities), (key) => valuesOf(modalities[key], labels, random.split(key))),
      groups: Array.from({ length: size }, (_, n) => `${name} ${n}`),
    };
  };
  return {
    name: "toy",
    modalities,
    classes: ["zero", "one", "two"],
    splits: { train: split("train", train), validation: split("validation", 12), test: split("test", 11) },
    fingerprint: "",
    notices: [],
  };
}

/** Vectors of unequal widths. */
export function vectors(m: number, names: readonly string[] = NAMES): Record<string, ModalityInfo> {
  const shapes = names.slice(0, m).map((name, u) =>
    [name, { ...INPUTS[0], shape: [WIDTHS[u % WIDTHS.length]] }] as const
  );
  return Object.fromEntries(shapes);
}

/** A model and the data that fits it. */
export interface Rig {
  readonly model: Model;
  readonly dataset: Dataset;
  /** Stand-ins for the teachers that its methods declare, on an engine. */
  teachers?(engine: Engine): Teachers;
}

/** What a rig is built of. */
export interface RigOptions {
  readonly m?: number;
  /** Names of the modalities, in the order in which widths go to them. */
  readonly names?: readonly string[];
  readonly fusionOptions?: Readonly<Record<string, unknown>>;
  readonly methods?: readonly Method[];
  /** Whether encoders are as wide as the fused feature; else all widths differ. */
  readonly wide?: boolean;
}

/** Width of encoders and fusion where all are equal. */
const WIDE = 12;

/** Options under which a fusion's feature has the width of wide encoders, or `null` if it has no such option. */
function wideOptions(plugin: FusionPlugin): Record<string, unknown> | null {
  return "width" in plugin.options ? { width: WIDE } : null;
}

/** A fusion, or `null` if it cannot serve these modalities and says so. */
export function built(
  plugin: FusionPlugin,
  context: ModelContext,
  options: Readonly<Record<string, unknown>> = {},
): Fusion | null {
  try {
    return plugin.create(options, context);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** The context of some modalities in sorted order. */
export function contextOf(names: readonly string[]): ModelContext {
  return { modalities: [...names].sort(), classes: CLASSES };
}

/** An encoder of a dataset's modality that gives tokens and has so many layers, from those registered. */
function tokenEncoder(library: Library, layers: number): { plugin: EncoderPlugin; info: ModalityInfo } | null {
  for (const plugin of library.of("encoder").list()) {
    for (const info of INPUTS) {
      const options = plugin.tiny ?? {};
      if (plugin.refuses(info, options) !== null) continue;
      const { tokens, transformer } = plugin.create(options, info);
      if (tokens && (transformer?.layers.length ?? 0) >= layers) return { plugin, info };
    }
  }
  return null;
}

/** A model of a fusion on made-up data; multilayer perceptrons with as many stages as the fusion asks for. */
export function fusionRig(plugin: FusionPlugin, library: Library, options: RigOptions = {}): Rig | null {
  const names = options.names ?? NAMES.slice(0, options.m ?? 2);
  const context = contextOf(names);
  const width = options.wide ? wideOptions(plugin) : {};
  if (width === null) return null;
  const fusion = built(plugin, context, { ...plugin.tiny, ...width, ...options.fusionOptions });
  if (fusion === null) return null;
  let infos = vectors(names.length, names);
  let encoders: Record<string, Encoder>;
  const { stages = 0, tokens = false, layers = 0, equalWidths = false } = fusion.needs;
  if (tokens || layers > 0) {
    const found = tokenEncoder(library, layers);
    if (found === null) {
      throw new BrokenContract("it needs token sequences, and no registered encoder gives them with so many layers");
    }
    infos = byModality(names, () => found.info);
    encoders = byModality(names, () => found.plugin.create(found.plugin.tiny ?? {}, found.info));
  } else {
    const hidden = Array.from({ length: Math.max(1, stages) }, (_, level) => 9 - level);
    encoders = Object.fromEntries(names.map((name, u) => [
      name,
      mlp.create({ hidden, width: options.wide || equalWidths ? WIDE : 8 + u }, infos[name]),
    ]));
  }
  const model = { context, encoders, fusion, methods: options.methods ?? [] };
  const dataset = toyDataset(infos);
  return { model, dataset, teachers: (engine) => standInTeachers(model, dataset, engine) };
}

/**
 * Stand-ins for teachers: outputs of the right shapes that depend on a sample's inputs alone. What a method does with what
 * teachers give does not ask what they know.
 */
export function standInTeachers(model: Model, dataset: Dataset, engine: Engine): Teachers {
  const specs: Record<string, TeacherSpec> = Object.assign({}, ...model.methods.map((own) => own.declares?.teachers));
  const widths = featureWidths(model, dataset, engine);
  return (name, split) => {
    const { size, inputs } = dataset.splits[split];
    const values = (modality: string, width: number) => {
      const row = inputs[modality].length / size;
      const sums = new Float64Array(size);
      inputs[modality].forEach((value, i) => sums[Math.floor(i / row)] += value);
      return Float32Array.from({ length: size * width }, (_, i) => Math.sin(sums[Math.floor(i / width)] + i % width));
    };
    const { modalities } = specs[name];
    const logits = values(modalities[0], dataset.classes.length);
    return Promise.resolve({
      logits,
      pooled: byModality(modalities, (modality) => values(modality, widths[modality])),
      solo: byModality(modalities, () => logits),
    });
  };
}

/** Options under which a method acts at once: its smallest; warm-ups end after the first epoch. */
export function early(plugin: MethodPlugin): Record<string, unknown> {
  return { ...plugin.tiny, ..."warmup" in plugin.options ? { warmup: 1 } : {} };
}

/** Registered fusions that a method works with for these modalities, and what it says of the others. */
export function fusionsFor(
  plugin: MethodPlugin,
  library: Library,
  m: number,
): { fits: FusionPlugin[]; refused: { name: string; reason: string }[] } {
  const context = contextOf(NAMES.slice(0, m));
  const fits: FusionPlugin[] = [];
  const refused: { name: string; reason: string }[] = [];
  for (const fusion of library.of("fusion").list()) {
    const wide = plugin.widths === "fused" ? wideOptions(fusion) : {};
    const made = wide === null ? null : built(fusion, context, { ...fusion.tiny, ...wide });
    if (made === null) continue;
    const reason = plugin.refuses?.(made, context, {}) ?? null;
    if (reason === null) fits.push(fusion);
    else refused.push({ name: fusion.name, reason });
  }
  return { fits, refused };
}

/** Training that takes moments: an odd number of samples, so that the last batch is padded. */
export const toyTraining: TrainingConfig = {
  budget: "epochs",
  epochs: 3,
  batchSize: 8,
  optimizer: "sgd",
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: "cosine",
  stepAt: 0.7,
  clipNorm: 10,
  select: "last",
};
