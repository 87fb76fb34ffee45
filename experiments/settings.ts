/**
 * Settings: `--set` assignments applied to requests. Several values make several rows.
 *
 * @module
 */
import { modalitiesOf } from "../core/modality.ts";
import type { BuiltinKind, CellRequest } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import { describeType, type OptionSpec, type OptionSpecs, parseOption, type RawOptions } from "../core/options.ts";
import type { PartConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { encodersOf, otherModalities, trainingOptions } from "./config.ts";

const assignment = /^[a-z][a-z0-9-]*(\.[^.=\s]+)+=/;

/** `arm.sampler.k=-1` taken apart. */
interface Setting {
  readonly text: string;
  /** `arm`. */
  readonly head: string;
  /** `["sampler", "k"]`. */
  readonly path: readonly string[];
  /** `-1`. */
  readonly value: string;
}

/**
 * Applies `--set` assignments to requests.
 *
 * `training.x`, `dataset.x`, `encoder.x`, `fusion.x` reach every request; `<part name>.x` reaches the requests that use
 * that part; `encoder.<modality>.x` one modality. Behind an option that is a part stand that part's own options:
 * `arm.sampler.k`. Where an option takes one value, commas between several make a row for each.
 *
 * @throws {Refusal} If nothing that the assignment names is in use or has the option, or a value is not allowed.
 */
export function applySettings(
  requests: readonly CellRequest[],
  settings: readonly string[],
  library: Library,
): CellRequest[] {
  return settings.reduce<CellRequest[]>((current, text) => applySetting(current, text, library), [...requests]);
}

function parsed(text: string): Setting {
  if (!assignment.test(text)) {
    throw new Refusal({
      what: `read setting ${JSON.stringify(text.slice(0, 200))}`,
      must: "it must be <part>.<option>=<value>",
      hint: "write it as training.epochs=5 or arm.sampler.k=-1",
    });
  }
  const equals = text.indexOf("=");
  const [head, ...path] = text.slice(0, equals).split(".");
  return { text, head, path, value: text.slice(equals + 1) };
}

function applySetting(requests: readonly CellRequest[], text: string, library: Library): CellRequest[] {
  const setting = parsed(text);
  const found = new Set<string>(["training", "dataset", "encoder", "fusion", "method"]);
  let reached = false;
  const rows = requests.flatMap((request): CellRequest[] => {
    const specs: OptionSpec[] = [];
    new Change(request, setting, library, found, (spec) => specs.push(spec)).changed();
    if (specs.length === 0) return [request];
    reached = true;
    const values = specs.every(isSingle) ? valuesOf(setting) : [setting.value];
    return values.map((value) => {
      const changed = new Change(request, { ...setting, value }, library, found).changed();
      if (values.length === 1) return changed;
      const suffix = `${[setting.head, ...setting.path].join(".")}=${value}`;
      return { ...changed, label: `${request.label} ${suffix}`, ...placed(request, setting, value, suffix) };
    });
  });
  if (reached) return rows;
  throw new Refusal({
    what: `apply setting ${JSON.stringify(text.slice(0, 200))}`,
    must: "it must name a part in use",
    found: `parts are ${[...found].join(", ")}`,
    hint: didYouMean(setting.head, [...found]),
  });
}

/** Several values of an option of the data are several data sets, on which the rest is compared; others are rows of it. */
function placed(
  { label, across, dataset }: CellRequest,
  { head, path }: Setting,
  value: string,
  suffix: string,
): Pick<CellRequest, "across"> {
  if (head === "dataset" || head === dataset.name) {
    const { subject, data } = across ?? { subject: label, data: dataset.name };
    return { across: { subject, data: `${data} ${path.join(".")}=${value}` } };
  }
  return across === undefined ? {} : { across: { ...across, subject: `${across.subject} ${suffix}` } };
}

/** Whether an option takes one value, in which no comma stands. */
function isSingle({ type }: OptionSpec): boolean {
  return type !== "numbers" && type !== "parts" && type !== "text";
}

/** The values between commas, each once. */
function valuesOf({ text, value }: Setting): string[] {
  const values = value.split(",").map((one) => one.trim());
  if (values.length > 1 && values.includes("")) {
    throw new Refusal({
      what: `read setting ${JSON.stringify(text.slice(0, 200))}`,
      must: "a value must stand between commas",
      found: "nothing does",
    });
  }
  return values.length === 1 ? [value] : [...new Set(values)];
}

/** An option among others, or a part's within a part. */
interface Place {
  readonly owner: string;
  readonly specs: OptionSpecs;
  readonly given: RawOptions;
  readonly path: readonly string[];
}

/**
 * Options with one of them set, which may be a part's within a part.
 *
 * @param looking Is told the option, whose value stays as it is then.
 */
function withOption(
  { owner, specs, given, path: [option, ...inner] }: Place,
  text: string,
  library: Library,
  looking: ((spec: OptionSpec) => void) | null = null,
): RawOptions {
  const spec: OptionSpec | undefined = Object.hasOwn(specs, option) ? specs[option] : undefined;
  if (spec === undefined) {
    throw new Refusal({
      what: `set "${option.slice(0, 80)}" of ${owner}`,
      found: `its options are ${Object.keys(specs).join(", ") || "none"}`,
      hint: didYouMean(option, Object.keys(specs)),
    });
  }
  if (inner.length > 0) {
    if (spec.type !== "part") {
      throw new Refusal({
        what: `set "${[option, ...inner].join(".").slice(0, 80)}" of ${owner}`,
        must: "an option before a dot must be a part",
        found: `"${option}" is ${describeType(spec)}`,
      });
    }
    const chosen = (given[option] ?? spec.default) as PartConfig | string;
    const { name, options } = typeof chosen === "string" ? { name: chosen, options: {} } : chosen;
    const own = { owner: `${spec.kind} "${name}" of ${owner}`, specs: library.of(spec.kind).get(name).options };
    return {
      ...given,
      [option]: { name, options: withOption({ ...own, given: options, path: inner }, text, library, looking) },
    };
  }
  if (looking !== null) {
    looking(spec);
    return given;
  }
  const value = parseOption(spec, text);
  library.resolve(owner, { options: { [option]: spec } }, { [option]: value });
  return { ...given, [option]: value };
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
  if (equals < 1) {
    throw new Refusal({
      what: `read setting ${JSON.stringify(text.slice(0, 200))}`,
      must: "it must be <option>=<value>",
    });
  }
  return withOption({ owner, specs, given, path: text.slice(0, equals).split(".") }, text.slice(equals + 1), library);
}

/** One setting on one request. */
class Change {
  readonly #request: CellRequest;
  readonly #setting: Setting;
  readonly #library: Library;
  readonly #found: Set<string>;
  /** Is told which options the setting reaches, whose values stay as they are: they decide how the value is read. */
  readonly #looking: ((spec: OptionSpec) => void) | null;

  constructor(
    request: CellRequest,
    setting: Setting,
    library: Library,
    found: Set<string>,
    looking: ((spec: OptionSpec) => void) | null = null,
  ) {
    this.#request = request;
    this.#setting = setting;
    this.#library = library;
    this.#found = found;
    this.#looking = looking;
  }

  changed(): CellRequest {
    const { dataset, fusion, methods } = this.#request;
    return {
      ...this.#request,
      training: this.#training(),
      dataset: this.#part("dataset", dataset),
      fusion: this.#part("fusion", fusion),
      encoder: this.#encoder(),
      methods: methods.map((method) => this.#part("method", method)),
    };
  }

  #training(): RawOptions {
    const { training } = this.#request;
    const { head, path } = this.#setting;
    if (head === "training") return this.#options("training", trainingOptions, training, path);
    const augment = training["augment"] as readonly PartConfig[] | undefined;
    if (augment === undefined) return training;
    return { ...training, augment: augment.map((own) => this.#part("augmentation", own)) };
  }

  #encoder(): CellRequest["encoder"] {
    const { encoder } = this.#request;
    const { head, path } = this.#setting;
    const encoders = encodersOf(this.#request);
    const one = head === "encoder" && path.length > 1 ? this.#modality(encoders, path[0]) : null;
    if (one !== null) {
      const own = Object.hasOwn(encoders, one) ? encoders[one] : encoders[otherModalities];
      return { ...encoders, [one]: this.#part("encoder", own, path.slice(1)) };
    }
    if (typeof encoder.name === "string") return this.#part("encoder", encoder as PartConfig);
    return Object.fromEntries(modalitiesOf(encoders).map((name) => [name, this.#part("encoder", encoders[name])]));
  }

  /** The modality that stands before an encoder's option; `null` if it is an option that is a part. */
  #modality(encoders: Readonly<Record<string, PartConfig>>, name: string): string | null {
    if (Object.hasOwn(encoders, name) && name !== otherModalities) return name;
    const others: PartConfig | undefined = encoders[otherModalities];
    if (others === undefined) {
      const isOption = Object.values(encoders).some((own) => {
        return Object.hasOwn(this.#library.of("encoder").get(own.name).options, name);
      });
      if (isOption) return null;
      throw new Refusal({
        what: `apply setting ${JSON.stringify(this.#setting.text.slice(0, 200))}`,
        must: "the modality must have an encoder",
        found: `there are ${Object.keys(encoders).join(", ")}`,
        hint: didYouMean(name, Object.keys(encoders)),
      });
    }
    // What is no option of the encoder is a modality's name, which is checked once the data is there.
    return Object.hasOwn(this.#library.of("encoder").get(others.name).options, name) ? null : name;
  }

  #part(kind: BuiltinKind, config: PartConfig, path: readonly string[] = this.#setting.path): PartConfig {
    this.#found.add(config.name);
    const plugin = this.#library.of(kind).get(config.name);
    const { head } = this.#setting;
    if (head !== kind && head !== plugin.name) return config;
    const owner = `${kind} "${plugin.name}"`;
    return { name: config.name, options: this.#options(owner, plugin.options, config.options, path) };
  }

  #options(owner: string, specs: OptionSpecs, given: RawOptions, path: readonly string[]): RawOptions {
    return withOption({ owner, specs, given, path }, this.#setting.value, this.#library, this.#looking);
  }
}
