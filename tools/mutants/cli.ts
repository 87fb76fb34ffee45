/**
 * Mistakes in `cli/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const command = ["tests/cli/value_test.ts"];

const words = ["tests/cli/words_test.ts"];
const progress = ["tests/cli/progress_test.ts"];

const list: readonly Mutant[] = [
  ...mutantsOf("cli/value_files.ts", command, [
    [
      "const size = same ? rows[0] : majority([labels.shape[0], ...rows]) ?? labels.shape[0];",
      "const size = labels.shape[0];",
    ],
    ["if (labels.shape[0] !== size) refuse(", "if (labels.shape[0] > 1e9) refuse("],
    ["head.shape[0] !== size && head.shape[1] === size", "head.shape[1] === size && false"],
    [
      "const classes = majority(readouts.map(({ shape }) => shape[1])) ?? logits.shape[1];",
      "const classes = logits.shape[1];",
    ],
    [
      "const width = majority(features.map(({ shape }) => shape[1])) ?? fused.shape[1];",
      "const width = fused.shape[1];",
    ],
    ["if (head.shape.length !== 2) refuse(head,", "if (head.shape.length > 9) refuse(head,"],
    ['for (const modality of modalities) checkModalityName(modality, `"${path}"`);', ""],
    ["if (foreign !== undefined) {", 'if (foreign === "") {'],
    [
      "if (names === undefined && present.length !== classes) {",
      "if (names === undefined && present.length > classes) {",
    ],
    ["const order = names ?? present;", "const order = present;"],
    ["if (unknown !== undefined) {", 'if (unknown === "") {'],
  ]),
  ...mutantsOf("cli/value.ts", command, [
    ["[...named, ...await loadKept(library, config, named)]", "named"],
    ["if (await kind(path) === null) {", 'if (path === "") {'],
    ["for (const flag of Object.keys(choices)) choice(parsed, flag as keyof Choices);", ""],
    ["if (!ofRun && parsed.text.split !== undefined) {", "if (ofRun && parsed.text.split !== undefined) {"],
    ["for (const warning of [...notes, ...valuation.warnings])", "for (const warning of valuation.warnings)"],
  ]),
  ...mutantsOf("cli/command.ts", words, [
    ["if (!Object.hasOwn(this.#specs, name))", "if (this.#specs[name] === undefined)"],
    [
      'if (own !== undefined) throw this.refuse(name, "it takes no value"',
      'if (own === "") throw this.refuse(name, "it takes no value"',
    ],
    ['if (value === undefined || value === "") throw', "if (value === undefined) throw"],
    ['if (own === undefined && value.startsWith("--")) {', 'if (own === undefined && value === "--") {'],
    ['else if (this.#specs[name].type === "text") throw', 'else if (this.#specs[name].type === "boolean") throw'],
    ["!boolean.help && parser.words.length > most", "!boolean.help && parser.words.length > most + 1"],
    ["hint: didYouMean(text, names),", ""],
    ["/^-\\.?\\d/.test(arg)", "false"],
    ['if (split.includes("")) throw', 'if (split.includes("-")) throw'],
    ["list[name] = [...new Set(split)];", "list[name] = split;"],
    ["value >= least && value <= most", "value >= least"],
    ["/^-?\\d+$/.test(text)", "Number.isInteger(value)"],
    ["export const largestInteger = 2 ** 32 - 1;", "export const largestInteger = 2 ** 53;"],
    ["if (error instanceof Refusal) {", "if (error instanceof Error) {"],
    [
      "console.error(`${name}: ${printableLine(brief(error.message))}`);",
      "console.error(`${name}: ${error.message}`);",
    ],
    ["const stack = cause instanceof Error ? cause.stack : error.stack;", "const stack = undefined;"],
    ["return own === undefined ? 1 : 0;", "return 1;"],
  ]),
  ...mutantsOf("cli/plugins.ts", words, [
    ['value.startsWith("data:") || existsSync(value)', "existsSync(value)"],
    ['value.startsWith("data:") || existsSync(value)', 'value.startsWith("data:")'],
    ["Deno.exit = exit;", ""],
    ["timer = setTimeout(() => reject(refusal), limit);", "timer = setTimeout(() => reject(refusal), 100 * limit);"],
  ]),
  ...mutantsOf("cli/asked.ts", words, [
    ["repeated !== null ? [repeated.seed] :", ""],
    ["repeated !== null\n    ? [requestFor(repeated)]\n    :", ""],
  ]),
  ...mutantsOf("cli/bench.ts", words, [
    ['parseChoice("--on-error", parsed.text["on-error"] ?? "continue", ["continue", "stop"])', '"continue"'],
    ['if (parsed.boolean["dry-run"]) return', "if (parsed.boolean.json) return"],
  ]),
  ...mutantsOf("cli/plan_table.ts", words, [
    ['if (state === "finished" && await folder.hasModel())', 'if (state === "failed" && await folder.hasModel())'],
    ['if (state === "broken")', 'if (reason === "")'],
  ]),
  ...mutantsOf("cli/printable.ts", words, [
    ["/[\\p{Cc}\\p{Cf}\\p{Cs}]/gu", "/[\\p{Cc}\\p{Cs}]/gu"],
    ['if (character === "\\t" || character === "\\n") return character;', ""],
  ]),
  ...mutantsOf("cli/requests.ts", words, [
    ["if (Object.hasOwn(chosen, modality)) {", 'if (modality === "" && Object.hasOwn(chosen, modality)) {'],
    ['if (modality === "" || name === "") {', 'if (modality === "") {'],
  ]),
  ...mutantsOf("cli/progress.ts", progress, [
    ["Math.max(1, Math.ceil(length / Math.max(1, columns)))", "1"],
    ["running.first ??= {", "running.first = {"],
    ["1000 * (drawn - first.drawn) / ms", "1000 * drawn / ms"],
    ["const left = waiting * this.#typical +", "const left ="],
    ["if (what.samplesDrawn > 0) this.tell(", "this.tell("],
    [
      "this.say(`  FAILED    ${name}: ${printableLine(what.message)}`);",
      "this.tell(`  FAILED    ${name}: ${printableLine(what.message)}`);",
    ],
    ["for (const note of plan.notes)", "for (const note of [] as string[])"],
    [
      ": one * Math.max(running.length, Math.min(this.#workers, this.#total - this.#ended))",
      ": one * running.length",
    ],
    [": one * Math.max(running.length, Math.min(this.#workers, this.#total - this.#ended))", ": one"],
  ]),
];

export default list;
