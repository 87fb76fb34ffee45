/**
 * What a call of `bench`, `tune` or `reproduce` asks for.
 *
 * @module
 */
import { join } from "node:path";
import type { CellRequest, GridPlugin, GridProfile } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { didYouMean } from "../core/suggest.ts";
import { applySettings } from "../experiments/settings.ts";
import { type Flags, parseInteger } from "./command.ts";
import { augmentOf, corruptedRequests, methodRows, pretrainedOf, requestFor, requestsOf } from "./requests.ts";

/** Flags that name parts. */
const PARTS = "--dataset, --data, --encoder, --fusion, --method, --compare or --modality";

/** What a call asks for, checked as far as it can be without data. */
export interface Asked {
  readonly requests: readonly CellRequest[];
  readonly seeds: readonly number[];
  /** Names that a comma puts on one model. */
  readonly composed: readonly string[][];
  /** The prepared grid; `null` where parts are named. */
  readonly grid: GridPlugin | null;
  /** Sets that must have been prepared, by the folders in which configurations look for them. */
  readonly sets: Readonly<Record<string, string>>;
  /** Whether it is a single cell, which is compared with nothing. */
  readonly alone: boolean;
}

/** A form of a grid by name. @throws {Refusal} If it has none of that name. */
export function profileOf({ name, profiles = {} }: GridPlugin, profile: string): GridProfile {
  if (Object.hasOwn(profiles, profile)) return profiles[profile];
  const names = Object.keys(profiles);
  throw new Refusal({
    what: `use profile ${JSON.stringify(profile.slice(0, 80))} of grid "${name}"`,
    must: "the grid must have it",
    found: `it has ${names.join(", ") || "none"}`,
    hint: didYouMean(profile, names),
  });
}

/** What is at a folder that must hold a prepared set; `null` for one that does. */
async function lackingAt(folder: string): Promise<string | null> {
  const there = async (name: string) =>
    await Deno.stat(join(folder, name)).then(() => true, (error) => {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
      throw error;
    });
  if (await there("dataset.json")) return null;
  if (await there("prepare.json")) return "is not finished";
  return await there(".") ? "is there and no prepared set" : "is not there";
}

/**
 * Checks that the sets which some cells are of have been prepared.
 *
 * @param sets Sets by the folders in which cells look for them.
 * @throws {Refusal} If one has not; the message holds the command that prepares it.
 */
export async function checkPrepared(
  sets: Readonly<Record<string, string>>,
  cells: readonly CellRequest[],
): Promise<void> {
  const asked = new Set(cells.map(({ dataset }) => dataset.name === "files" ? dataset.options.path : ""));
  const lacking: { folder: string; set: string; found: string }[] = [];
  for (const [folder, set] of Object.entries(sets)) {
    const found = asked.has(folder) ? await lackingAt(folder) : null;
    if (found !== null) lacking.push({ folder, set, found });
  }
  if (lacking.length === 0) return;
  const commands = lacking.map(({ folder, set }) =>
    `deno task armlab data prepare ${set} --from FOLDER --to ${folder}`
  );
  throw new Refusal({
    what: "use the data of this profile",
    must: "its sets must have been prepared",
    found: lacking.map(({ folder, found }) => `${folder} ${found}`).join(", "),
    hint: `run ${commands.join(" and ")}; deno task armlab describe ${lacking.map(({ set }) => set).join(" ")} ` +
      "says what FOLDER holds",
  });
}

/** More seeds than anybody trains. */
const MOST_SEEDS = 10_000;

/** What a call asks for. @throws {Refusal} If it names what does not exist or does not go together. */
export async function askedOf(
  parsed: Flags,
  prepared: string | undefined,
  library: Library,
  repeated: RunConfig | null,
): Promise<Asked> {
  const named = parsed.text.dataset !== undefined || parsed.text.data !== undefined ||
    [parsed.list.encoder, parsed.list.fusion, parsed.list.method, parsed.list.compare, parsed.list.modality]
      .some((list) => list.length > 0);
  if (named && prepared !== undefined) {
    throw new Refusal({ what: `use --grid together with ${PARTS}`, hint: "name a grid or parts" });
  }
  if (repeated !== null && (named || prepared !== undefined)) {
    throw new Refusal({ what: `use --config together with --grid, ${PARTS}`, hint: "change options with --set" });
  }
  if (parsed.text.data !== undefined && parsed.text.dataset !== undefined) {
    throw new Refusal({
      what: "use --data",
      must: "there must be one dataset",
      found: `--dataset ${parsed.text.dataset} is given too`,
      hint: "leave one out",
    });
  }
  const grid = named || repeated !== null ? null : library.of("grid").get(prepared ?? "quick");
  const form = grid === null || parsed.text.profile === undefined ? grid : profileOf(grid, parsed.text.profile);
  if (form === null && parsed.text.profile !== undefined) {
    throw new Refusal({
      what: "use --profile",
      must: "it must stand beside the name of a grid",
      found: "there is none",
    });
  }
  let requests: CellRequest[] = repeated !== null
    ? [requestFor(repeated)]
    : grid === null
    ? await requestsOf(parsed, library)
    : [...form!.cells];
  requests = requests.map((request) => ({ ...request, ...pretrainedOf(parsed) }));
  const augment = augmentOf(parsed.list.augment);
  if (augment.length > 0) {
    requests = requests.map((request) => ({ ...request, training: { ...request.training, augment } }));
  }
  const settings = [...parsed.list.set];
  if (parsed.text.impute !== undefined) settings.push(`fusion.keepFill=${parsed.text.impute}`);
  if (parsed.text.epochs !== undefined) settings.push(`training.epochs=${parsed.text.epochs}`);
  if (parsed.text.budget !== undefined) settings.push(`training.budget=${parsed.text.budget}`);
  requests = corruptedRequests(applySettings(requests, settings, library), parsed);
  const sets = form !== null && "sets" in form ? form.sets ?? {} : {};
  let seeds: readonly number[] = repeated !== null ? [repeated.seed] : form?.seeds ?? [0, 1, 2];
  if (parsed.text.seeds !== undefined) {
    seeds = Array.from({ length: parseInteger("--seeds", parsed.text.seeds, 1, MOST_SEEDS) }, (_, seed) => seed);
  }
  const composed = parsed.list.method.filter((text) => text.includes(",")).flatMap((text) => methodRows([], [text]));
  const only = parsed.text.only;
  if (only === undefined) return { requests, seeds, composed, grid, sets, alone: repeated !== null };
  const label = only.slice(0, only.lastIndexOf("#"));
  const seed = parseInteger("the seed of --only", only.slice(only.lastIndexOf("#") + 1), 0);
  const wanted = requests.filter((request) => request.label === label);
  if (wanted.length > 0) return { requests: wanted, seeds: [seed], composed, grid, sets, alone: true };
  const labels = requests.map((request) => request.label);
  throw new Refusal({
    what: `find configuration "${label.slice(0, 80)}" of --only in this grid`,
    found: `configurations are ${labels.join(", ")}`,
    hint: didYouMean(label, labels),
  });
}
