/**
 * `armlab data`: what a dataset holds, and what is doubtful in it.
 *
 * @module
 */
import { createLibrary } from "../library.ts";
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import {
  alignedTable,
  checkDataset,
  contactSheetOf,
  contactSheetOfFiles,
  dataInfo,
  type Finding,
  findings,
  inspect,
  type Inspected,
  preparedFindings,
} from "../datasets/mod.ts";
import { nameOf } from "../datasets/files/refs.ts";
import { part } from "../experiments/config.ts";
import { applySettings } from "../experiments/settings.ts";
import { type Command, type Flag, type Flags, helpOf, parseFlags, parseInteger } from "./command.ts";
import { listenForStop, TRY_AGAIN } from "./stopping.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  set: { type: "each", value: "KEY=VALUE", about: "set an option of a registered dataset, dataset.x, or set, NAME.x" },
  from: {
    type: "text",
    value: "FOLDER",
    about: "where your files of a published set are (armlab list names the sets)",
  },
  plugin: { ...pluginFlag, about: "register somebody else's datasets first" },
  "skip-broken": { type: "boolean", about: "leave broken samples of files out, counted and listed" },
  to: {
    type: "text",
    value: "FOLDER",
    about: "where preview and prepare write (default: preview-NAME, prepared-NAME; of a set data/NAME)",
  },
  "keep-incomplete": {
    type: "boolean",
    about: "keep samples of a set that lack a modality, masked (default: left out, counted and listed)",
  },
  "per-class": { type: "text", value: "N", about: "samples of a class in a preview (default: 4)" },
  classes: { type: "text", value: "N", about: "most classes in a preview (default: 24)" },
  readers: { type: "text", value: "N", about: "threads that prepare decodes in (default: number of cores)" },
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

const about =
  "say what a dataset holds (info), what is doubtful in it (verify), show it (preview), decode its media once (prepare)";

/** A loaded dataset, with what is to be said of files. */
interface Loaded {
  readonly dataset: Dataset;
  readonly notes: readonly string[];
  /** Samples of files that cannot be read. */
  readonly broken: Inspected["broken"];
}

/** A registered dataset by name, or somebody's files by path. */
async function load(text: string, library: Library, parsed: Flags, skip: boolean): Promise<Loaded> {
  const registry = library.of("dataset");
  if (!registry.list().some(({ name }) => name === text)) {
    if (parsed.list.set.length > 0) {
      throw new Refusal({
        what: `take --set for "${text}"`,
        must: "it is for registered datasets",
        found: `registered are ${registry.list().map(({ name }) => name).join(", ")}`,
        hint: "edit its dataset.json",
      });
    }
    return await inspect(text, skip);
  }
  const request = {
    label: text,
    dataset: part(text),
    encoder: part("mlp"),
    fusion: part("concat"),
    methods: [],
    training: {},
  };
  const [{ dataset: { options } }] = applySettings([request], parsed.list.set, library);
  const dataset = await registry.get(text).load(options);
  checkDataset(dataset);
  return { dataset, notes: [], broken: [] };
}

function info({ dataset, notes }: Loaded, json: boolean): number {
  const { name, fingerprint, modalities, splits, classes } = dataInfo(dataset);
  if (json) {
    console.log(JSON.stringify({ name, fingerprint, modalities, splits, classes, notes }));
    return 0;
  }
  console.log([
    `${name}: ${classes.rows.length} classes, fingerprint ${fingerprint.slice(0, 16)}`,
    ...notes.map((note) => `Note: ${note}.`),
    "",
    alignedTable(modalities),
    "",
    alignedTable(splits),
    "",
    alignedTable(classes),
  ].join("\n"));
  return 0;
}

/** @param more What else is known of it. */
async function verify({ dataset, broken }: Loaded, more: readonly Finding[], json: boolean): Promise<number> {
  const unreadable = broken.map(({ id, why }) => ({ serious: true, about: `sample ${id} cannot be read: ${why}` }));
  const found = [...unreadable, ...await findings(dataset), ...more];
  const serious = found.some((finding) => finding.serious);
  if (json) console.log(JSON.stringify({ name: dataset.name, findings: found }));
  else if (found.length === 0) {
    console.log(`${dataset.name}: shapes, labels, values, groups and masks are sound; no copies across splits.`);
  } else {
    console.log(found.map((finding) => `${finding.serious ? "Problem" : "Note"}: ${finding.about}.`).join("\n"));
  }
  return serious ? 1 : 0;
}

/** Most samples of a class, and classes, in a preview. */
const MOST_SHOWN = 1000;

