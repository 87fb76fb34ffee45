/**
 * From what a user asks for to the resolved configuration of a run.
 *
 * @module
 */
import { z } from "zod";
import type { Library } from "../core/library.ts";
import { byModality, modalitiesOf } from "../core/modality.ts";
import { describeType, type OptionSpec, type OptionSpecs, parseOption, resolveOptions } from "../core/options.ts";
import type { Dataset, Encoder, Fusion, Method, ModalityInfo, ModelContext } from "../core/kinds/mod.ts";
import type { PartConfig, RunConfig, TrainingConfig } from "../core/record.ts";
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
};

/** One configuration as asked for: parts by name with some options, still without a seed. */
export interface CellRequest {
  /** What it is called in tables; unique in its grid. */
  readonly label: string;
  readonly dataset: PartConfig;
  /** The modalities to use; all if absent. */
  readonly modalities?: readonly string[];
  /** One encoder for all modalities, or one each. */
  readonly encoder: PartConfig | Readonly<Record<string, PartConfig>>;
  readonly fusion: PartConfig;
  readonly methods: readonly PartConfig[];
  readonly training: Readonly<Record<string, unknown>>;
}

/** What the run is made on. */
export interface EngineConfig {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
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
  dataset: Pick<Dataset, "fingerprint" | "modalities" | "classes">,
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
  const resolved = (kind: string, plugin: { name: string; options: OptionSpecs }, options: PartConfig["options"]) => ({
    name: plugin.name,
    options: resolveOptions(`${kind} "${plugin.name}"`, plugin.options, options),
  });
  const config: RunConfig = {
    format: 1,
    dataset: {
      ...resolved("dataset", library.datasets.get(request.dataset.name), request.dataset.options),
      fingerprint: dataset.fingerprint,
    },
    modalities,
    encoders: byModality(modalities, (modality) => {
      const { name, options } = encoderFor(request, modality);
      return resolved("encoder", library.encoders.get(name), options);
    }),
    fusion: resolved("fusion", library.fusions.get(request.fusion.name), request.fusion.options),
    methods: request.methods.map(({ name, options }) => resolved("method", library.methods.get(name), options)),
    training: resolveOptions<TrainingConfig>("training", trainingOptions, request.training),
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
  dataset: Pick<Dataset, "modalities" | "classes">,
): Model {
  const context: ModelContext = { modalities: config.modalities, classes: dataset.classes.length };
  const encoders: Record<string, Encoder> = byModality(config.modalities, (modality) => {
    const { name, options } = config.encoders[modality];
    const plugin = library.encoders.get(name);
    const info = dataset.modalities[modality];
    const refusal = plugin.refuses(info, options);
    if (refusal !== null) {
      const fitting = library.encoders.list().filter((other) => other.refuses(info, {}) === null);
      throw new RangeError(
        `Cannot use encoder "${name}" for modality "${modality}" of shape [${info.shape.join(", ")}]: ${refusal}; ` +
          `encoders that fit are ${fitting.map((other) => other.name).join(", ") || "none"}`,
      );
    }
    return plugin.create(options, info);
  });
  const fusion: Fusion = library.fusions.get(config.fusion.name).create(config.fusion.options, context);
  const names = byModality(config.modalities, (modality) => config.encoders[modality].name);
  const problem = misfit(fusion, config.fusion.name, encoders, names);
  if (problem !== null) {
    throw new RangeError(
      `${problem.message}; ${fittingEncoders(fusion, dataset.modalities[problem.modality], library)}`,
    );
  }
  const methods: Method[] = config.methods.map(({ name, options }) => {
    const plugin = library.methods.get(name);
    const refusal = plugin.refuses?.(fusion, context, options) ?? null;
    if (refusal !== null) {
      throw new RangeError(`Cannot use method "${name}" on fusion "${config.fusion.name}": ${refusal}`);
    }
    return plugin.create(options, context);
  });
  const conflict = incompatibility(methods);
  if (conflict !== null) throw new CompositionError(conflict);
  return { context, encoders, fusion, methods };
}

/** The encoders that have what the fusion needs and take the input, with their default options. */
function fittingEncoders(fusion: Fusion, info: ModalityInfo, library: Library): string {
  const fits = library.encoders.list().filter((plugin) =>
    plugin.refuses(info, {}) === null && misfit(fusion, "", { it: plugin.create({}, info) }, { it: "" }) === null
  );
  return `encoders that fit are ${fits.map((plugin) => plugin.name).join(", ") || "none"}`;
}

const assignment = z.string().regex(/^[a-z][a-z0-9-]*(\.[A-Za-z][A-Za-z0-9]*){1,2}=/);

/**
 * Applies `--set` assignments to requests.
 *
 * `training.x`, `dataset.x`, `encoder.x`, `fusion.x` reach every request; `<part name>.x` reaches the requests that use
 * that part; `encoder.<modality>.x` one modality.
 *
 * @throws {RangeError} If nothing that the assignment names is in use or has the option.
 */
export function applySettings(
  requests: readonly CellRequest[],
  settings: readonly string[],
  library: Library,
): CellRequest[] {
  return settings.reduce<CellRequest[]>((current, text) => applySetting(current, text, library), [...requests]);
}

function applySetting(requests: readonly CellRequest[], text: string, library: Library): CellRequest[] {
  if (!assignment.safeParse(text).success) {
    throw new RangeError(
      `Cannot read setting "${text}" as it must be <part>.<option>=<value>, e.g. training.epochs=5 or arm.lambda1=0.2`,
    );
  }
  const equals = text.indexOf("=");
  const path = text.slice(0, equals).split(".");
  const value = text.slice(equals + 1);
  const option = path[path.length - 1];
  let reached = false;
  const found: string[] = [];
  const parse = (specs: OptionSpecs, owner: string): unknown => {
    const spec: OptionSpec | undefined = specs[option];
    if (spec === undefined) {
      throw new RangeError(
        `Cannot set "${option}" of ${owner}: its options are ${Object.keys(specs).join(", ") || "none"}`,
      );
    }
    reached = true;
    const parsed = parseOption(spec, value);
    resolveOptions(owner, { [option]: spec }, { [option]: parsed });
    return parsed;
  };
  const withOption = (config: PartConfig, specs: OptionSpecs, owner: string): PartConfig => ({
    name: config.name,
    options: { ...config.options, [option]: parse(specs, owner) },
  });
  const result = requests.map((request): CellRequest => {
    const [head] = path;
    const dataset = library.datasets.get(request.dataset.name);
    const fusion = library.fusions.get(request.fusion.name);
    found.push(request.fusion.name, request.dataset.name, ...request.methods.map(({ name }) => name));
    let changed: CellRequest = request;
    if (head === "training" && path.length === 2) {
      changed = { ...changed, training: { ...changed.training, [option]: parse(trainingOptions, "training") } };
    }
    if ((head === "dataset" || head === dataset.name) && path.length === 2) {
      changed = { ...changed, dataset: withOption(changed.dataset, dataset.options, `dataset "${dataset.name}"`) };
    }
    if ((head === "fusion" || head === fusion.name) && path.length === 2) {
      changed = { ...changed, fusion: withOption(changed.fusion, fusion.options, `fusion "${fusion.name}"`) };
    }
    const set = (config: PartConfig): PartConfig => {
      found.push(config.name);
      const plugin = library.encoders.get(config.name);
      if (head !== "encoder" && head !== plugin.name) return config;
      return withOption(config, plugin.options, `encoder "${plugin.name}"`);
    };
    if (typeof changed.encoder.name === "string") {
      if (path.length === 2) changed = { ...changed, encoder: set(changed.encoder as PartConfig) };
    } else {
      const encoders = changed.encoder as Readonly<Record<string, PartConfig>>;
      changed = {
        ...changed,
        encoder: byModality(
          modalitiesOf(encoders),
          (modality) => path.length === 2 || path[1] === modality ? set(encoders[modality]) : encoders[modality],
        ),
      };
    }
    if (path.length === 2) {
      changed = {
        ...changed,
        methods: changed.methods.map((config) => {
          const plugin = library.methods.get(config.name);
          if (head !== "method" && head !== plugin.name) return config;
          return withOption(config, plugin.options, `method "${plugin.name}"`);
        }),
      };
    }
    return changed;
  });
  if (!reached) {
    const parts = [...new Set(["training", "dataset", "encoder", "fusion", "method", ...found])];
    throw new RangeError(`Cannot apply setting "${text}" as it must name a part in use: parts are ${parts.join(", ")}`);
  }
  return result;
}

/** An option in words, for `--describe`. */
export function describeOption(name: string, spec: OptionSpec): string {
  const source = spec.source === undefined ? "" : ` [${spec.source}]`;
  const tune = "tune" in spec && spec.tune !== undefined ? `; worth trying: ${spec.tune.join(", ")}` : "";
  return `${name} = ${JSON.stringify(spec.default)}: ${spec.about} (${describeType(spec)}${tune})${source}`;
}
