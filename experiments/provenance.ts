/**
 * What the parts of a run were made of: a run is reused only for the code and the data that made it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuiltinKind } from "../core/kinds/mod.ts";
import type { Library } from "../core/library.ts";
import type { BoundPart } from "../core/options.ts";
import { originOf } from "../core/origin.ts";
import type { PartConfig, RunConfig } from "../core/record.ts";
import { Refusal } from "../core/refusal.ts";
import { createLibrary } from "../library.ts";

/** armlab's own folder. Its files stand for its version, which every configuration holds. */
const root = new URL("../", import.meta.url).href;

/** What of armlab's own folder is no part of armlab: plugins to read and to try. */
const foreign = ["examples/", "tests/"].map((folder) => root + folder);

/** Files that may name others. */
const scripts = /\.(?:[cm]?[jt]s|[jt]sx)$/;

/** Files of installed packages: beside a project, or in the runtime's cache. */
const packaged = /[/\\]node_modules[/\\]|[/\\]npm[/\\][^/\\]+[/\\](?:@[^/\\]+[/\\])?[^/\\]+[/\\]\d+\./;

/** Quoted texts that begin like a path beside the file, or are a file's address. */
const neighbours = /(["'`])((?:\.{1,2}\/|file:\/\/)[^"'`\n]*)\1/g;

/** What `import` and `export … from` name. */
const imports = /\b(?:from|import)\s*\(?\s*(["'])([^"'\n]+)\1/g;

/** The contents of modules, gathered as they are found. */
class Contents {
  /** Digests of files, in the order of their first mention. */
  readonly files: string[] = [];
  /** Packages as `npm:name@version`. */
  readonly packages: Set<string> = new Set();
  readonly #seen: Set<string> = new Set();

  /** Takes a module in, with what it names. */
  async add(specifier: string): Promise<void> {
    if (this.#seen.has(specifier)) return;
    this.#seen.add(specifier);
    if (specifier.startsWith("data:")) return await this.#addText(specifier);
    if (specifier.startsWith("file:")) return await this.#addFile(specifier);
    if (/^(?:https?|jsr):/.test(specifier)) return await this.#addRemote(specifier);
  }

  async #addText(specifier: string): Promise<void> {
    this.files.push(createHash("sha256").update(specifier).digest("hex"));
    await this.#addNamed(decodeURIComponent(specifier.slice(specifier.indexOf(",") + 1)), specifier);
  }

  async #addFile(specifier: string): Promise<void> {
    if (specifier.startsWith(root) && !foreign.some((folder) => specifier.startsWith(folder))) return;
    const path = fileURLToPath(specifier);
    const found = packaged.test(path) ? await packageOf(path) : null;
    if (found !== null) {
      this.packages.add(found);
      return;
    }
    this.files.push(await digestOf(path));
    if (scripts.test(path)) await this.#addNamed(await Deno.readTextFile(path), specifier);
  }

  /** What a script names: files beside it, whether it imports or reads them, and packages. */
  async #addNamed(source: string, base: string): Promise<void> {
    for (const [_, __, text] of source.matchAll(neighbours)) {
      if (base.startsWith("data:") && text.startsWith(".")) continue;
      const address = URL.parse(text, base);
      if (address === null) continue;
      address.search = address.hash = "";
      if (await isFile(address)) await this.add(address.href);
    }
    for (const [_, __, text] of source.matchAll(imports)) {
      if (/^(?:\.{0,2}\/|file:|node:|data:)/.test(text)) continue;
      await this.add(resolved(text));
    }
  }

  /** Modules of the network, as the runtime keeps them. */
  async #addRemote(specifier: string): Promise<void> {
    const { modules = [], npmPackages = {} } = await graphOf(specifier);
    const digests: string[] = [];
    for (const { specifier: address, local } of modules) {
      const jsr = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/([^/]+)\//.exec(address);
      if (jsr !== null) this.packages.add(`jsr:${jsr[1]}@${jsr[2]}`);
      else if (address.startsWith("file:")) await this.add(address);
      else if (local) digests.push(await cachedDigest(local));
    }
    this.files.push(...digests.sort());
    for (const { name, version } of Object.values(npmPackages)) this.packages.add(`npm:${name}@${version}`);
  }
}

async function isFile(address: URL): Promise<boolean> {
  if (address.protocol !== "file:") return false;
  try {
    return (await Deno.stat(address)).isFile;
  } catch {
    return false; // a text that names nothing is no file
  }
}

/** The SHA-256 of a file. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** The SHA-256 of a module that the runtime keeps, without what it notes below it: when and from where. */
async function cachedDigest(path: string): Promise<string> {
  const text = await Deno.readTextFile(path);
  const note = text.lastIndexOf("\n// denoCacheMetadata=");
  return createHash("sha256").update(note === -1 ? text : text.slice(0, note)).digest("hex");
}

/** Where a name of an import leads, by the import map of this program; the name itself where it leads nowhere. */
function resolved(name: string): string {
  try {
    return import.meta.resolve(name);
  } catch {
    return name;
  }
}

/** Name and version of the package that a file belongs to, or `null`. */
async function packageOf(path: string): Promise<string | null> {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(await Deno.readTextFile(join(folder, "package.json")));
      if (typeof name === "string" && typeof version === "string") return `npm:${name}@${version}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}

interface ModuleGraph {
  readonly modules?: readonly { readonly specifier: string; readonly local?: string }[];
  readonly npmPackages?: Readonly<Record<string, { readonly name: string; readonly version: string }>>;
}

/** Modules that a module of the network leads to. */
async function graphOf(specifier: string): Promise<ModuleGraph> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", specifier],
  })
    .output();
  if (code === 0) return JSON.parse(new TextDecoder().decode(stdout));
  throw new Refusal({
    what: `use plugin "${specifier}"`,
    must: "the modules that it is made of must be known",
    found: new TextDecoder().decode(stderr).trim().split("\n")[0],
  });
}

/**
 * What a module is made of: the SHA-256 over its file and all files that it names (imports, and data beside it that it
 * names by a relative path), wherever they lie, and over names and versions of packages; for a package, its name and
 * version.
 *
 * A path that a program puts together as it runs is not seen.
 */
export async function contentOf(specifier: string): Promise<string> {
  const contents = new Contents();
  await contents.add(specifier.startsWith("npm:") ? resolved(specifier) : specifier);
  const { files, packages } = contents;
  if (files.length === 0 && packages.size === 1) return [...packages][0];
  const lines = [...files, ...[...packages].sort()];
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

/** A part that is used, and the part whose option chose it. */
interface Used {
  readonly part: object;
  readonly owner: object | null;
}

/** Every part that is used, by kind and name (`fusion my-fusion`), parts within options among them. */
function usedParts(parts: readonly (readonly [kind: BuiltinKind, config: PartConfig])[], library: Library) {
  const used = new Map<string, Used>();
  const add = (kind: string, { name, options, plugin }: BoundPart, owner: object | null) => {
    used.set(`${kind} ${name}`, { part: plugin, owner });
    for (const [option, spec] of Object.entries(plugin.options)) {
      if (spec.type === "part") add(spec.kind, options[option] as BoundPart, plugin);
      if (spec.type === "parts") { for (const one of options[option] as BoundPart[]) add(spec.kind, one, plugin); }
    }
  };
  for (const [kind, config] of parts) add(kind, library.bind(kind, config), null);
  return used;
}

/** The parts that a configuration names. */
function namedIn({ dataset, encoders, fusion, methods, training }: RunConfig): [BuiltinKind, PartConfig][] {
  return [
    ["dataset", { name: dataset.name, options: dataset.options }],
    ...Object.values(encoders).map((own): [BuiltinKind, PartConfig] => ["encoder", own]),
    ["fusion", fusion],
    ...methods.map((own): [BuiltinKind, PartConfig] => ["method", own]),
    ...training.loss === undefined ? [] : [["loss", training.loss] as [BuiltinKind, PartConfig]],
    ...(training.augment ?? []).map((own): [BuiltinKind, PartConfig] => ["augmentation", own]),
  ];
}

/** Everything that armlab brings. */
function builtIn(): ReadonlySet<object> {
  const library = createLibrary();
  return new Set(library.kinds().flatMap(({ name }) => library.of(name).list()));
}

/** What a configuration says of its sources. */
export type Sources = Pick<RunConfig, "code" | "plugins">;

/** Of a configuration's `code`, what it uses itself: what its teachers use is theirs. */
export function codeUsed(config: RunConfig, library: Library): Pick<RunConfig, "code"> {
  const used = usedParts(namedIn(config), library);
  const own = Object.entries(config.code ?? {}).filter(([key]) => used.has(key));
  return own.length === 0 ? {} : { code: Object.fromEntries(own) };
}

/** The contents of modules at one moment, to be said of configurations. */
export class Provenance {
  readonly #library: Library;
  readonly #contents: ReadonlyMap<string, string>;
  readonly #builtIn: ReadonlySet<object>;

  private constructor(library: Library, contents: ReadonlyMap<string, string>) {
    this.#library = library;
    this.#contents = contents;
    this.#builtIn = builtIn();
  }

  /** Reads what modules are made of. @param plugins Specifiers of all modules that registered parts of the library. */
  static async of(library: Library, plugins: readonly string[]): Promise<Provenance> {
    const contents = new Map<string, string>();
    for (const specifier of new Set(plugins)) contents.set(specifier, await contentOf(specifier));
    return new Provenance(library, contents);
  }

  /**
   * Modules that a part was made by; none for what armlab brings. One that no module registered is its owner's; where there
   * is none, it stands for all modules: any may have made it.
   */
  #modulesOf({ part, owner }: Used): readonly string[] {
    if (this.#builtIn.has(part)) return [];
    const origin = originOf(part) ?? (owner === null ? null : originOf(owner));
    return origin !== null && this.#contents.has(origin) ? [origin] : [...this.#contents.keys()];
  }

  #contentOf(modules: readonly string[]): string {
    const contents = modules.map((specifier) => this.#contents.get(specifier)!).sort();
    return contents.length === 1 ? contents[0] : createHash("sha256").update(contents.join("\n")).digest("hex");
  }

  /**
   * What a configuration's parts were made of, and where from.
   *
   * @param teachers Fusions that it depends on beside its own: those of its teachers.
   */
  sourcesOf(config: RunConfig, teachers: readonly PartConfig[] = []): Sources {
    const code: Record<string, string> = {};
    const plugins = new Set<string>();
    const named = [...namedIn(config), ...teachers.map((own): [BuiltinKind, PartConfig] => ["fusion", own])];
    for (const [key, used] of usedParts(named, this.#library)) {
      const modules = this.#modulesOf(used);
      if (modules.length === 0) continue;
      for (const specifier of modules) plugins.add(specifier);
      code[key] = this.#contentOf(modules);
    }
    return { ...Object.keys(code).length === 0 ? {} : { code }, plugins: [...plugins] };
  }

  /** Parts of a configuration whose modules are not what they were when it was resolved, by the names of those. */
  changed(config: RunConfig): string[] {
    const now = usedParts(namedIn(config), this.#library);
    const changed = Object.entries(config.code ?? {}).filter(([key, content]) => {
      const used = now.get(key);
      return used !== undefined && this.#contentOf(this.#modulesOf(used)) !== content;
    });
    return [...new Set(changed.map(([key]) => nameOf(key, now)))];
  }
}

/** What a part came from, for people: `my_fusion.ts`. */
function nameOf(key: string, used: ReadonlyMap<string, Used>): string {
  const { part, owner } = used.get(key)!;
  const origin = originOf(part) ?? (owner === null ? null : originOf(owner));
  return origin === null ? key : shortName(origin);
}

/** A module's file name, for people: `my_fusion.ts`. */
export function shortName(specifier: string): string {
  return specifier.startsWith("file:") ? basename(fileURLToPath(specifier)) : specifier.slice(0, 60);
}

/**
 * What changed between an earlier run and a configuration that differs from it in its sources alone, in words: a line for
 * each module and for the data.
 */
export function changesSince(earlier: RunConfig, now: RunConfig, library: Library): string[] {
  const keys = Object.keys({ ...earlier.code, ...now.code }).filter((key) => earlier.code?.[key] !== now.code?.[key]);
  const used = usedParts(namedIn(now), library);
  const names = keys.filter((key) => used.has(key)).map((key) => nameOf(key, used));
  if (earlier.dataset.fingerprint !== now.dataset.fingerprint) names.push(`the data of "${now.dataset.name}"`);
  return [...new Set(names)].map((name) => `${name} changed since: training anew`);
}