/** Somebody's files, or a registered dataset, as a contact sheet. */
async function preview(text: string, library: Library, parsed: Flags): Promise<number> {
  const options = {
    perClass: parseInteger("--per-class", parsed.text["per-class"] ?? "4", 1, MOST_SHOWN),
    classes: parseInteger("--classes", parsed.text.classes ?? "24", 1, MOST_SHOWN),
  };
  const registered = library.of("dataset").list().some(({ name }) => name === text);
  const shown = registered
    ? await contactSheetOf((await load(text, library, parsed, false)).dataset, options)
    : await contactSheetOfFiles(text, options, parsed.boolean["skip-broken"]);
  const folder = parsed.text.to ?? `preview-${nameOf(text)}`;
  // Loaded here alone: drawing brings libraries of its own.
  const { writePreview } = await import("./data_preview.ts");
  const { png, page } = await writePreview(shown, folder);
  if (parsed.boolean.json) console.log(JSON.stringify({ name: shown.name, png, page }));
  else console.log(`${shown.name}: written to ${png} and ${page}, which needs no other file.`);
  return 0;
}

/** Somebody's media, decoded into arrays. */
async function prepare(text: string, parsed: Flags): Promise<number> {
  const folder = parsed.text.to ?? `prepared-${nameOf(text)}`;
  const cores = navigator.hardwareConcurrency;
  const stopping = listenForStop((line) => console.error(line));
  let told = performance.now();
  try {
    const { prepareFiles } = await import("../experiments/prepare.ts");
    const done = await prepareFiles(text, folder, {
      skip: parsed.boolean["skip-broken"],
      readers: parsed.text.readers === undefined ? cores : parseInteger("--readers", parsed.text.readers, 0, 64),
      signal: stopping.signal,
      onProgress: (count, all) => {
        if (performance.now() - told < 2000) return;
        told = performance.now();
        console.error(`${count} of ${all} samples`);
      },
    });
    if (parsed.boolean.json) console.log(JSON.stringify({ folder, ...done }));
    else {
      for (const note of done.notes) console.log(`Note: ${note}.`);
      const before = done.before === 0 ? "" : `, of which ${done.before} were there`;
      console.log(
        done.finished
          ? `${done.samples} samples written to ${folder}${before}: deno task bench --data ${folder}`
          : `Stopped at ${done.samples} samples. Run the same command again to go on.`,
      );
    }
    return done.finished ? 0 : stopping.exit() || TRY_AGAIN;
  } finally {
    stopping.dispose();
  }
}

/** Flags that only some actions take. */
const takenBy: Readonly<Record<string, readonly string[]>> = {
  to: ["preview", "prepare"],
  "per-class": ["preview"],
  classes: ["preview"],
  readers: ["verify", "prepare"],
};

/** @throws {Refusal} If a flag stands beside an action that does nothing with it. */
function checkFlags(action: string, { text }: Flags): void {
  for (const [name, actions] of Object.entries(takenBy)) {
    if (text[name] === undefined || actions.includes(action)) continue;
    throw new Refusal({
      what: `use option --${name} of "data ${action}"`,
      must: `it is for data ${actions.join(", ")}`,
      found: `found data ${action}`,
      hint: "leave it out",
    });
  }
}

/** `armlab data`. */
export const dataCommand: Command = {
  name: "data",
  about,
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("data", flags, args, {
      most: 2,
      about: "info, verify, preview or prepare, and a dataset",
    });
    const [action, text, ...more] = parsed.positional;
    if (parsed.boolean.help || text === undefined || more.length > 0) {
      console.log(helpOf("armlab data info|verify|preview|prepare DATA [options]", about, flags, [
        "armlab data info features.npz                 files, or a folder of them",
        "armlab data verify my-features/",
        "armlab data preview my-media/                 preview.png and preview.html",
        "armlab data prepare my-media/ --to arrays     arrays that are read by index, bit for bit the same inputs",
        "armlab data info av-digits --set dataset.size=mini",
        "armlab data verify crema-d --from CREMA-D/     a published set, as you have it",
        "armlab data prepare crema-d --from CREMA-D/ --to data/crema-d",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    if (!["info", "verify", "preview", "prepare"].includes(action)) {
      throw new Refusal({
        what: `use "armlab data ${action}"`,
        must: "it must be info, verify, preview or prepare",
        found: `found ${JSON.stringify(action)}`,
      });
    }
    checkFlags(action, parsed);
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const sets = library.of("set");
    if (parsed.text.from !== undefined || sets.has(text)) {
      const { setAction } = await import("./data_set.ts");
      return await setAction(action, sets.get(text), parsed);
    }
    if (parsed.boolean["keep-incomplete"]) {
      throw new Refusal({
        what: "use --keep-incomplete",
        must: "it is for sets",
        found: "samples are kept as they are",
      });
    }
    if (action === "prepare") return await prepare(text, parsed);
    if (action === "preview") return await preview(text, library, parsed);
    // What cannot be read is what verify tells: all of it, not the first alone.
    const loaded = await load(text, library, parsed, action === "verify" || parsed.boolean["skip-broken"]);
    if (action === "info") return info(loaded, parsed.boolean.json);
    const registered = library.of("dataset").has(text);
    return await verify(loaded, registered ? [] : await preparedFindings(text, sets), parsed.boolean.json);
  },
};
