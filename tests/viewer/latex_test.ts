import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "../helpers/properties.ts";
import { exportableOf, exportItem, itemsIn } from "../../viewer/export_view.ts";
import { latexOf, latexText } from "../../viewer/latex.ts";
import { modelOf } from "../../viewer/configurations.ts";
import { openRunStore } from "../../viewer/store.ts";
import { cell, type Table } from "../../viewer/table.ts";
import { hostile, hostileTable } from "../helpers/hostile.ts";
import { inFolder } from "../helpers/cli.ts";
import { compiled, hasLatex } from "../helpers/latex.ts";
import { writeRun } from "../helpers/runs.ts";

/** Everything that latexText() writes of its own. */
const known =
  /\\(textbackslash|textless|textgreater|textbar|textquote[a-z]+|textasciitilde|textasciicircum|textasciigrave|ldots)\{\}|\\[{}$&#%_,]|\$\\[A-Za-z]+\$|\$(_[ij]|\^t)\$|\$-\$|[-,']\{\}/g;

Deno.test("latexOf() leaves no command to the text", () => {
  const text = latexOf(hostileTable);
  for (const line of hostile) {
    const rest = latexText(line).replaceAll(known, "");
    assert(!/[\\{}$&#%_^<>|"`]/.test(rest), `${JSON.stringify(line)} gives ${rest}`);
  }
  for (const part of ["\\toprule", "\\midrule", "\\bottomrule", "\\textbf{", "1.5 $\\pm$ 0.2 \\\\"]) {
    assertStringIncludes(text, part);
  }
  // What would be an option of the end of the row before it.
  assertStringIncludes(text, "\n    {}[8,16,32] & ");
  assertMatch(text, /\n {4}\{\}\*\\textbackslash\{\}/);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (any) => {
    assert(!/[\\{}$&#%_^<>|"`\n]/.test(latexText(any).replaceAll(known, "")));
  }));
});

Deno.test("latexText() keeps what people write: signs, Greek, thin spaces, marks; hyphens stay hyphens", () => {
  assertEquals(latexText("φᵢ − φⱼ ≤ 2\u202f500 ★"), "$\\phi$$_i$ $-$ $\\phi$$_j$ $\\leq$ 2\\,500 $\\star$");
  assertEquals(latexText("Łódź, e\u0301, λ"), "Łódź, é, $\\lambda$");
  assertEquals(latexText("--only"), "-{}-only");
  assertEquals(latexText("–"), "--");
  assertEquals(latexText("中\u2066"), "? ");
});

Deno.test({
  name: "every table and chart exported as LaTeX compiles, hostile names included, in OT1 and T1",
  ignore: !await hasLatex(),
  fn: () =>
    inFolder(async (runs) => {
      for (const seed of [0, 1, 2]) {
        writeRun(runs, { seed, methods: [{ name: "arm", options: { lambda1: 0.1 } }], accuracy: 0.95 });
        writeRun(runs, { seed, accuracy: 0.8 });
      }
      hostile.forEach((text, i) =>
        writeRun(runs, {
          seed: i,
          fusion: text.toWellFormed(),
          methods: [{ name: text.toWellFormed(), options: { [text.toWellFormed()]: text.toWellFormed() } }],
          dataset: text.toWellFormed(),
          modalities: ["audio", text.toWellFormed()],
          classes: [text.toWellFormed(), ...hostile.map((other) => other.toWellFormed())].slice(0, 10),
          reports: { [text.toWellFormed()]: { [text.toWellFormed()]: 1, [`fw:${text.toWellFormed()}`]: { a: 3 } } },
        })
      );
      const store = openRunStore(runs);
      const tables = [latexOf(hostileTable)];
      // Every character that is written as it is, and some of all the others.
      const characters = Array.from({ length: 0x3000 }, (_, i) => String.fromCodePoint(i));
      const all: Table = {
        title: "Characters",
        columns: [{ title: "c", align: "left" }],
        rows: Array.from({ length: 0x3000 / 256 }, (_, i) => [
          cell(characters.slice(256 * i, 256 * (i + 1)).join(" ")),
        ]),
        notes: [],
      };
      tables.push(latexOf(all));
      try {
        const model = modelOf(await store.snapshot());
        const compared = model.configurations.slice(0, 4).map(({ id }) => id).join(",");
        const addresses = ["/", "/?settings=all", `/compare?c=${compared}`];
        for (const id of model.runs.keys()) addresses.push(`/runs/${id}`);
        for (const address of addresses) {
          const exportable = await exportableOf(store, address);
          for (const item of itemsIn(exportable)) tables.push(String(await exportItem(exportable, item, "tex")));
        }
      } finally {
        store.close();
      }
      assert(tables.length > 200, String(tables.length));
      for (const encoding of ["OT1", "T1"]) {
        const { code, log } = await compiled([
          "\\documentclass{article}",
          `\\usepackage[${encoding}]{fontenc}`,
          "\\usepackage{booktabs}",
          "\\begin{document}",
          ...tables.map((table) => `${table}\\clearpage`),
          "\\end{document}",
        ].join("\n"));
        assertEquals(code, 0, log.slice(-2000));
        assertEquals(Number(/Output written on tables\.pdf \((\d+) pages/.exec(log)?.[1]), tables.length);
      }
    }),
});
