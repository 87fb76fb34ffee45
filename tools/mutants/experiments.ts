/**
 * Mistakes in what `experiments/` concludes that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const statistics = ["tests/experiments/statistics_test.ts"];
const power = ["tests/experiments/power_test.ts"];
const versus = ["tests/experiments/versus_test.ts"];
const results = ["tests/experiments/results_test.ts", "tests/experiments/reads_labels_test.ts"];
const samples = ["tests/experiments/sample_tests_test.ts"];

const provenance = ["tests/experiments/provenance_test.ts"];
const settings = ["tests/experiments/settings_test.ts"];
const tuning = ["tests/experiments/tuning_test.ts"];
const across = ["tests/experiments/across_test.ts"];
const paper = ["tests/experiments/reproduce_test.ts"];
const rules = ["tests/experiments/selection_rules_test.ts"];
const faults = ["tests/experiments/faults_test.ts"];

const shared = ["tests/experiments/shared_data_test.ts"];
const launches = ["tests/experiments/launch_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("experiments/shared_data.ts", shared, [
    [
      "if (this.#kept.has(key) || splits.some(({ rows }) => rows !== undefined)) return;",
      "if (this.#kept.has(key)) return;",
    ],
    ["copy.set(values);", ""],
    ["new SharedArrayBuffer(values.byteLength)", "new ArrayBuffer(values.byteLength)"],
    ["this.#kept.set(key, { share });", ""],
    ["JSON.stringify([name, options, fingerprint])", "JSON.stringify([name, fingerprint])"],
    ["JSON.stringify([name, options, fingerprint])", "JSON.stringify([name, options])"],
  ]),
  ...mutantsOf("experiments/run_cell.ts", shared, [
    ["if (options.data !== undefined) this.#dataset =", "if (options.data === null) this.#dataset ="],
  ]),
  ...mutantsOf("experiments/plan.ts", shared, [["data.keep(resolved.dataset, dataset);", ""]]),
  ...mutantsOf("experiments/launch.ts", launches, [
    ["this.#taken === 0 || ++this.#refused", "++this.#refused"],
    ["!(error instanceof Refusal) || this.#taken === 0 ||", "!(error instanceof Refusal) || this.#taken > 0 ||"],
    ["if (got > part.got) part.tries = 0;", "part.tries = 0;"],
    ["if (known.has(task)) continue;", ""],
  ]),
  ...mutantsOf("experiments/heap.ts", ["tests/experiments/heap_test.ts"], [
    ["return used > MOST * bound;", "return used > bound;"],
    ["if (!heapSpent(heap)) return;", "return;"],
  ]),
  ...mutantsOf("experiments/statistics.ts", statistics, [
    ["Math.sqrt(squares / (values.length - 1))", "Math.sqrt(squares / values.length)"],
    ["tQuantile(0.975, n - 1) * std", "tQuantile(0.95, n - 1) * std"],
    ["tQuantile(0.975, n - 1) * std", "1.96 * std"],
    ["if (std! <= rounding)", "if (std! === 0)"],
    ["const rounding = 1e-12 *", "const rounding = 1e-3 *"],
    ["interval(a.map((value, i) => value - b[i]))", "interval(a.map((value, i) => b[i] - value))"],
    ["degreesOfFreedom, p: tTwoSided(t, n - 1)", "degreesOfFreedom, p: tTwoSided(t, n)"],
    ["(pValues.length - position) * pValues[index]", "pValues.length * pValues[index]"],
    ["largest = Math.max(largest, Math.min(1,", "largest = Math.max(0, Math.min(1,"],
    [".filter((seed) => Object.hasOwn(b, seed))", ""],
    ["export const leastSeeds = 3;", "export const leastSeeds = 2;"],
    ["}).sort((a, b) => b.mean - a.mean);", "}).sort((a, b) => a.mean - b.mean);"],
    ["const corrected = holm(tests.map((p) => p ?? 1));", "const corrected = tests.map((p) => p ?? 1);"],
    ["supported: others.length > 0 && tied.every(", "supported: others.length > 0 && tied.some("],
    ["supported: others.length > 0 && tied", "supported: tied"],
    ['p === null ? "untested" as const :', 'p === null ? "yes" as const :'],
    ["ranks[order[i]] = (start + 1 + end) / 2;", "ranks[order[i]] = start + 1;"],
    ["const center = (x.length + 1) / 2;", "const center = x.length / 2;"],
    ["const tail = 2 * Math.min(p, 1 - p);", "const tail = Math.min(p, 1 - p);"],
    ["return p < 0.5 ? -high : high;", "return high;"],
  ]),
  ...mutantsOf("experiments/power.ts", power, [
    ["Math.abs(effect) * Math.sqrt(n)", "Math.abs(effect) * Math.sqrt(n - 1)"],
    ["tQuantile(1 - alpha / 2, k)", "tQuantile(1 - alpha, k)"],
    ["+ normalProbability(-delta - critical * u)", ""],
    [">= 0.8;", ">= 0.5;"],
    ["let n = Math.max(leastSeeds, first);", "let n = first;"],
    ["while (n < mostSeeds && !enough(n)) n++;", ""],
    ["return enough(n) ? n : null;", "return n;"],
  ]),
  ...mutantsOf("experiments/versus.ts", versus, [
    ["values[seed] - reference.values[seed]", "reference.values[seed] - values[seed]"],
    [
      "pairedBySeed(values, reference.values)",
      "pairedBySeed(reference.values, values)",
      "p, interval and spread are those of either order, and the difference is taken by itself",
    ],
    [
      "const corrected = holm(tested.map(({ test }) => test!.p!));",
      "const corrected = tested.map(({ test }) => test!.p!);",
    ],
    ['difference! > 0 ? "better" : "worse"', 'difference! > 0 ? "worse" : "better"'],
    ["const shown = pHolm < level;", "const shown = p! < level;"],
    ["seedsNeeded(difference! / std, level / tested.length)", "seedsNeeded(difference! / std, level)"],
    ["reason: apart ?? untestable(n, test)", "reason: untestable(n, test)"],
    ["if (test.p === null)", "if (test.p === 0)"],
    ["Math.max(needed, n + 1)", "needed"],
    ["export const level = 0.05;", "export const level = 0.1;"],
    ["(100 * ci95).toFixed(1)", "(200 * ci95).toFixed(1)"],
  ]),
  ...mutantsOf("experiments/comparable.ts", results, [
    ['if (a.data !== b.data) return "on other data";', ""],
    ["`${training.budget} ${training.epochs}`", "training.budget"],
    ["`${training.budget} ${training.epochs}`", "String(training.epochs)"],
    ['!== encoder) return "with other encoders";', "!== encoder) return null;"],
    ["(b.encoders.get(modality) ?? encoder) !== encoder", "b.encoders.get(modality) !== encoder"],
    ["b.key.encoders.size - a.key.encoders.size", "a.key.encoders.size - b.key.encoders.size"],
  ]),
  ...mutantsOf("experiments/results.ts", results, [
    [
      "accuracy: over(({ summary }) => summary.test.perModality[modality].accuracy)",
      "accuracy: over(({ summary }) => summary.test.perModality[modality].ablateMean)",
    ],
    [
      "ablateMean: over(({ summary }) => summary.test.perModality[modality].ablateMean)",
      "ablateMean: over(({ summary }) => summary.test.perModality[modality].accuracy)",
    ],
    ["seconds: over(({ timing }) => timing.seconds)", "seconds: over(({ timing }) => timing.stepMs)"],
    ["[seed, summary.test.accuracy]", "[seed, summary.test.macroF1]"],
    [
      "const reference = options.reference === undefined ? rows[0]?.label : options.reference;",
      "const reference = rows[0]?.label;",
    ],
    ["group.filter(({ readsLabels }) => !readsLabels)", "group"],
    ["if (row.readsLabels || own.readsLabels)", "if (own.readsLabels)"],
    ["options.reference ?? outcomes[0]?.cell.request.label", "options.reference"],
    ["if (labels.includes(reference)) return reference;", "return reference;"],
    ["over(({ summary }) => summary.samplesDrawn)", "runs[0].summary.samplesDrawn"],
  ]),
  ...mutantsOf("experiments/table.ts", results, [
    [
      "`${percent(own.accuracy)} (${percent(own.ablateMean)})`",
      "`${percent(own.ablateMean)} (${percent(own.accuracy)})`",
    ],
    ['ci95 === null ? "" : ` ± ${percent(ci95)}`', 'std === null ? "" : ` ± ${percent(std)}`'],
    [
      "row.testAccuracy.mean > best.testAccuracy.mean ? row : best",
      "row.testAccuracy.mean < best.testAccuracy.mean ? row : best",
    ],
    ['versus?.pHolm == null ? "-" : pText(versus.pHolm)', 'versus?.p == null ? "-" : pText(versus.p)'],
    ['Object.keys(perModality).length < 2 ? "-" :', 'Object.keys(perModality).length < 1 ? "-" :'],
    ["tested.length > 0 ? tested : compared", "compared"],
    ["versus !== null && !readsLabels", "versus !== null"],
    ["if (groups.length < 2) return [];", "return [];"],
    ["spare(own) >= spare(found) ? own : found", "spare(own) <= spare(found) ? own : found"],
  ]),
  ...mutantsOf("experiments/calibration.ts", samples, [
    ["counts[label][predicted[i]]++;", "counts[predicted[i]][label]++;"],
    [
      "bin.count / n * Math.abs(bin.accuracy - bin.confidence)",
      "Math.abs(bin.accuracy - bin.confidence) / full.length",
    ],
    ["Math.ceil(confidence[i] * bins)", "Math.floor(confidence[i] * bins)"],
    ["return best === label;", "return best !== label;"],
  ]),
  ...mutantsOf("experiments/sample_tests.ts", samples, [
    ["right && !second[i]", "right && second[i]"],
    ["Math.min(onlyFirst, onlySecond)", "Math.max(onlyFirst, onlySecond)"],
    ["p: Math.min(1, 2 * tail)", "p: Math.min(1, tail)"],
    ["times[random.integer(pairs.length)]++", "times[s]++"],
    ["const group = random.integer(groups.length);", "const group = g;"],
    ["Number(first[i]) - Number(second[i])", "Number(second[i]) - Number(first[i])"],
    ["percentile(found, 0.025)", "percentile(found, 0.05)"],
    ["!same(a.labels, b.labels)", "false"],
    ["!same(a.ids, b.ids)", "false"],
  ]),
  ...mutantsOf("experiments/provenance.ts", provenance, [
    ["if (this.#seen.has(specifier)) return;", 'if (this.#seen.has("")) return;'],
    ["if (scripts.test(path)) await this.#addNamed(await Deno.readTextFile(path), specifier);", ""],
    ["if (await isFile(address)) await this.add(address.href);", ""],
    ["this.files.push(await digestOf(path));", "this.files.push(path);"],
    ["this.files.push(await digestOf(path));", "this.files.push((await Deno.stat(path)).mtime!.toISOString());"],
    ["const found = packaged.test(path) ? await packageOf(path) : null;", "const found = null as string | null;"],
    ["this.files.push(...digests.sort());", ""],
    ["note === -1 ? text : text.slice(0, note)", "text"],
    ["if (this.#builtIn.has(part)) return [];", ""],
    [
      "origin !== null && this.#contents.has(origin) ? [origin] : [...this.#contents.keys()]",
      "[...this.#contents.keys()]",
    ],
    ["this.#contentOf(this.#modulesOf(used)) !== content", "false"],
    ["if (modules.length === 0) continue;", "if (modules.length === 0 || this.#builtIn.size > 0) continue;"],
    ["if (files.length === 0 && packages.size === 1) return [...packages][0];", ""],
    ['this.files.push(createHash("sha256").update(specifier).digest("hex"));', ""],
    ["filter(([key]) => used.has(key))", "filter(() => true)"],
  ]),
  ...mutantsOf("experiments/settings.ts", settings, [
    ["Object.hasOwn(specs, option) ? specs[option] : undefined", "specs[option]"],
    ['if (values.length > 1 && values.includes("")) {', 'if (values.length > 1 && values.includes("-")) {'],
    ["[...new Set(values)]", "values"],
    ["if (values.length === 1) return changed;", ""],
    ['type !== "numbers" && type !== "parts" && type !== "text"', 'type !== "parts" && type !== "text"'],
    ["if (specs.length === 0) return [request];", "if (specs.length === 0) return [];"],
    ["library.resolve(owner, { options: { [option]: spec } }, { [option]: value });", ""],
    ["if (head !== kind && head !== plugin.name) return config;", "if (head !== kind) return config;"],
    ["return { ...encoders, [one]: this.#part(", "return { ...encoders, [otherModalities]: this.#part("],
    ["hint: didYouMean(setting.head, [...found]),", ""],
  ]),
  ...mutantsOf("experiments/memory.ts", settings, [
    ["if (needed <= available) return;", "return;"],
    ["NUMBER * COPIES * footprint.parameters +", "COPIES * footprint.parameters +"],
    ["return NUMBER * (kept + modalitiesOf", "return NUMBER * (modalitiesOf"],
    ["const unknown = elsewhere ||", "const unknown ="],
    ["training.batchSize=${Math.floor(fits / 2)}", "training.batchSize=${2 * fits}"],
  ]),
  ...mutantsOf("experiments/plan.ts", settings, [
    ["seed > largestSeed", "false"],
    ["!Number.isInteger(seed)", "Number.isNaN(seed)"],
  ]),
  ...mutantsOf("experiments/config.ts", settings, [
    ["if (strange === undefined) return;", "return;"],
    ["hint: didYouMean(strange, all),", ""],
  ]),
  ...mutantsOf("experiments/run_cell.ts", faults, [
    ["if (done !== null) {", "if (done === undefined) {"],
    ["await folder.reopen();\n      emit(", "emit("],
    ["options.claim === undefined ? undefined : checkClaim(options.claim);", "undefined;"],
    ["await folder.forgetFailure();", ""],
  ]),
  ...mutantsOf("experiments/finished.ts", faults, [
    ["if (!await folder.hasModel()) return null;", ""],
    ["await folder.tidy();", ""],
  ]),
  ...mutantsOf("experiments/run_grid.ts", faults, [
    ["if (this.#options.continueOnError === false) this.#halted = true;", ""],
  ]),
  ...mutantsOf("experiments/crew.ts", faults, [
    ["setTimeout(() => lose(silentEnd), watchMs);", ""],
    ["const said = await keepFailure(own, message, options);", "const said = message;"],
    [
      "await removeIfPresent(life.path);",
      "",
      "its name is gone since the worker holds it; this is for Windows, and for a worker that never started",
    ],
  ]),
  ...mutantsOf("experiments/tuning/tune.ts", tuning, [
    ["own.validation.accuracy > best.validation.accuracy", "own.validation.accuracy >= best.validation.accuracy"],
    ["own.validation.accuracy > best.validation.accuracy", "own.validation.accuracy < best.validation.accuracy"],
    ["settingsAt(space, study * block + point)", "settingsAt(space, point)"],
    ["studies.has(label) ? [studies.get(label)!.seed] : seeds", "seeds"],
    ["const candidates = [given, ...tried", "const candidates = [...tried"],
    ["return waits ? [] : studyOf(", "return studyOf("],
    ["if (unfit.has(label)) continue;", ""],
    ["Math.max(STUDY_POINTS, 2 ** Math.ceil(Math.log2(trials)))", "trials"],
    ["({ ...run, label: row.label, ...placeOf(given) })", "({ ...run, label: row.label })"],
  ]),
  ...mutantsOf("experiments/plan.ts", tuning, [
    ["(label === row || trialOf(other.request) === row)", "label === row"],
    ["(label === row || trialOf(other.request) === row)", "true"],
  ]),
  ...mutantsOf("experiments/tuning/space.ts", tuning, [
    ["if (Object.hasOwn(given, name)) return [];", ""],
    ["if (within !== undefined && values.get(within[0]) !== within[1]) return [];", ""],
    ["a > 0 ? a * (b / a) ** share : a + (b - a) * share", "a + (b - a) * share"],
    ['between: spec.type === "number",', "between: true,"],
    ["if (!fixed.includes(LEARNING_RATE))", "if (fixed.length === 0)"],
    ["(value * factor)", "(value * 1)"],
  ]),
  ...mutantsOf("experiments/tuning/sobol.ts", tuning, [
    ["^ (directions[k - degree] >>> degree)", ""],
    ["for (let j = 1; j < degree; j++)", "for (let j = 1; j <= degree; j++)"],
  ]),
  ...mutantsOf("experiments/across/aggregates.ts", across, [
    ["Math.floor(sorted.length / 4)", "Math.ceil(sorted.length / 4)"],
    ["x > y ? 1 : x === y ? 0.5 : 0", "x > y ? 1 : 0"],
    ["score > threshold", "score >= threshold"],
    ["quantile(sorted, 0.025)", "quantile(sorted, 0.05)"],
  ]),
  ...mutantsOf("experiments/across/ranks.ts", across, [
    ["k * (k + 1) / (6 * n)", "k * (k + 1) / (12 * n)"],
    ["-Number(own[set].toPrecision(12))", "Number(own[set].toPrecision(12))"],
    ["(k - 1) * between / spread", "k * between / spread"],
  ]),
  ...mutantsOf("experiments/across/across.ts", across, [
    ["scores.every((runs) => runs.length > 0)", "scores.some((runs) => runs.length > 0)"],
    ["if (dataSets.length < 2) return null;", ""],
  ]),
  ...mutantsOf("experiments/reproduce.ts", paper, [
    ['(verdict === "better") === (printed > 0)', '(verdict === "better") === (printed < 0)'],
    ['return "open";', 'return "agrees";'],
    ["if (printed === 0 || measured === 0) continue;", "if (measured === 0) continue;"],
    ["if (printed === 0 || measured === 0) continue;", "if (printed === 0) continue;"],
  ]),
  ...mutantsOf("experiments/frozen.ts", ["tests/experiments/frozen_test.ts"], [
    ["blank.every((value, k) => Object.is(value, rows!.blank[k]))", "blank.length > 0"],
    ["batchSize: config.training.batchSize,\n    engine", "engine"],
  ]),
  ...mutantsOf("experiments/feature_store.ts", ["tests/experiments/frozen_test.ts"], [
    ["this.#maxBytes);", "Infinity);"],
    ["if (PARTS.some((part) => stored.tensors[part]?.shape[1] !== width)) return null;", ""],
  ]),
  ...mutantsOf("experiments/selection_rules.ts", rules, [
    ["value > validation[found]", "value >= validation[found]"],
    ["test.reduce((most, value) => Math.max(most, value), -Infinity)", "test[best]"],
    ["last: test.at(-1)!", "last: test[best]"],
  ]),
];

export default list;
