/**
 * From what a user asks for to the resolved configuration of a run.
 *
 * @module
 */
import type { Library } from "../core/library.ts";
import { byModality, modalitiesOf } from "../core/modality.ts";
import { describeType, type OptionSpec, type OptionSpecs, type RawOptions, use } from "../core/options.ts";
import type {
  BuiltinKind,
  CellRequest,
  Dataset,
  Encoder,
  EncoderPlugin,
  Fusion,
  Method,
  ModalityInfo,
  ModelContext,
} from "../core/kinds/mod.ts";
import type { PartConfig, RunConfig, TrainingConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { Augmenter, type AugmentPlan } from "../augment/augmenter.ts";
import { crossEntropyLoss } from "../losses/cross_entropy.ts";
import { incompatibility } from "../training/compose.ts";
import { misfit, type Model } from "../training/model.ts";
import { selects } from "../training/select.ts";
import { criterionOf } from "./criterion.ts";

/** Options of the training itself, the same for every method of a grid. */
export const trainingOptions: OptionSpecs = {
  budget: {
    type: "choice",
    choices: ["samples", "epochs"],
    default: "samples",
    about: "compare at an equal number of training samples drawn, or at equal epochs",
  },
  epochs: {
    type: "integer",
    default: 12,
    min: 1,
    max: 1_000_000,
    about: "epochs, or under samples the budget in multiples of N",
  },
  batchSize: {
    type: "integer",
    default: 64,
    min: 1,
    max: 1_048_576,
    about: "samples per step",
    source: "ARM (AAAI 2025), KS",
  },
  optimizer: { type: "choice", choices: ["sgd", "adamw"], default: "sgd", about: "PyTorch's SGD or AdamW" },
  learningRate: {
    type: "number",
    default: 0.02,
    min: 0,
    about: "start of the schedule",
    tune: [0.005, 0.01, 0.02, 0.05, 0.1],
  },
  momentum: { type: "number", default: 0.9, min: 0, max: 1, about: "SGD momentum", source: "ARM (AAAI 2025)" },
  weightDecay: {
    type: "number",
    default: 5e-4,
    min: 0,
    about: "L2 (SGD) or decoupled (AdamW)",
    source: "ARM (AAAI 2025)",
  },
  schedule: {
    type: "choice",
    choices: ["constant", "cosine", "linear", "step"],
    default: "cosine",
    about: "learning-rate schedule; linear falls to 0",
  },
  stepAt: { type: "number", default: 0.7, min: 0, max: 1, about: "share of the budget after which step takes a tenth" },
  warmup: {
    type: "number",
    default: 0,
    min: 0,
    max: 1,
    about: "share of the budget over which the rate first rises linearly from 0; the schedule goes over the rest",
    source: "off here; 0.1 with linear as BERT is fine-tuned",
    tune: [0, 0.05, 0.1],
  },
  layerDecay: {
    type: "number",
    default: 1,
    min: 0.01,
    max: 1,
    about: "factor on the learning rate from each layer of an encoder to the one before it; 1 is none",
    source: "Clark et al., ELECTRA, ICLR 2020",
    tune: [0.65, 0.75, 0.9, 1],
  },
  clipNorm: { type: "number", default: 10, min: 0, about: "largest global gradient norm; 0 is off" },
  select: {
    type: "choice",
    choices: ["best", "last"],
    default: "best",
    about: "test the epoch that is best on validation, or the last",
  },
  loss: {
    type: "part",
    kind: "loss",
    default: use(crossEntropyLoss),
    about: "the task's loss of the fused logits",
    source: "the paper and nearly all rivals",
    tune: ["cross-entropy", "focal"],
  },
  augment: {
    type: "parts",
    kind: "augmentation",
    default: [],
    about: "what changes the samples that training draws, drawn by seed, epoch and sample: --augment",
    source: "off, as methods are compared on the same samples",
  },
};

/** What the run is made on. */
export interface EngineConfig {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
}

/** Parts that do not fit each other or the data. */
export class Unfit extends Refusal {
  override readonly name = "Unfit";
}

/** A part by name with no options said. */
export function part(name: string, options: Readonly<Record<string, unknown>> = {}): PartConfig {
  return { name, options };
}

/** Stands for every modality that has no encoder of its own. */
export const otherModalities = "*";

/** The encoders that a request names, by modality. */
export function encodersOf({ encoder }: Pick<CellRequest, "encoder">): Readonly<Record<string, PartConfig>> {
  return typeof encoder.name === "string"
    ? { [otherModalities]: encoder as PartConfig }
    : encoder as Readonly<Record<string, PartConfig>>;
}

/** The encoder asked for a modality. */
function encoderFor(request: CellRequest, modality: string): PartConfig {
  const encoders = encodersOf(request);
  const own = Object.hasOwn(encoders, modality) ? encoders[modality] : encoders[otherModalities];
  if (own !== undefined) return own;
  throw new Refusal({
    what: `build "${request.label}"`,
    must: "every modality must have an encoder",
    found: `"${modality}" has none`,
    hint: `name one, as --encoder ${modality}=mlp, or one for all others, as --encoder mlp`,
  });
}

/** Checks that the modalities which a request names are the dataset's. */
function checkModalities(request: CellRequest, all: readonly string[]): void {
  const check = (what: string, names: readonly string[]) => {
    const strange = names.find((name) => !all.includes(name));
    if (strange === undefined) return;
    throw new Refusal({
      what: `${what} "${strange}" of dataset "${request.dataset.name}"`,
      found: `it has ${all.join(", ")}`,
      hint: didYouMean(strange, all),
    });
  };
  check("use modality", request.modalities ?? []);
  check("set an encoder for modality", Object.keys(encodersOf(request)).filter((name) => name !== otherModalities));
}

/** @throws {Refusal} If a selector fits no group that a model of these modalities can have. */
function checkSelectors(does: string, selectors: readonly string[], modalities: readonly string[]): void {
  const groups = [
    ...modalities.map((modality) => `encoder:${modality}`),
    "fusion",
    "head",
    ...modalities.map((modality) => `head:${modality}`),
  ];
  for (const selector of selectors) {
    // Groups of methods are theirs to name; the program that trains says if there is none.
    if (selector.startsWith("aux:") || groups.some((group) => selects([selector], group))) continue;
    throw new Refusal({
      what: `${does} "${selector}"`,
      must: "there must be a group of parameters of that name",
      found: `groups are ${groups.join(", ")}`,
    });
  }
}

/** Frozen groups and factors of learning rates, checked, in one order. */
function groupSettings(
  { freeze, rates }: CellRequest,
  modalities: readonly string[],
): Pick<RunConfig, "freeze" | "rates"> {
  if (freeze !== undefined) checkSelectors("freeze", freeze, modalities);
  const factors = Object.entries(rates ?? {}).sort(([a], [b]) => a < b ? -1 : 1);
  checkSelectors("set the learning rate of", factors.map(([selector]) => selector), modalities);
  const bad = factors.find(([, factor]) => !(factor > 0 && Number.isFinite(factor)));
  if (bad !== undefined) {
    throw new Refusal({
      what: `set the learning rate of "${bad[0]}"`,
      must: "its factor must be a number above 0",
      found: `found ${bad[1]}`,
      hint: "to leave a group untrained, freeze it",
    });
  }
  return {
    ...(freeze === undefined ? {} : { freeze: [...new Set(freeze)].sort() }),
    ...(factors.length === 0 ? {} : { rates: Object.fromEntries(factors) }),
  };
}

/**
 * Options of training. Of what is off and was not always there no word is said, so that a run that does without has the name
 * that it had.
 */
function resolvedTraining(request: CellRequest, library: Library): TrainingConfig {
  const { augment = [], warmup = 0, layerDecay = 1, ...training } = library.resolve<TrainingConfig>(
    "training",
    { options: trainingOptions },
    request.training,
  );
  return {
    ...training,
    ...(warmup === 0 ? {} : { warmup }),
    ...(layerDecay === 1 ? {} : { layerDecay }),
    ...(augment.length === 0 ? {} : { augment: augment.map(({ name, options }) => ({ name, options })) }),
  };
}

/** The augmentations of a configuration. @throws {Refusal} If one does not take what it is for. */
export function augmentationsOf(
  { training: { augment = [] }, modalities, seed }: RunConfig,
  library: Library,
  dataset: Pick<Dataset, "modalities">,
): AugmentPlan["parts"] {
  const parts = augment.map((config) => library.bind("augmentation", config));
  // Refuses what does not fit.
  new Augmenter({ parts, seed }, byModality(modalities, (modality) => dataset.modalities[modality]), 1);
  return parts;
}

/** Resolves every option of a request, for one seed. Throws on whatever does not exist or does not fit. */
export function resolveConfig(
  request: CellRequest,
  library: Library,
  dataset: Pick<Dataset, "fingerprint" | "modalities" | "classes"> & Partial<Pick<Dataset, "splits">>,
  context: {
    readonly seed: number;
    readonly engine: EngineConfig;
    readonly version: string;
    readonly plugins: readonly string[];
    /** Digests of the request's weights, by modality. @default none */
    readonly weights?: RunConfig["weights"];
  },
): RunConfig {
  const all = modalitiesOf(dataset.modalities);
  const modalities = [...(request.modalities ?? all)].sort();
  checkModalities(request, all);
  // As plain data: what a library binds is found again by name.
  const resolved = (kind: BuiltinKind, config: PartConfig): PartConfig => {
    const { name, options } = library.bind(kind, config);
    return { name, options };
  };
  const { options: specs } = library.bind("dataset", request.dataset).plugin;
  const places = Object.keys(specs).filter((name) => specs[name].place === true);
  const config: RunConfig = {
    format: 2,
    dataset: {
      ...resolved("dataset", request.dataset),
      fingerprint: dataset.fingerprint,
      ...places.length === 0 ? {} : { places },
    },
    modalities,
    encoders: byModality(modalities, (modality) => resolved("encoder", encoderFor(request, modality))),
    ...(context.weights === undefined ? {} : { weights: context.weights }),
    ...groupSettings(request, modalities),
    fusion: resolved("fusion", request.fusion),
    methods: request.methods.map((method) => resolved("method", method)),
    training: resolvedTraining(request, library),
    seed: context.seed,
    engine: context.engine,
    version: context.version,
    plugins: [...context.plugins],
  };
  buildModel(config, library, dataset);
  augmentationsOf(config, library, dataset);
  return config;
}

/**
 * Builds the parts that a configuration names.
 *
 * @throws {Refusal} If parts do not fit each other; it names both and says what fits.
 */
export function buildModel(
  config: RunConfig,
  library: Library,
  dataset: Pick<Dataset, "modalities" | "classes"> & Partial<Pick<Dataset, "splits">>,
): Model {
  const context: ModelContext = { modalities: config.modalities, classes: dataset.classes.length };
  const encoders: Record<string, Encoder> = byModality(config.modalities, (modality) => {
    const { name, plugin, options } = library.bind("encoder", config.encoders[modality]);
    const info = dataset.modalities[modality];
    const refusal = plugin.refuses(info, options);
    if (refusal !== null) {
      const fitting = library.of("encoder").list().filter((other) => other.refuses(info, {}) === null);
      throw new Unfit({
        what: `use encoder "${name}" for modality "${modality}" of shape [${info.shape.join(", ")}]`,
        found: refusal,
        hint: `encoders that fit are ${fitting.map((other) => other.name).join(", ") || "none"}`,
      });
    }
    return plugin.create(options, info);
  });
  const chosen = library.bind("fusion", config.fusion);
  const fusion: Fusion = chosen.plugin.create(chosen.options, context);
  const names = byModality(config.modalities, (modality) => config.encoders[modality].name);
  const problem = misfit(fusion, config.fusion.name, encoders, names);
  if (problem !== null) {
    const fitting = fittingEncoders(fusion, dataset.modalities[problem.modality], library);
    const { what, must, found } = problem.refusal;
    throw new Unfit({ what, must, found, hint: fitting });
  }
  const methods: Method[] = config.methods.map((given) => {
    const { name, plugin, options } = library.bind("method", given);
    const refusal = plugin.refuses?.(fusion, context, options) ?? null;
    if (refusal !== null) {
      throw new Unfit({ what: `use method "${name}" on fusion "${config.fusion.name}"`, found: refusal });
    }
    return plugin.create(options, context);
  });
  const conflict = incompatibility(methods);
  if (conflict !== null) throw conflict;
  const criterion = criterionOf(config.training.loss ?? part(crossEntropyLoss.name), library, dataset, {
    context,
    fusion,
    methods,
  });
  const groups = {
    ...(config.freeze === undefined ? {} : { frozen: config.freeze }),
    ...(config.rates === undefined ? {} : { rates: config.rates }),
    ...(config.training.layerDecay === undefined ? {} : { layerDecay: config.training.layerDecay }),
  };
  return { context, encoders, fusion, methods, criterion, ...groups };
}

/** The encoders that have what the fusion needs and take the input, with their default options or with longer lists. */
function fittingEncoders(fusion: Fusion, info: ModalityInfo, library: Library): string {
  const fits = (plugin: EncoderPlugin, options: RawOptions) =>
    plugin.refuses(info, options) === null &&
    misfit(fusion, "", { it: plugin.create(options, info) }, { it: "" }) === null;
  const all = library.of("encoder").list();
  const fitting = all.filter((plugin) => fits(plugin, {})).map(({ name }) => name);
  // Where depth is the length of a list, as of widths, an encoder may have as many stages as are asked for.
  const deeper = all.flatMap((plugin) =>
    Object.entries(plugin.options).flatMap(([option, spec]) => {
      if (spec.type !== "numbers" || spec.default.length === 0) return [];
      const list = Array.from({ length: fusion.needs.stages ?? 0 }, () => spec.default[0]);
      return fits(plugin, { [option]: list }) ? [`${plugin.name} with --set encoder.${option}=${list.join(",")}`] : [];
    })
  );
  return `encoders that fit are ${(fitting.length > 0 ? fitting : deeper).join(", ") || "none"}`;
}

/** An option in words, for `--describe`. */
export function describeOption(name: string, spec: OptionSpec): string {
  const source = spec.source === undefined ? "" : ` [${spec.source}]`;
  const tune = "tune" in spec && spec.tune !== undefined ? `; worth trying: ${spec.tune.join(", ")}` : "";
  return `${name} = ${defaultText(spec)}: ${spec.about} (${describeType(spec)}${tune})${source}`;
}

/** A default in words: parts by their names, whose options are described on lines of their own. */
function defaultText(spec: OptionSpec): string {
  if (spec.type === "part") return spec.default.name;
  if (spec.type === "parts") return spec.default.map(({ name }) => name).join(",") || "none";
  return JSON.stringify(spec.default);
}
