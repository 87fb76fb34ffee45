/**
 * `armlab data` for published sets: what somebody has of one, what is wrong with it, and decoding it.
 *
 * @module
 */
import type { SetPlugin } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import {
  alignedTable,
  type BrokenSample,
  countsOf,
  lacking,
  type ListedSet,
  listSet,
  setSettings,
  verifySet,
} from "../datasets/mod.ts";
import { type Flags, parseInteger } from "./command.ts";
import { listenForStop, TRY_AGAIN } from "./stopping.ts";

const MOST_THREADS = 64;

const threadsOf = ({ text }: Flags) =>
  text.readers === undefined ? navigator.hardwareConcurrency : parseInteger("--readers", text.readers, 0, MOST_THREADS);

/** Says every two seconds how far it has come. */
function teller(): (done: number, all: number) => void {
  let told = performance.now();
  return (done, all) => {
    if (performance.now() - told < 2000) return;
    told = performance.now();
    console.error(`${done} of ${all} samples`);
  };
}

function info(listed: ListedSet, json: boolean): number {
  const { table } = countsOf(listed, listed.samples);
  const missing = listed.samples.filter((sample) => lacking(sample).length > 0).length;
  if (json) {
    const { samples, repeated, unlisted, notes } = listed;
    console.log(JSON.stringify({
      set: listed.set.name,
      samples: samples.length,
      classes: table,
      missing,
      repeated,
      unlisted: unlisted.length,
      notes,
    }));
    return 0;
  }
  console.log([
    `${listed.set.title}: ${listed.samples.length} samples are listed, ${missing} of them lack files`,
    ...listed.notes.map((note) => `Note: ${note}.`),
    "",
    alignedTable(table),
  ].join("\n"));
  return 0;
}

const numbersText = ({ official, set }: ListedSet) =>
  official === null ? `there are no numbers of ${set.title} to compare with` : `numbers are ${official.name}'s`;

/** What is wrong with a set as somebody has it. */
async function verify(listed: ListedSet, parsed: Flags): Promise<number> {
  const { samples, set } = listed;
  const found = await verifySet(listed, { readers: threadsOf(parsed), onProgress: teller() });
  const serious = found.some((finding) => finding.serious);
  const { table } = countsOf(listed, samples.filter((sample) => lacking(sample).length === 0));
  if (parsed.boolean.json) console.log(JSON.stringify({ set: set.name, classes: table, findings: found }));
  else {
    console.log([
      `${set.title}: ${samples.length} samples, with their files:`,
      "",
      alignedTable(table),
      "",
      ...found.map((finding) => `${finding.serious ? "Problem" : "Note"}: ${finding.about}.`),
      ...(found.length === 0 ? [`All files are there and can be read, none twice; ${numbersText(listed)}.`] : []),
    ].join("\n"));
  }
  return serious ? 1 : 0;
}

async function prepare(listed: ListedSet, parsed: Flags): Promise<number> {
  const folder = parsed.text.to ?? `data/${listed.set.name}`;
  const stopping = listenForStop(
    (line) => console.error(line),
    "Stopping after the samples that are under way; once more to stop at once.",
  );
  try {
    const { prepareSet } = await import("../experiments/prepare_set.ts");
    const done = await prepareSet(listed, folder, {
      skip: parsed.boolean["skip-broken"],
      incomplete: parsed.boolean["keep-incomplete"],
      readers: threadsOf(parsed),
      signal: stopping.signal,
      onProgress: teller(),
    });
    if (parsed.boolean.json) console.log(JSON.stringify({ folder, ...done }));
    else if (!done.finished) {
      console.log(`Stopped with ${done.samples} samples written. Run the same command again to go on.`);
    } else console.log(reportText(listed, folder, done).join("\n"));
    return done.finished ? 0 : stopping.exit() || TRY_AGAIN;
  } finally {
    stopping.dispose();
  }
}

const some = (texts: readonly string[]) => texts.slice(0, 10).join(", ") + (texts.length > 10 ? ", ..." : "");

/** What was prepared, for people. */
function reportText(
  { set, official, notes, repeated, unlisted }: ListedSet,
  folder: string,
  { samples, before, broken, missing, silent, differing }: {
    readonly samples: number;
    readonly before: number;
    readonly broken: readonly BrokenSample[];
    readonly missing: readonly { readonly id: string; readonly modalities: readonly string[] }[];
    readonly silent: readonly { readonly id: string; readonly modalities: readonly string[] }[];
    readonly differing: readonly string[];
  },
): string[] {
  const lines = [
    `${set.title}: ${samples} samples written to ${folder}${
      before === 0 ? "" : `, ${before} of them looked at earlier`
    }.`,
  ];
  const tell = (count: number, text: string) => {
    if (count > 0) lines.push(`Note: ${text}.`);
  };
  tell(
    missing.length,
    `${missing.length} are left out as files are not there: ${
      some(missing.map(({ id, modalities }) => `${id} (${modalities.join(", ")})`))
    }`,
  );
  tell(
    silent.length,
    `${silent.length} are left out as their film has no sound: ${
      some(silent.map(({ id, modalities }) => `${id} (${modalities.join(", ")})`))
    }`,
  );
  tell(
    broken.length,
    `${broken.length} are broken and left out: ${some(broken.map(({ id, why }) => `${id} (${why})`))}`,
  );
  tell(repeated.length, `${repeated.length} ids are listed more than once, the first counts: ${some(repeated)}`);
  tell(unlisted.length, `${unlisted.length} files are of no sample: ${some(unlisted)}`);
  tell(differing.length, `${differing.length} numbers differ from ${official?.name}'s: ${some(differing)}`);
  for (const note of notes) lines.push(`Note: ${note}.`);
  lines.push(
    `Licence: ${set.licence}.`,
    `All of this is in ${folder}/report.json. Train: deno task bench --data ${folder}`,
  );
  return lines;
}

/** `armlab data info|verify|prepare SET --from FOLDER`. @throws {Refusal} If the action is another, or no folder is named. */
export async function setAction(action: string, set: SetPlugin, parsed: Flags): Promise<number> {
  const { from } = parsed.text;
  if (from === undefined || action === "preview") {
    throw new Refusal({
      what: `use data ${action} for ${set.title}`,
      must: action === "preview" ? "it must be prepared" : "it must be said where your files of it are",
      found: action === "preview" ? "it is a set" : "found no --from",
      hint: action === "preview"
        ? `preview the folder that armlab data prepare ${set.name} --from FOLDER wrote`
        : `add --from FOLDER, which must hold ${set.layout.join("; ")}`,
    });
  }
  if (action !== "prepare" && parsed.boolean["keep-incomplete"]) {
    throw new Refusal({ what: "use --keep-incomplete", must: "it is for data prepare", found: `found data ${action}` });
  }
  const { options, modalities } = setSettings(set, parsed.list.set);
  const listed = await listSet(set, from, options, modalities);
  if (action === "info") return info(listed, parsed.boolean.json);
  return action === "verify" ? await verify(listed, parsed) : await prepare(listed, parsed);
}
