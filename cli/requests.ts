/**
 * What a call of `bench` asks for.
 *
 * @module
 */
import { resolve } from "node:path";
import type { CellRequest } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import { mapByModality, modalitiesOf } from "../core/modality.ts";
import type { PartConfig, RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { otherModalities, part } from "../experiments/config.ts";
import { readBytes, StoreError } from "../store/files.ts";
import { maxJsonBytes } from "../store/run_files.ts";
import { parseStored } from "../store/schemas.ts";
import type { Flags } from "./command.ts";
import { dataParts } from "./data_source.ts";

/** The command for rows instead of one model. */
export const toCompare = (names: readonly string[]): string => `to compare them write --compare ${names.join(",")}`;

/**
 * Methods of each row: a row per name of `--compare`, and one per `--method`, whose names are put on one model.
 *
 * @throws {Refusal} If a name is missing, or "none" stands beside others.
 */
export function methodRows(compare: readonly string[], methods: readonly string[]): string[][] {
  const rows = [...compare, ...methods].map((text) => {
    const names = text.split(/[,+]/).map((name) => name.trim());
    if (names.includes("")) {
      throw new Refusal({
        what: `read methods ${JSON.stringify(text.slice(0, 80))}`,
        must: "names must stand between commas or plus signs",
      });
    }
    if (names.length > 1 && names.includes("none")) {
      throw new Refusal({
        what: 'put "none" on one model with other methods',
        must: "it is the fusion without any",
        hint: toCompare(names),
      });
    }
    return names.filter((name) => name !== "none");
  });
  if (rows.length === 0) return [[]];
  return [...new Map(rows.map((names) => [names.join("+"), names])).values()];
}

/**
 * Encoders by modality: `cnn`, `image=resnet18,text=bert`, or `cnn,text=bert`, where the bare name stands for the others.
 *
 * @returns `undefined` if none is named.
 * @throws {Refusal} If a modality has two, or nothing stands where something must.
 */
export function encoders(values: readonly string[]): CellRequest["encoder"] | undefined {
  const chosen: Record<string, PartConfig> = {};
  for (const text of values) {
    const equals = text.indexOf("=");
    const modality = equals === -1 ? otherModalities : text.slice(0, equals).trim();
    const name = text.slice(equals + 1).trim();
    const what = `use --encoder ${JSON.stringify(text.slice(0, 80))}`;
    if (modality === "" || name === "") {
      throw new Refusal({
        what,
        must: "it must be NAME or MODALITY=NAME",
        hint: "write it as image=resnet18,text=bert",
      });
    }
    if (Object.hasOwn(chosen, modality)) {
      throw new Refusal({
        what,
        must: "a modality must have one encoder",
        found: `found "${chosen[modality].name}" too`,
        hint: "name the modality, as image=resnet18,text=bert",
      });
    }
    Object.defineProperty(chosen, modality, { value: part(name), enumerable: true });
  }
  if (values.length === 0) return undefined;
  const [only, more] = modalitiesOf(chosen);
  return only === otherModalities && more === undefined ? chosen[only] : chosen;
}

/**
 * What a call says of weights, of frozen groups and of learning rates, whatever else it names.
 *
 * @throws {Refusal} If weights are no pair of a modality and a file, or a modality has two; if a rate is no number.
 */
export function pretrainedOf(parsed: Flags): Pick<CellRequest, "weights" | "freeze" | "rates"> {
  const { weights: texts, freeze, rate } = parsed.list;
  const weights: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf("=");
    const [modality, path] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
    if (equals < 1 || modality === "" || path === "" || Object.hasOwn(weights, modality)) {
      throw new Refusal({
        what: `use --weights ${JSON.stringify(text.slice(0, 80))}`,
        must: "it must name each modality once, with its file",
        hint: "write it as image=resnet18.safetensors",
      });
    }
    Object.defineProperty(weights, modality, { value: path, enumerable: true });
  }
  const rates = rate.map((text): [string, number] => {
    const equals = text.lastIndexOf("=");
    const factor = Number(text.slice(equals + 1));
    if (equals < 1 || text.slice(equals + 1).trim() === "" || Number.isNaN(factor)) {
      throw new Refusal({
        what: `use --rate ${JSON.stringify(text.slice(0, 80))}`,
        must: "it must name a group and a factor",
        hint: "write it as encoder:image=0.1",
      });
    }
    return [text.slice(0, equals).trim(), factor];
  });
  return {
    ...(texts.length === 0 ? {} : { weights }),
    ...(freeze.length === 0 ? {} : { freeze }),
    ...(rates.length === 0 ? {} : { rates: Object.fromEntries(rates) }),
  };
}

