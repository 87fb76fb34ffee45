/**
 * From what a user asks for to the resolved configuration of a run.
 *
 * @module
 */
import { z } from "zod";
import type { Library } from "../core/library.ts";
import { byModality, modalitiesOf } from "../core/modality.ts";
import { describeType, type OptionSpec, type OptionSpecs, parseOption, type RawOptions, use } from "../core/options.ts";
import type {
  BuiltinKind,
  CellRequest,
  Dataset,
  Encoder,
  Fusion,
  Method,
  ModalityInfo,
  ModelContext,
} from "../core/kinds/mod.ts";
import type { PartConfig, RunConfig, TrainingConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { criterionOf } from "./criterion.ts";
import { crossEntropyLoss } from "../losses/cross_entropy.ts";
import { CompositionError, incompatibility } from "../training/compose.ts";
import { misfit, type Model } from "../training/model.ts";

/** Options of the training itself, the same for every method of a grid. */
export const trainingOptions: OptionSpecs = {
  budget: {
    type: "choice",
    choices: ["samples", "epochs"],
    default: "samples",
    about: "compare at an equal number of training samples drawn, or at equal epochs",
  },
  epochs: { type: "integer", default: 12, min: 1, about: "epochs, or under samples the budget in multiples of N" },
  batchSize: { type: "integer", default: 64, min: 1, about: "samples per step", source: "ARM (AAAI 2025), KS" },
  optimizer: { type: "choice", choices: ["sgd", "adamw"], default: "sgd", about: "PyTorch's SGD or AdamW" },
  learningRate: {
    type: "number",
    default: 0.02,
    min: 0,
    about: "start of the schedule",
    tune: [0.005, 0.01, 0.02, 0.05],
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
    choices: ["constant", "cosine", "step"],
    default: "cosine",
    about: "learning-rate schedule",
  },
  stepAt: { type: "number", default: 0.7, min: 0, max: 1, about: "share of the budget after which step takes a tenth" },
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

/** The encoder asked for a modality. */
function encoderFor(request: CellRequest, modality: string): PartConfig {
  const { encoder } = request;
  if (typeof encoder.name === "string") return encoder as PartConfig;
  const own = (encoder as Readonly<Record<string, PartConfig>>)[modality];
  if (own === undefined) {
    throw new RangeError(
      `Cannot build "${request.label}" as every modality must have an encoder: "${modality}" has none`,
    );
  }
  return own;
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
  },
): RunConfig {
  const all = modalitiesOf(dataset.modalities);
  const modalities = [...(request.modalities ?? all)].sort();
  for (const modality of modalities) {
    if (!all.includes(modality)) {
      throw new RangeError(
        `Cannot use modality "${modality}" of dataset "${request.dataset.name}": it has ${all.join(", ")}`,
      );
    }
  }
  // As plain data: what a library binds is found again by name.
  const resolved = (kind: BuiltinKind, config: PartConfig): PartConfig => {
    const { name, options } = library.bind(kind, config);
    return { name, options };
  };
  const config: RunConfig = {
    format: 2,
    dataset: { ...resolved("dataset", request.dataset), fingerprint: dataset.fingerprint },
    modalities,
    encoders: byModality(modalities, (modality) => resolved("encoder", encoderFor(request, modality))),
    fusion: resolved("fusion", request.fusion),
    methods: request.methods.map((method) => resolved("method", method)),
    training: library.resolve<TrainingConfig>("training", { options: trainingOptions }, request.training),
    seed: context.seed,
    engine: context.engine,
    version: context.version,
    plugins: [...context.plugins],
  };
  buildModel(config, library, dataset);
  return config;
}

/**
 * Builds the parts that a configuration names.
 *
 * @throws {RangeError} If parts do not fit each other; the message names both and says what fits.
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
    throw new Unfit({ what: problem.message.slice("Cannot ".length), hint: fitting });
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
  if (conflict !== null) throw new CompositionError(conflict);
  const criterion = criterionOf(config.training.loss ?? part(crossEntropyLoss.name), library, dataset, {
    context,
    fusion,
    methods,
  });
  return { context, encoders, fusion, methods, criterion };
}

/** The encoders that have what the fusion needs and take the input, with their default options. */
function fittingEncoders(fusion: Fusion, info: ModalityInfo, library: Library): string {
  const fits = library.of("encoder").list().filter((plugin) =>
    plugin.refuses(info, {}) === null && misfit(fusion, "", { it: plugin.create({}, info) }, { it: "" }) === null
  );
  return `encoders that fit are ${fits.map((plugin) => plugin.name).join(", ") || "none"}`;
}

const assignment = z.string().regex(/^[a-z][a-z0-9-]*(\.[A-Za-z][A-Za-z0-9_+-]*)+=/);

/**
 * Applies `--set` assignments to requests.
 *
 * `training.x`, `dataset.x`, `encoder.x`, `fusion.x` reach every request; `<part name>.x` reaches the requests that use
 * that part; `encoder.<modality>.x` one modality. Behind an option that is a part stand that part's own options:
 * `arm.sampler.k`.
 *
 * @throws {Refusal} If nothing that the assignment names is in use or has the option.
 */
export function applySettings(
  requests: readonly CellRequest[],
  settings: readonly string[],
  library: Library,
): CellRequest[] {
  return settings.reduce<CellRequest[]>((current, text) => applySetting(current, text, library), [...requests]);
}

/** Options with one of them set, which may be a part's within a part. */
function withOption(
  owner: string,
  specs: OptionSpecs,
  given: RawOptions,
  [option, ...inner]: readonly string[],
  text: string,
  library: Library,
): RawOptions {
  const spec: OptionSpec | undefined = Object.hasOwn(specs, option) ? specs[option] : undefined;
  if (spec === undefined) {
    throw new Refusal({
      what: `set "${option}" of ${owner}`,
      found: `its options are ${Object.keys(specs).join(", ") || "none"}`,
    });
  }
  if (inner.length === 0) {
    const value = parseOption(spec, text);
    library.resolve(owner, { options: { [option]: spec } }, { [option]: value });
    return { ...given, [option]: value };
  }
  if (spec.type !== "part") {
    throw new Refusal({
      what: `set "${[option, ...inner].join(".")}" of ${owner}`,
      must: `an option before a dot must be a part`,
      found: `"${option}" is ${describeType(spec)}`,
    });
  }
  const part = (given[option] ?? spec.default) as PartConfig;
  const { name, options } = typeof part === "string" ? { name: part as string, options: {} } : part;
  const plugin = library.of(spec.kind).get(name);
  const changed = withOption(`${spec.kind} "${name}" of ${owner}`, plugin.options, options, inner, text, library);
  return { ...given, [option]: { name, options: changed } };
}

/** Options with one of them set by `option=value` or `part.option=value`. @throws {Refusal} If there is no such option. */
export function withAssignment(
  owner: string,
  specs: OptionSpecs,
  given: RawOptions,
  text: string,
  library: Library,
): RawOptions {
  const equals = text.indexOf("=");
  if (equals < 1) throw new Refusal({ what: `read setting "${text}"`, must: "it must be <option>=<value>" });
  return withOption(owner, specs, given, text.slice(0, equals).split("."), text.slice(equals + 1), library);
}

function applySetting(requests: readonly CellRequest[], text: string, library: Library): CellRequest[] {
  if (!assignment.safeParse(text).success) {
    throw new Refusal({
      what: `read setting "${text}"`,
      must: "it must be <part>.<option>=<value>, e.g. training.epochs=5 or arm.sampler.k=-1",
    });
  }
  const equals = text.indexOf("=");
  const [head, ...path] = text.slice(0, equals).split(".");
  const value = text.slice(equals + 1);
  let reached = false;
  const found: string[] = [];
  const set = (kind: BuiltinKind, config: PartConfig, options: readonly string[] = path): PartConfig => {
    found.push(config.name);
    const plugin = library.of(kind).get(config.name);
    if (head !== kind && head !== plugin.name) return config;
    reached = true;
    const owner = `${kind} "${plugin.name}"`;
    return { name: config.name, options: withOption(owner, plugin.options, config.options, options, value, library) };
  };
  const ofEncoders = ({ encoder }: CellRequest): CellRequest["encoder"] => {
    if (typeof encoder.name === "string") {
      const { options } = library.of("encoder").get(encoder.name);
      // What is no option of its own is a modality's name, which one encoder for all does not know.
      const own = path.length === 1 || Object.hasOwn(options, path[0]);
      return own ? set("encoder", encoder as PartConfig) : encoder;
    }
    const encoders = encoder as Readonly<Record<string, PartConfig>>;
    const one = path.length > 1 && Object.hasOwn(encoders, path[0]) ? path[0] : null;
    return byModality(modalitiesOf(encoders), (modality) => {
      if (one === null) return set("encoder", encoders[modality]);
      return modality === one ? set("encoder", encoders[modality], path.slice(1)) : encoders[modality];
    });
  };
  const ofTraining = ({ training }: CellRequest): RawOptions => {
    if (head !== "training") return training;
    reached = true;
    return withOption("training", trainingOptions, training, path, value, library);
  };
  const result = requests.map((request): CellRequest => ({
    ...request,
    training: ofTraining(request),
    dataset: set("dataset", request.dataset),
    fusion: set("fusion", request.fusion),
    encoder: ofEncoders(request),
    methods: request.methods.map((method) => set("method", method)),
  }));
  if (!reached) {
    const parts = [...new Set(["training", "dataset", "encoder", "fusion", "method", ...found])];
    throw new Refusal({
      what: `apply setting "${text}"`,
      must: "it must name a part in use",
      found: `parts are ${parts.join(", ")}`,
    });
  }
  return result;
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
