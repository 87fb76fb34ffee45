/**
 * Mistakes in `core/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const promises = "tests/core/promises_test.ts";
const options = ["tests/core/options_test.ts", promises];
const random = ["tests/core/streams_test.ts", "tests/core/random_test.ts"];
const errors = [promises, "tests/core/refusal_test.ts", "tests/core/plugin_error_test.ts"];
const library = [promises, "tests/core/library_test.ts", "tests/core/kinds_test.ts"];
const registry = ["tests/core/registry_test.ts", promises];
const names = ["tests/core/names_test.ts"];
const modality = ["tests/core/modality_test.ts", promises];
const suggest = ["tests/core/suggest_test.ts", promises];
const kinds = ["tests/core/part_kinds_test.ts", promises];

const list: readonly Mutant[] = [
  ...mutantsOf("core/canonical.ts", ["tests/core/canonical_test.ts"], [
    ["entries.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);", ""],
    [".filter(([_, entry]) => entry !== undefined)", ""],
    ["if (Number.isFinite(value)) return value;", "return value;"],
    ["if (prototype === Object.prototype || prototype === null) {", "if (true) {"],
    ["undefined, indent)", "undefined, 0)"],
    ["`${where}[${i}]`", "where"],
  ]),
  ...mutantsOf("core/check.ts", ["tests/core/check_test.ts"], [
    ["if (!Number.isFinite(values[i])) return i;", "if (Number.isNaN(values[i])) return i;"],
    ["for (let i = 0; i < values.length; i++)", "for (let i = 1; i < values.length; i++)"],
    ["for (let i = 0; i < values.length; i++)", "for (let i = 0; i < values.length - 1; i++)"],
  ]),
  ...mutantsOf("core/modality.ts", modality, [
    ["return Object.keys(values).sort();", "return Object.keys(values);"],
    ["if (!Object.hasOwn(values, modality)) {", "if (values[modality] === undefined) {"],
    ["[...modalities].sort().forEach(", "[...modalities].forEach("],
    ["[...modalities].sort()", "(modalities as string[]).sort()"],
    ['name === "" || name.length > 100', "name.length > 100"],
    ['name === "" || name.length > 100', 'name === "" || name.length > 1000'],
    ["/[+,/:|\\p{Cc}]/u", "/[,/:|\\p{Cc}]/u"],
    ["/[+,/:|\\p{Cc}]/u", "/[+,/:|]/u"],
    ['name === "none" || name in {}', "name in {}"],
    ['name === "none" || name in {}', 'name === "none"'],
  ]),
  ...mutantsOf("core/names.ts", names, [
    ["name.startsWith(prefix)", "name.startsWith(kind)"],
    ["Object.entries(values).filter(([name]) => has(name))", "Object.entries(values)"],
    ["[prefix + name, value]", "[name, value]"],
    ["slot.of(`${name}/${full}`)", "slot.of(`${full}/${name}`)"],
    ['name.slice(name.indexOf("/") + 1)', 'name.slice(name.lastIndexOf("/") + 1)'],
    ['family("pooled")', 'family("part")'],
    ['family("ablateMean")', 'family("solo")'],
    ['family("buffer")', 'family("param")'],
  ]),
  ...mutantsOf("core/scope.ts", names, [
    ['fullName.indexOf("/")', 'fullName.lastIndexOf("/")'],
    ["slash === -1 ? fullName :", 'slash === -1 ? "" :'],
  ]),
  ...mutantsOf("core/options.ts", options, [
    ["schema = schema.min(spec.min)", "schema = schema.gt(spec.min)"],
    ["schema = schema.max(spec.max)", "schema = schema.lt(spec.max)"],
    ["if (spec.min !== undefined)", "if (spec.min)"],
    ["if (spec.max !== undefined)", "if (spec.max)"],
    ["z.number().int()", "z.number()"],
    ["return z.enum(spec.choices as [string, ...string[]]);", "return z.string();"],
    ["return z.array(z.number());", "return z.array(z.unknown());"],
    ["given[name] === undefined ? specs[name].default : given[name]", "given[name] || specs[name].default"],
    ["given[name] === undefined ? specs[name].default : given[name]", "specs[name].default"],
    ["if (!Object.hasOwn(specs, name)) {", "if (specs[name] === undefined) {"],
    ["hint: didYouMean(name, names),", ""],
    ["if (!types.has(spec.type)) {", "if (false) {"],
    ['resolveOptions(`${spec.kind} "${name}" of ${owner}`, plugin.options, options, find)', "options"],
    ['Object.defineProperty(bound, "plugin", { value: plugin })', "Object.assign(bound, { plugin })"],
    ["(value as Partial<BoundPart>).plugin ?? find?.(spec.kind, name) ??", "(value as Partial<BoundPart>).plugin ??"],
    ["defaults.find((known) => known.name === name)?.plugin", "defaults[0]?.plugin"],
    ["digits.test(text) || /^\\s*[-+]?Infinity\\s*$/.test(text) ? Number(text) : NaN", "Number(text)"],
    ["return Number.isNaN(value) ? text : value;", "return value;"],
    ['text === "true" ? true : text === "false" ? false : text', 'text === "true"'],
    ["values.some(Number.isNaN) ? text : values", "values"],
    ['return text === "" ? [] : text.split(",")', 'return text.split(",")'],
    ["name: name.trim(), options: {}", "name, options: {}"],
    ["plain.length > 120", "plain.length > 1200000"],
    ['typeof one === "number" && !Number.isFinite(one) ? String(one) : one', "one"],
    [
      "if (!Array.isArray(value)) throw wrongValue(option, owner, spec, value);",
      "if (!Array.isArray(value)) value = [value];",
    ],
    ["` >= ${spec.min}`", "` > ${spec.min}`"],
    ['low === "" ? "" : " and"', '" and"'],
    ['/^[aeiou]/.test(spec.kind) ? "an" : "a"', '"a"'],
  ]),
  ...mutantsOf("core/kinds/kind.ts", library, [
    ["const own = part[name] ?? otherwise;", "const own = part[name];"],
    ["passed[at] = resolve((args[at] ?? {}) as RawOptions);", "passed[at] = args[at] ?? {};"],
    ["passed[at] = resolve((args[at] ?? {}) as RawOptions);", "passed[0] = resolve((args[at] ?? {}) as RawOptions);"],
    ["return then === undefined ? result : then(result as never, part, owner, passed);", "return result;"],
    ["Reflect.apply(own, given, passed)", "Reflect.apply(own, undefined, passed)"],
    ["kind: kind.name, madeWith: VERSION", "kind: kind.name"],
  ]),
  ...mutantsOf("core/kinds/method.ts", kinds, [
    ['"name", { value: part.name, enumerable: true }', '"name", { value: part.name }'],
    [
      "const { forwards, backwards } = cost ?? { forwards: 1, backwards: 1 };",
      "const { forwards, backwards } = { forwards: 1, backwards: 1 };",
    ],
    ["...between === 0 ? [] : [", "...between === 0 || true ? [] : ["],
    ["...teachers === 0 ? [] : [", "...teachers === 0 || true ? [] : ["],
    ["Number(between.toPrecision(3))", "Math.round(between)"],
    ["if (error instanceof Refusal) return 0;", ""],
    ["refuses: { at: 2,", "refuses: { at: 1,"],
  ]),
  ...mutantsOf("core/kinds/sampler.ts", kinds, [
    ['needs === "joint"', 'needs !== "joint"'],
    ['...keep ? ["Drops modalities from samples"] : []', ""],
  ]),
  ...mutantsOf("core/kinds/augmentation.ts", kinds, [["everywhere ? `Used by", "!everywhere ? `Used by"]]),
  ...mutantsOf("core/kinds/engine.ts", kinds, [
    ["ordered: true,", ""],
    ['names: { pattern: /^[a-z0-9]+([-:][a-z0-9]+)*$/, words: "lower case, its words joined by - or :" },', ""],
  ]),
  ...mutantsOf("core/library.ts", library, [
    ["else if (present.kind !== kind) {", "else if (present.kind.plural !== kind.plural) {"],
    ['typeof kind === "string" ? kind : kind.name', "String(kind)"],
    ["this.of(part.kind).add(part);", "this.of(part.kind);"],
    ['return use(plugin, this.resolve(`${kind} "${name}"`, plugin, options));', "return use(plugin, options);"],
    ["(kind, name) => this.of(kind).get(name)", "undefined"],
    [
      "[...new Set([...this.#registries.values()].flatMap((registry) => registry.names()))].sort()",
      "[...this.#registries.values()].flatMap((registry) => registry.names()).sort()",
    ],
    ["registry.has(name) ? [registry.get(name) as AnyPart] : []", "registry.has(name) ? [] : []"],
  ]),
  ...mutantsOf("core/registry.ts", registry, [
    ["if (!pattern.test(part.name)) {", 'if (part.name === "") {'],
    ["/^[a-z0-9]+(-[a-z0-9]+)*$/", "/^[a-z0-9]+(-[a-z0-9]*)*$/"],
    ["present !== undefined && present !== part", "present !== undefined && present.about !== part.about"],
    ["present !== undefined && present !== part", "present !== undefined"],
    [
      "this.#parts.set(part.name, part);",
      "if (present === undefined) this.#parts.set(part.name, part); else this.#parts.delete(part.name);",
    ],
    ["hint: didYouMean(name, this.names()),", ""],
    ["this.kind.ordered === true ? names : names.sort()", "names"],
    ["this.kind.ordered === true ? names : names.sort()", "names.sort()"],
    ["name.length > 80 ? `${name.slice(0, 80)}…` : name", "name"],
  ]),
  ...mutantsOf("core/plugins.ts", library, [
    ["library.kinds().some(({ name }) => name === value.kind)", "true"],
    ["/^(0\\.)?\\d+/.exec(version)?.[0]", "/^\\d+/.exec(version)?.[0]"],
    ["if (compatible(madeWith, VERSION)) return part;", "return part;"],
    [
      'if (typeof own === "function" || (own === undefined && otherwise !== undefined)) continue;',
      'if (typeof own === "function" || own === undefined) continue;',
    ],
    [
      'if (typeof own === "function" || (own === undefined && otherwise !== undefined)) continue;',
      'if (typeof own === "function") continue;',
    ],
    ["return complete(kind, part) as AnyPart;", "return part;"],
    ['tf.env().set("PROD", silent);', ""],
    ['if (tf.getGradient("Square") !== gradient) {', "if (false) {"],
    ["const values = [...new Set(Object.values(exported))];", "const values = Object.values(exported).slice(0, 1);"],
    ["for (const kind of kinds) library.addKind(kind);", ""],
    ["if (parts.length === 0 && kinds.length === 0) {", "if (false) {"],
    ["setOrigin(part, specifier);", ""],
  ]),
  ...mutantsOf("core/origin.ts", suggest, [
    ["origins.set(part, specifier);", "if (!origins.has(part)) origins.set(part, specifier);"],
    ["origins.get(part) ?? null", 'origins.get(part) ?? ""'],
  ]),
  ...mutantsOf("core/plugin_error.ts", errors, [
    [
      '`${plugin} failed in ${hook}${place === null ? "" : ` (${place})`}: ${text}`, { cause }',
      '`${plugin} failed in ${hook}${place === null ? "" : ` (${place})`}: ${text}`',
    ],
    ['place === null ? "" : ` (${place})`', '""'],
    [
      '["core", "tensor", "nn", "engines", "training", "contracts", "experiments", "cli"]',
      '["core", "engines", "training", "contracts", "experiments", "cli"]',
    ],
    ["|| /@tensorflow|seedrandom|^ext:|^node:/.test(place)", ""],
    ["placesOf(thrown).find((place) => !served(place)) ?? null", "placesOf(thrown)[0] ?? null"],
    [
      "if (!(error instanceof Refusal)) return false;\n  const from",
      "if (!(error instanceof Refusal)) return false;\n  if (error) return true;\n  const from",
    ],
    ["passes(error) || error instanceof PluginError || isOurs(error)", "passes(error) || isOurs(error)"],
    ["passes(error) || error instanceof PluginError || isOurs(error)", "passes(error) || error instanceof PluginError"],
    ["(error) => error instanceof Refusal)", "() => false)"],
    ["if (!(result instanceof Promise)) return result;", "return result;"],
    ["if (Error.stackTraceLimit < FRAMES) Error.stackTraceLimit = FRAMES;", ""],
    ["Reflect.apply(own, made, args)", "Reflect.apply(own, result, args)"],
    ["return value.map((own, index) => wrap(`${name}[${index}]`, own));", "return value;"],
    ["`${name}[${index}]`", "name"],
    ["level = Object.getPrototypeOf(level)", "level = Object.prototype"],
    [
      "get: () => wrapped(name, (made as Record<string, unknown>)[name])",
      "get: () => (made as Record<string, unknown>)[name]",
    ],
    ["{ ...descriptor, enumerable, configurable: true }", "{ ...descriptor, enumerable: true, configurable: true }"],
  ]),
  ...mutantsOf("core/refusal.ts", errors, [
    ['must === undefined ? "" : ` as ${must}`', 'must === undefined ? "" : `: ${must}`'],
    ['hint === undefined ? "" : `; ${hint}`', '""'],
    ["hint: this.hint, ...parts", "hint: this.hint"],
    [
      '[this.must, this.found].filter((clause) => clause !== undefined).join(": ")',
      '[this.must, this.found].join(": ")',
    ],
    ["cause: this,", ""],
  ]),
  ...mutantsOf("core/random.ts", random, [
    ["Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0", "Math.imul(h ^ text.charCodeAt(i), 0x01000195) >>> 0"],
    ["(0x811c9dc5 ^ seed) >>> 0", "0x811c9dc5"],
    ["for (let i = 0; i < 12; i++) this.uint32();", ""],
    ['new Random(this.#seed, `${this.path}/${keys.join("/")}`)', 'new Random(this.#seed, `/${keys.join("/")}`)'],
    [
      'new Random(this.#seed, `${this.path}/${keys.join("/")}`)',
      'new Random(this.#seed ^ (this.#counter > 20 ? 1 : 0), `${this.path}/${keys.join("/")}`)',
    ],
    ["Int32Array.from([this.#key[0] | 0, this.#key[1] | 0])", "Int32Array.from([this.#key[0] | 0, 0])"],
    ["(this.#c << 21) | (this.#c >>> 11)", "(this.#c << 21) | (this.#c >>> 10)"],
    ["(this.uint32() >>> 5) * 0x4000000", "(this.uint32() >>> 6) * 0x4000000"],
    ["const limit = 0x100000000 - (0x100000000 % n);", "const limit = 0x100000000;"],
    ["return x % n;", "return (x % n + 1) % n;"],
    ["n < 1 || n > 0x100000000", "n < 0 || n > 0x100000000"],
    ["this.#spare = null;\n      return spare;", "return spare;"],
    ["Math.log(1 - this.uniform())", "Math.log(this.uniform())"],
    ["radius * Math.cos(angle)", "radius * Math.sin(angle)"],
    ["const copy = items.slice()", "const copy = items"],
    ["const j = this.integer(i + 1);", "const j = this.integer(i);"],
    ["const j = this.integer(i + 1);", "const j = this.integer(copy.length);"],
    ["for (let i = copy.length - 1; i > 0; i--)", "for (let i = copy.length - 1; i > 1; i--)"],
  ]),
  ...mutantsOf("core/suggest.ts", suggest, [
    ["row[j] = Math.min(row[j], before[j - 2] + 1);", ""],
    ["last[j - 1] + change", "last[j - 1] + 1"],
    ['if (written === "" || written.length > longest) return null;', 'if (written === "") return null;'],
    ["const text = written.toLowerCase();", "const text = written;"],
    ["known.startsWith(text) || text.startsWith(known)", "known.startsWith(text)"],
    ["text.length > 2 && known.length > 2 &&", ""],
    ["Math.max(text.length, known.length) / 3", "Math.max(text.length, known.length) / 2"],
    [".filter(({ near }) => near)", ""],
    ["a.distance - b.distance", "b.distance - a.distance"],
  ]),
  ...mutantsOf("core/turns.ts", ["tests/core/turns_test.ts"], [
    ["this.#last = result.then(() => {}, () => {});", ""],
    ["result.then(() => {}, () => {})", "result.then(() => {})"],
  ]),
];

export default list;
