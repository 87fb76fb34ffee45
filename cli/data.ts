/**
 * `armlab data`: what a dataset holds, and what is doubtful in it.
 *
 * @module
 */
import { createLibrary } from "../library.ts";
import type { Library } from "../core/library.ts";
import type { Dataset } from "../core/kinds/mod.ts";
import { Refusal } from "../core/refusal.ts";
import { alignedTable, checkDataset, dataInfo, findings, inspect } from "../datasets/mod.ts";
import { part } from "../experiments/config.ts";
import { applySettings } from "../experiments/settings.ts";
import { type Command, type Flag, type Flags, helpOf, parseFlags } from "./command.ts";
import { loadPlugins, pluginFlag, pluginSpecifiers } from "./plugins.ts";

const flags: Readonly<Record<string, Flag>> = {
  set: { type: "each", value: "KEY=VALUE", about: "set an option of a registered dataset: dataset.x" },
  plugin: { ...pluginFlag, about: "register somebody else's datasets first" },
  "skip-broken": { type: "boolean", about: "leave broken samples of files out, counted and listed" },
  json: { type: "boolean", about: "print one JSON object" },
  help: { type: "boolean", about: "show this help" },
};

const about = "say what a dataset holds (info), and what is doubtful in it (verify)";

/** A loaded dataset, with what is to be said of files. */
interface Loaded {
  readonly dataset: Dataset;
  readonly notes: readonly string[];
}

/** A registered dataset by name, or somebody's files by path. */
async function load(text: string, library: Library, parsed: Flags): Promise<Loaded> {
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
    return await inspect(text, parsed.boolean["skip-broken"]);
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
  return { dataset, notes: [] };
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

async function verify({ dataset }: Loaded, json: boolean): Promise<number> {
  const found = await findings(dataset);
  const serious = found.some((finding) => finding.serious);
  if (json) console.log(JSON.stringify({ name: dataset.name, findings: found }));
  else if (found.length === 0) {
    console.log(`${dataset.name}: shapes, labels, values, groups and masks are sound; no copies across splits.`);
  } else {
    console.log(found.map((finding) => `${finding.serious ? "Problem" : "Note"}: ${finding.about}.`).join("\n"));
  }
  return serious ? 1 : 0;
}

/** `armlab data`. */
export const dataCommand: Command = {
  name: "data",
  about,
  async run(args: string[]): Promise<number> {
    const parsed = parseFlags("data", flags, args, { most: 2, about: "info or verify, and a dataset" });
    const [action, text, ...more] = parsed.positional;
    if (parsed.boolean.help || text === undefined || more.length > 0) {
      console.log(helpOf("armlab data info|verify DATA [options]", about, flags, [
        "armlab data info features.npz                 files, or a folder of them",
        "armlab data verify my-features/",
        "armlab data info av-digits --set dataset.size=mini",
      ]));
      return parsed.boolean.help ? 0 : 2;
    }
    if (action !== "info" && action !== "verify") {
      throw new Refusal({
        what: `use "armlab data ${action}"`,
        must: "it must be info or verify",
        found: `found ${JSON.stringify(action)}`,
      });
    }
    const library = createLibrary();
    await loadPlugins(library, pluginSpecifiers(parsed.list.plugin));
    const loaded = await load(text, library, parsed);
    return action === "info" ? info(loaded, parsed.boolean.json) : await verify(loaded, parsed.boolean.json);
  },
};
