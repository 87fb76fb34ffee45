/**
 * Mistakes in `tools/` that its tests must notice.
 *
 * @module
 */
import { type Mutant, mutantsOf } from "../mutant.ts";

const list: readonly Mutant[] = [
  ...mutantsOf("tools/mutation/change.ts", ["tests/tools/mutants_test.ts"], [
    ["if (count !== 1) {", "if (count === 0) {"],
    ["fragment.split(/\\s+/).map(", "[fragment].map("],
    ['part.replace(/[.*+?^${}()|[\\]\\\\]/g, "\\\\$&")', 'part.replace(/[.*+?^${}()|[\\]]/g, "\\\\$&")'],
    ["() => to)", "to)"],
    ["depth = found[1].length;", ""],
  ]),
  ...mutantsOf("tools/mutation/tally.ts", ["tests/tools/mutants_test.ts"], [
    ['fate === "killed" || fate === "late"', 'fate === "killed"'],
    ["noticed(outcome) && !marked(outcome)", "noticed(outcome)"],
    ['fate === "alive" && marked(outcome)', 'fate === "late" && marked(outcome)'],
    ["refuted === 0 && unreadable === 0 &&", "unreadable === 0 &&"],
    ["refuted === 0 && unreadable === 0 &&", "refuted === 0 &&"],
    ["const LEAST_KILLED = 0.9;", "const LEAST_KILLED = 0.8;"],
  ]),
  ...mutantsOf("tools/mutation/run.ts", ["tests/tools/mutants_test.ts"], [
    ["await Deno.writeTextFile(path, change);", ""],
    [
      "outcomes[index] = { mutant: task.mutant, ...found, kept: false };",
      "outcomes.push({ mutant: task.mutant, ...found, kept: false });",
    ],
    ["if (anew || known?.key !== key) open.push(index);", "if (anew || known === null) open.push(index);"],
    ["...tests.map((test) => keys.get(test)!).sort()", ""],
    ["if (found.by !== null) shared.notices.add(file, place.line, found.by);", ""],
    [
      "next < items.length && !signal?.aborted",
      "next < items.length",
      "each of the others is then stopped as it begins",
    ],
    ['if (fate === "alive") break;', 'if (fate === "alive") return { fate, by: null };'],
  ]),
  ...mutantsOf("tools/mutation/test_file.ts", ["tests/tools/mutants_test.ts"], [
    ['if (alone.end !== "passed") return foundIn(alone);', "return found;"],
    ['if (whole.end !== "passed") this.#refuse(whole);', ""],
    ['return asItStands ? "passes" : "again";', 'return "passes";'],
    ["this.#spareMs + 10 * ms", "1e9"],
    ['if (first.end !== "failed" || first.by === null || first.passed.length === 0) return found;', ""],
  ]),
  ...mutantsOf("tools/mutation/trial.ts", ["tests/tools/mutants_test.ts"], [
    ['if (code === 0) return { end: "passed", by, passed, text };', 'return { end: "passed", by, passed, text };'],
    ['/^(TypeError: )?SyntaxError/.test(unloaded) ? "unreadable" : "failed"', '"failed"'],
    ["found.sort((a, b) => place(a) - place(b))", "found"],
    ['"found = found.filter(({ name }) => rank.has(name));"', '""'],
    ["if (signal?.aborted) onAbort();", ""],
  ]),
  ...mutantsOf("tools/mutation/kept.ts", ["tests/tools/mutants_test.ts"], [
    ['if (text !== "" && !text.endsWith("\\n")) await Deno.writeTextFile(path, "\\n", { append: true });', ""],
    ["return found?.key === key ? found : null;", "return found ?? null;"],
    ["{ append: true });\n  }", "{ append: false });\n  }"],
  ]),
  ...mutantsOf("tools/mutation/order.ts", ["tests/tools/mutants_test.ts"], [
    ["by.file !== test || (name !== null && by.name !== name)", "by.file !== test"],
    ["NEAR_LINES / (NEAR_LINES + Math.abs(other - line))", "1"],
    ["2 / (1 + named)", "2"],
    ["likely / (LEAST_MS + (ms ?? UNKNOWN_MS))", "likely"],
    ["tests.filter((test) => steps(test) !== undefined)", "[...tests]"],
    ["before?.file === test ? 0 : 1,", "0,"],
    ["before?.file === test && before.name === name", "before?.name === file"],
  ]),
  ...mutantsOf("tools/mutation/reach.ts", ["tests/tools/mutants_test.ts"], [
    ['file.startsWith("tests/") && text.includes("Deno.Command(") ? started : []', "[]"],
    ["...namedIn(file, text, all),", ""],
    ["steps.set(target, count + 1)", "steps.set(target, count)"],
    ["(?<!\\b(?:from|import) )", ""],
    ["lines.push(`${file} ${contents.get(file)}`);", "lines.push(file);"],
    ['for (const base of [dirname(file), "."]) {', "for (const base of [dirname(file)]) {"],
    ["if (other.startsWith(from)) found.add(other);", ";"],
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
