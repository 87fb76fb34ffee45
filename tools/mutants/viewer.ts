/**
 * Mistakes in `viewer/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const app = ["tests/viewer/app_test.ts"];
const views = ["tests/viewer/views_test.ts"];
const security = ["tests/viewer/security_test.ts"];
const hostile = ["tests/viewer/hostile_test.ts"];
const experiment = ["tests/viewer/experiment_test.ts"];
const evidence = ["tests/viewer/evidence_test.ts"];
const report = ["tests/viewer/report_test.ts"];
const tables = ["tests/viewer/table_test.ts"];
const store = ["tests/viewer/store_test.ts"];
const samples = ["tests/viewer/samples_test.ts"];
const trackers = ["tests/viewer/trackers_test.ts"];
const serving = ["tests/viewer/command_test.ts"];

const columns = ["tests/viewer/columns_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("viewer/run.ts", columns, [
    ["percent(own.accuracy),", "percent(own.ablateMean),"],
    ["percent(own.ablateMean),", "percent(own.accuracy),"],
    ["plain(own.phi),", "plain(own.nmi),"],
    ["plain(metrics.jointContribution),", "plain(metrics.contributionGap),"],
    ["percent(metrics.macroF1),", "percent(metrics.accuracy),"],
    [
      '[["test", run.summary.test], ["validation", run.summary.validation]]',
      '[["test", run.summary.validation], ["validation", run.summary.test]]',
    ],
    ["cell(record.epoch + 1),", "cell(record.epoch),"],
    ["(100 * validation.recall[i]).toFixed(1)", "(100 * recall).toFixed(1)"],
  ]),
  ...mutantsOf("viewer/measures.ts", columns, [
    ['ofModality(modality, "ablateMean")', 'ofModality(modality, "accuracy")'],
    ['ofModality(modality, "phi")', 'ofModality(modality, "ablateMean")'],
    ["summed(({ test }) => test.jointContribution)", "summed(({ test }) => test.contributionGap)"],
    ["summed(({ test }) => test.loss)", "summed(({ validation }) => validation.loss)"],
    ["summed(({ test }) => test.macroF1)", "summed(({ test }) => test.accuracy)"],
    ["of: (run) => run.validationAccuracy,", "of: summed(({ validation }) => validation.accuracy),"],
    ["run.timing?.stepMs ?? null", "run.timing?.seconds ?? null"],
  ]),
  ...mutantsOf("viewer/compare.ts", columns, [
    ["cell(versus.p, versus.p === null", "cell(versus.pHolm, versus.p === null"],
    ["cell(versus.seedsNeeded),", "cell(versus.n),"],
    ['versus.ci95 === null ? "–" : (100 * versus.ci95)', 'versus.ci95 === null ? "–" : (100 * versus.difference!)'],
  ]),
  ...mutantsOf("viewer/grid_table.ts", columns, [
    ["raw: [versus.p, versus.pHolm]", "raw: [versus.pHolm, versus.p]"],
    ["counts.finished, runs.length + planned,", "counts.finished, runs.length,"],
    ["counts.running, counts.failed,", "counts.failed, counts.running,"],
  ]),
  ...mutantsOf("viewer/tuning_table.ts", columns, [
    ["versusCell(given, isReference(label, across)),", "versusCell(tuned, isReference(label, across)),"],
    ["cell(givenValidation, givenValidation === null", "cell(validation, givenValidation === null"],
    ["cell(cost.runs),", "cell(cost.samplesDrawn),"],
  ]),
  ...mutantsOf("viewer/selection_table.ts", columns, [
    ["accuracyCell(oracle),", "accuracyCell(last),"],
    ["pointsCell(lastMinusValidation),", "pointsCell(oracleMinusValidation),"],
  ]),
  ...mutantsOf("viewer/reproduced_table.ts", columns, [
    ["cell(printed, printed === null", "cell(printedDifference, printed === null"],
    ["printedDifference / 100, 2", "printedDifference, 2"],
  ]),
  ...mutantsOf("viewer/across_tables.ts", columns, [["raw: [value, low, high]", "raw: [value, high, low]"]]),
  ...mutantsOf("viewer/samples.ts", columns, [["cell(classes[label]),", "cell(classes[readouts[0].predicted]),"]]),
  ...mutantsOf("viewer/sample.ts", columns, [["const own = phi.get(name);", "const own = row.phi[0][1];"]]),
  ...mutantsOf("viewer/evidence.ts", columns, [
    ["cell(confidence, (100 * confidence)", "cell(confidence, (100 * accuracy)"],
    ["cell(classes[truth]),\n      ...row.map", "cell(classes[0]),\n      ...row.map"],
  ]),
  ...mutantsOf("viewer/sample_tests.ts", columns, [["`${onlyFirst}:${onlySecond}`", "`${onlySecond}:${onlyFirst}`"]]),
  ...mutantsOf("viewer/chart_table.ts", columns, [["figure(b - value, chart.percent)", "figure(b, chart.percent)"]]),
  ...mutantsOf("viewer/curves.ts", columns, [
    ["true, ({ trainAccuracy }) => trainAccuracy", "true, ({ validation }) => validation.accuracy"],
    ["own(record, modality)?.nmi ?? null", "own(record, modality)?.phi ?? null"],
  ]),
  ...mutantsOf("viewer/security.ts", security, [
    ["if (options.token !== null) {", "if (options.token === undefined) {"],
    ['origin.replace(/^https?:\\/\\//, "") !== host', "!origin.includes(host)"],
    ["a.length === b.length && timingSafeEqual(a, b)", "given.startsWith(wanted)"],
    ["a.length === b.length && timingSafeEqual(a, b)", "wanted.startsWith(given)"],
    ["(token === null ? loopback : wellFormed).test(host)", "wellFormed.test(host)"],
    ['url.pathname.replace(/^\\/{2,}/, "/")', "url.pathname"],
    ['c.req.method !== "GET" && c.req.method !== "HEAD"', 'c.req.method === "DELETE"'],
    ['(site === "cross-site" || site === "same-site")', '(site === "cross-site")'],
    ["if (c.req.url.length > maxUrl)", "if (c.req.url.length > 100 * maxUrl)"],
    ['url.searchParams.delete("token");', ""],
    ['sameSite: "Strict",', 'sameSite: "Lax",'],
    ["const loopback = /^(127", "const loopback = /(127"],
    ["Math.max(0, now - this.#at) / 1000 * this.#perSecond", "Math.max(0, now - this.#at) * this.#perSecond"],
  ]),
  ...mutantsOf("viewer/serve.ts", serving, [
    ["if (!isLoopback(host) && token === null)", 'if (host === "0.0.0.0" && token === null)'],
    [
      "return /^(127(\\.\\d{1,3}){3}|localhost|::1)$/i.test(host);",
      "return /^(127(\\.\\d{1,3}){3}|localhost|::1)/i.test(host);",
    ],
    ["await Promise.race([Promise.all(answering), grace.promise]);", "await Promise.all(answering);"],
  ]),
  ...mutantsOf("viewer/routes/errors.tsx", app, [
    ["|| error instanceof StoreError) return null;", ") return null;"],
    ["if (!(error instanceof Refusal) ||", "if (!(error instanceof Error) ||"],
    ["{ status, message, ...parts }", "{ status, message }"],
    ['message: "The viewer could not answer this; its terminal says why."', "message: String(error)"],
    ["log(`Cannot answer", "((_: string, __: unknown) => {})(`Cannot answer"],
  ]),
  ...mutantsOf("viewer/routes/downloads.ts", app, [
    ["if (grid.problems.length > 0) throw grid.problems[0];", ""],
    ["await views.grid(c, { allPages: true })", "await views.grid(c)"],
  ]),
  ...mutantsOf("viewer/routes/api.ts", app, [["if (grid.problems.length > 0) throw grid.problems[0];", ""]]),
  ...mutantsOf("viewer/pages/grid_rows.tsx", app, [["runs[0]?.config.format === 1 && <OlderBadge />", "false"]]),
  ...mutantsOf("viewer/pages/run_page.tsx", app, [["run.config?.format === 1 && <OlderBadge />", "<OlderBadge />"]]),
  ...mutantsOf("viewer/search.ts", app, [
    ['measure.unit === "percent" ? 100 * mean : mean', "mean"],
    ["tests.every((test) => test(configuration))", "tests.some((test) => test(configuration))"],
    ["return a <= b;", "return a < b;"],
    ["return a > b;", "return a >= b;"],
    ['(settingText(value) === text) === (operator === "=")', "settingText(value) === text"],
    ["wanted > 0 && wanted < 1", "wanted > 0 && wanted < 0"],
    ['if (bare !== "" && Number.isFinite(value)) return value;', "return value;"],
    ['if (mean === undefined) return operator === "!=";', "if (mean === undefined) return true;"],
  ]),
  ...mutantsOf("viewer/grid.ts", app, [
    [
      "if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;",
      "if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;",
    ],
    ["return sign * (a - b);", "return sign * (b - a);"],
    ["states.some((state) => counts[state] > 0)", "states.every((state) => counts[state] > 0)"],
    ["one(query.fusion, settings.fusion)", "one(query.fusion, settings.method)"],
    ["wanted.length === 0 || wanted.includes(String(value))", "wanted.includes(String(value))"],
  ]),
  ...mutantsOf("viewer/grid.ts", experiment, [
    ["named(experiment.reference)", "all[0]"],
    ['experiment === null ? "-accuracy" : "planned"', '"-accuracy"'],
    ["{ ...result, versus: beside.get(id)!.versus }", "result"],
    ["if (!offered[name].includes(value))", "if (offered[name].includes(value))"],
    ["const fitting = all.filter(", "const fitting = model.configurations.filter("],
    ["if (experiment === null) return [];\n  const inside", "if (experiment !== null) return [];\n  const inside"],
  ]),
  ...mutantsOf("viewer/experiment.ts", experiment, [
    ["own.writtenAt > newest.writtenAt", "own.writtenAt < newest.writtenAt"],
    ["known?.runs.filter((run) => planned.has(run.id)) ?? []", "known?.runs ?? []"],
    ["planned: planned.size - own.length", "planned: 0"],
    ["if (name === everything) return null;", ""],
    ["sum + runs.length + planned, 0", "sum + runs.length, 0"],
  ]),
  ...mutantsOf("viewer/configurations.ts", experiment, [
    ["{ ...versus, reference: labels.get(versus.reference)! }", "versus"],
  ]),
  ...mutantsOf("viewer/compare.ts", experiment, [
    [
      "{ label: reference.label, values: accuracies(reference.runs) }",
      "{ label: reference.label, values: accuracies(others[0].runs) }",
    ],
    ["values: accuracies(item.runs), apart", "values: accuracies(reference.runs), apart"],
    ["const configuration = named.get(id) ?? model.byId.get(id);", "const configuration = model.byId.get(id);"],
  ]),
  ...mutantsOf("viewer/compare.ts", app, [
    ["items: items.slice(0, maxCompared)", "items: items.slice(-maxCompared)"],
    ["if ([item, reference].some(({ runs }) =>", "if ([reference].some(({ runs }) =>"],
    ["leftOut: Math.max(0, items.length - maxCompared)", "leftOut: 0"],
  ]),
  ...mutantsOf("viewer/names.ts", views, [
    ["second !== undefined && second[1] === first[1] ? null", "false ? null"],
    ['modalities.includes(",") ? String(settings.fusion)', "true ? String(settings.fusion)"],
    ["return found;", "return names;"],
    ['learningRate: "lr"', 'learningRate: "learningRate"'],
  ]),
  ...mutantsOf("viewer/settings.ts", views, [
    ["parts.length === 1 ? name : `${name}.${part.name}`, part.options", "name, {}"],
    ["else if (first.get(name) !== value) found.add(name);", "else found.add(name);"],
  ]),
  ...mutantsOf("viewer/curves.ts", views, [
    ["sum = weight * sum + (1 - weight) * value;", "sum = weight * value + (1 - weight) * sum;"],
    ["return sum / scale;", "return sum;"],
    ["byEpoch.every((run) => run.has(epoch))", "byEpoch.some((run) => run.has(epoch))"],
    ["mean + sign * half", "mean + sign * half / 2"],
    ["Object.keys(validation.perModality).length < 2 ? null", "false ? null"],
  ]),
  ...mutantsOf("viewer/chart_look.ts", views, [
    ["low - room <= 0 ? { min: 0 }", "low - room <= 0 ? { min: 10 }"],
    ["high + room >= 100 ? { max: 100 }", "high + room >= 100 ? {}"],
  ]),
  ...mutantsOf("viewer/run_charts.ts", views, [
    ["ranks.size === 3 && ranks.has(50)", "ranks.size === 4"],
    ["low: curve(low), high: curve(high)", "low: curve(high), high: curve(low)"],
    ["!/:p(?!50$)\\d+$/.test(name)", "true"],
  ]),
  ...mutantsOf("viewer/compare_chart.ts", views, [
    ["bands.every(({ band }) => aboveZero(band))", "true"],
    ["(from === null || x >= from)", "(from === null || x > from)"],
  ]),
  ...mutantsOf("viewer/samples.ts", samples, [
    ["readout.right === wanted", "readout.right !== wanted"],
    ["row.readouts[0].predicted === predicted", "row.label === predicted"],
    ['const sign = sort === "easy" ? -1 : 1;', "const sign = 1;"],
    ["sameSamples(predictions, beside) ? beside : null", "beside"],
    ["counts[label][readouts[0].predicted]++", "counts[readouts[0].predicted][label]++"],
  ]),
  ...mutantsOf("viewer/followed.ts", samples, [
    ["last.phi[modalities[0]][b] - last.phi[modalities[0]][a]", "a - b"],
    ["records.map(({ phi }) => phi[modality][n])", "records.map(({ phi }) => phi[modalities[0]][n])"],
  ]),
  ...mutantsOf("viewer/media.ts", samples, [
    ["(height - 1 - y)", "y"],
    ["bytes.set([blue, green, red]", "bytes.set([red, green, blue]"],
    ["bands - 1 - y", "y"],
    ["Math.max(-1, Math.min(1, value))", "value"],
  ]),
  ...mutantsOf("viewer/trackers/tensorboard.ts", trackers, [
    ["0x82f63b78", "0xedb88320"],
    ["(crc >>> 15) | (crc << 17)", "(crc >>> 17) | (crc << 15)"],
    [
      "view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true)",
      "view.setUint32(8, crc32c(bytes.subarray(0, 8)), true)",
    ],
    ["if (ended !== null) {", "if (ended === 0) {"],
  ]),
  ...mutantsOf("viewer/trackers/mlflow.ts", trackers, [
    ["${milliseconds(time)} ${value} ${step}", "${milliseconds(time)} ${step} ${value}"],
    ["finished: 3,", "finished: 1,"],
    [".map((part) => /^\\.*$/.test(part) ? `_${part}` : part)", ""],
  ]),
  ...mutantsOf("viewer/trackers/runs.ts", trackers, [
    ["const step = record.epoch + 1;", "const step = record.epoch;"],
    ["Math.min(1, done / Math.max(1, run.epochs))", "done"],
  ]),
  ...mutantsOf("viewer/chart_lines.ts", views, [
    [
      "if (least === undefined || values.length === 0) return {};",
      "if (values.length === 0) return {};",
      "nothing is below what is not known",
    ],
  ]),
  ...mutantsOf("viewer/bounded.ts", hostile, [
    ["if (text.length <= most) return text;", "return text;"],
    ["${text.length} characters, ${digest}", "${text.length} characters"],
    ["[boundedText(name), cut(", "[name, cut("],
    ["if (depth === maxDepth)", "if (depth === 100 * maxDepth)"],
    ["prose.has(name) ? maxProse : most", "most"],
  ]),
  ...mutantsOf("viewer/table.ts", tables, [
    ["formula.test(text) ? `'${text}` : text", "text"],
    ['.replaceAll("<", "&lt;")', ""],
    ['Number.isFinite(value) ? String(value) : ""', "value.toFixed(3)"],
  ]),
  ...mutantsOf("viewer/table.ts", hostile, [
    ['.replace(/[\\ud800-\\udbff]$/, "")', ""],
    ["\\u2066-\\u2069\\ufffe\\uffff]+/g", "\\u2066-\\u2069]+/g"],
  ]),
  ...mutantsOf("viewer/store.ts", store, [
    ["const start = Math.max(0, info.size - shownLogBytes);", "const start = 0;"],
  ]),
  ...mutantsOf("viewer/store.ts", app, [["for (const id of removed) this.#details.delete(id);", ""]]),
  ...mutantsOf("viewer/store.ts", security, [
    ["if (!Object.values<string>(runFiles).includes(name)) return null;", ""],
    [
      "if (await Deno.realPath(path) !== inside) return null;",
      "",
      "a link within the folder is no regular file, which is asked before",
    ],
    ["return info.isFile ? info : null;", "return info;"],
    ["if (!isRunId(id)) return null;", ""],
  ]),
  ...mutantsOf("viewer/store.ts", experiment, [[
    "if (stamp === this.#asked.stamp) return false;",
    "if (this.#asked.stamp !== null) return false;",
  ]]),
  ...mutantsOf("viewer/evidence.ts", evidence, [
    ['await store.predictions(run.id, "test")', 'await store.predictions(run.id, "validation")'],
    ['reason: reason ?? "This run kept no predictions', 'reason: "This run kept no predictions'],
    ["if (!(error instanceof Refusal)) throw error;", "throw error;"],
    ["strong: truth === predicted", "strong: truth !== predicted"],
  ]),
  ...mutantsOf("viewer/sample_tests.ts", evidence, [
    [
      "seedPairs(await predictionsOf(store, item), await predictionsOf(store, reference))",
      "seedPairs(await predictionsOf(store, reference), await predictionsOf(store, item))",
    ],
    ["`${onlyFirst}:${onlySecond}`", "`${onlySecond}:${onlyFirst}`"],
  ]),
  ...mutantsOf("viewer/experiment_report.ts", report, [
    ["if (rows.every(({ result }) => result === null))", "if (rows.length === 0)"],
    ["`**${markdownText(answer)}.**`", "`**${answer}.**`"],
    ['latexText(question), ""', 'question, ""'],
  ]),
  ...mutantsOf("viewer/grid_table.ts", experiment, [
    ["raw: [versus.difference, versus.ci95]", "raw: [versus.ci95, versus.difference]"],
    [
      "raw: [versus.verdict, versus.reason, versus.seedsNeeded]",
      "raw: [versus.reason, versus.verdict, versus.seedsNeeded]",
    ],
  ]),
];

export default list;
