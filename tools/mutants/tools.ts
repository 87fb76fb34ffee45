/**
 * Mistakes in `tools/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const list: readonly Mutant[] = [
  ...mutantsOf("tools/mutants.ts", ["tests/tools/mutants_test.ts"], [
    ["if (count !== 1) {", "if (count === 0) {"],
    ["fragment.split(/\\s+/).map(", "[fragment].map("],
    ['part.replace(/[.*+?^${}()|[\\]\\\\]/g, "\\\\$&")', 'part.replace(/[.*+?^${}()|[\\]]/g, "\\\\$&")'],
    ["() => to)", "to)"],
    ['fate === "killed" || fate === "late"', 'fate === "killed"'],
    ["noticed(outcome) && !marked(outcome)", "noticed(outcome)"],
    ['fate === "alive" && marked(outcome)', 'fate === "late" && marked(outcome)'],
    ["refuted === 0 && unreadable === 0 &&", "unreadable === 0 &&"],
    ["refuted === 0 && unreadable === 0 &&", "refuted === 0 &&"],
    ["const LEAST_KILLED = 0.9;", "const LEAST_KILLED = 0.8;"],
    ['if (end !== "passed") {', 'if (end === "late") {'],
    ["await Deno.writeTextFile(path, changed(text, mutant));", ""],
    ['if (code === 0) return { end: "passed", ms, text };', 'return { end: "passed", ms, text };'],
    ["SyntaxError/m.test(text)", "SynError/m.test(text)"],
    ["outcomes[index] = outcome;", "outcomes.push(outcome);"],
  ]),
  ...mutantsOf("tools/check_imports.ts", ["tests/tools/check_imports_test.ts"], [
    ['match[0].startsWith("\\n") ? 1 : 0', "0"],
    ["!runtimeFiles.includes(file)", "runtimeFiles.includes(file)"],
    ["if (!rule.includes(other)) tell(", "if (rule.length === 0) tell("],
    ["own === room || own !== folder", "own !== folder"],
    ["!Object.hasOwn(shared, target)", "true"],
    ["const specifier = match[1] ?? match[2];", 'const specifier = match[1] ?? "";'],
  ]),
  ...mutantsOf("tools/check_exports.ts", ["tests/tools/check_exports_test.ts"], [
    ['read(file).replaceAll(/\\/\\*[\\s\\S]*?\\*\\//g, "")', "read(file)"],
    ['.replace(/^type /, "")', ""],
    ['const [own, as = own] = item.split(" as ");', 'const [own] = item.split(" as "); const as = own;'],
    ["if (!found.has(name)) found.set(name, where);", "found.delete(name);"],
    ["files.size > 1", "files.size > 2"],
  ]),
  ...mutantsOf("tools/groups.ts", ["tests/tools/groups_test.ts"], [
    ["b[1] - a[1] || a[0] - b[0]", "b[1] - a[1] || b[0] - a[0]"],
    ["b[1] - a[1] || a[0] - b[0]", "a[0] - b[0]"],
    [".sort((a, b) => b.size - a.size)", ""],
    ["random.split(label).shuffle(byClass.get(label)!)", "byClass.get(label)!"],
    ["[split, share * total]", "[split, share]"],
    ["lacking.set(split, lacking.get(split)! - size);", ""],
    ["[...own.values()].reduce((sum, count) => sum + count, 0)", "own.get(label)!"],
  ]),
];

export default list;