/**
 * What changes the samples that training draws.
 *
 * @param texts `image=flip,random-crop` or `mixup`.
 * @throws {Refusal} If one names nothing.
 */
export function augmentOf(texts: readonly string[]): PartConfig[] {
  return texts.flatMap((text) => {
    const equals = text.indexOf("=");
    const modality = equals === -1 ? "" : text.slice(0, equals).trim();
    const names = text.slice(equals + 1).split(",").map((name) => name.trim());
    if (equals === 0 || names.includes("")) {
      throw new Refusal({
        what: `use --augment ${JSON.stringify(text.slice(0, 80))}`,
        must: "it must name a modality and augmentations",
        hint: "write it as image=flip,random-crop",
      });
    }
    return names.map((name) => part(name, modality === "" ? {} : { modality }));
  });
}

/** Configurations named on the command line: every fusion with every method. */
export async function requestsOf(parsed: Flags, library: Library): Promise<CellRequest[]> {
  const fusions = parsed.list.fusion.length === 0 ? ["concat"] : parsed.list.fusion;
  const modalities = parsed.list.modality.length === 0 ? undefined : parsed.list.modality;
  const rows = methodRows(parsed.list.compare, parsed.list.method);
  const chosen = encoders(parsed.list.encoder);
  if (parsed.list.tokenizer.length > 0 && parsed.text.data === undefined) {
    throw new Refusal({
      what: "use --tokenizer",
      must: "there must be texts of yours",
      found: "there is no --data",
      hint: "name your data too: --data list.csv",
    });
  }
  const named = library.of("dataset").get(parsed.text.dataset ?? "av-digits");
  const { dataset, encoder } = parsed.text.data === undefined
    ? { dataset: part(named.name), encoder: chosen ?? named.encoder ?? part("cnn") }
    // The one line of each result is all that --json puts out.
    : await dataParts(
      parsed.text.data,
      { encoder: chosen, skip: parsed.boolean["skip-broken"], tokenizers: parsed.list.tokenizer },
      parsed.boolean.json ? console.error : console.log,
    );
  return fusions.flatMap((fusion) =>
    rows.map((names): CellRequest => ({
      label: [fusion, ...names.length === 0 ? [] : [names.join("+")]].join(" "),
      dataset,
      modalities,
      encoder,
      fusion: part(fusion),
      methods: names.map((name) => part(name)),
      training: {},
    }))
  );
}

/**
 * Requests on corrupted data, as `--corrupt`, `--drop` and `--corrupt-at` say; without the first two they stay as they
 * are.
 *
 * @throws {Refusal} If `--corrupt-at` stands alone.
 */
export function corruptedRequests(requests: readonly CellRequest[], parsed: Flags): CellRequest[] {
  const { corrupt, drop } = parsed.list;
  const at = parsed.text["corrupt-at"];
  if (corrupt.length + drop.length === 0) {
    if (at === undefined) return [...requests];
    throw new Refusal({
      what: "use --corrupt-at",
      must: "there must be something to do to the data",
      found: "neither --corrupt nor --drop is given",
      hint: "name one, as --corrupt image.blur=3",
    });
  }
  const said = {
    ...corrupt.length === 0 ? {} : { corrupt: corrupt.join(" ") },
    ...drop.length === 0 ? {} : { drop: drop.join(" ") },
    ...at === undefined ? {} : { at },
  };
  return requests.map((request) => ({ ...request, dataset: part("corrupted", { of: request.dataset, ...said }) }));
}

/** Reads the configuration that a run keeps. @throws {StoreError} If there is none, or it is none. */
export async function readRunConfig(file: string): Promise<RunConfig> {
  const path = resolve(file);
  const bytes = await readBytes(path, maxJsonBytes);
  const hint = "name the config.json of a run's folder";
  if (bytes !== null) return parseStored("config", new TextDecoder().decode(bytes), path, undefined, hint);
  throw new StoreError("missing", path, {
    what: `read "${path}"`,
    must: "it must exist",
    found: "nothing is there",
    hint,
  });
}

/** What a kept configuration asked for, every option of it. */
export function requestFor(config: RunConfig): CellRequest {
  const method = config.methods.map(({ name }) => name).join("+");
  return {
    label: method === "" ? config.fusion.name : `${config.fusion.name} ${method}`,
    dataset: part(config.dataset.name, config.dataset.options),
    modalities: config.modalities,
    encoder: config.encoders,
    ...(config.weights === undefined ? {} : { weights: mapByModality(config.weights, ({ path }) => path) }),
    ...(config.freeze === undefined ? {} : { freeze: config.freeze }),
    ...(config.rates === undefined ? {} : { rates: config.rates }),
    fusion: config.fusion,
    methods: config.methods,
    training: { ...config.training },
  };
}
