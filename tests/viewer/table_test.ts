import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/csv";
import fc from "../helpers/properties.ts";
import { cell, csvOf, csvText, markdownOf, markdownText, svgOf, xmlText } from "../../viewer/table.ts";
import { hostile, hostileTable as table } from "../helpers/hostile.ts";

Deno.test("csvOf() keeps every text and number, and no text is a formula", () => {
  const rows = parse(csvOf(table));
  assertEquals(rows[0], ["name", "mean", "'=ci"]);
  rows.slice(1).forEach(([name, mean, ci], i) => {
    assert(!/^\s*[=+\-@\t\r]/.test(name), name);
    assertEquals(name.replace(/^'/, "").toWellFormed(), hostile[i].toWellFormed());
    assertEquals([Number(mean), Number(ci)], [1.5, -0.2]);
  });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const rows = [[cell("x"), { text: "", raw: [text] }]];
      const columns = [{ title: "a", align: "left" as const }, { title: "b", align: "left" as const }];
      const [x, back] = parse(csvOf({ title: "", columns, rows, notes: [] }))[1];
      assertEquals(x, "x");
      assert(!/^\s*[=+\-@\t\r]/.test(back));
      assertEquals(back.replace(/^'/, ""), text.replace(/^'/, ""));
    }),
    { numRuns: 40 },
  );
  assertEquals(csvText("－1"), "'－1");
  assertEquals(
    csvOf({ title: "", columns: [{ title: "n", align: "right" }], rows: [[cell(-1.25)], [cell(null)]], notes: [] }),
    "n\r\n-1.25\r\n\r\n",
  );
});

Deno.test("markdownOf() has as many cells in each row as columns, whatever stands in them", () => {
  const lines = markdownOf(table).split("\n");
  const rows = lines.filter((line) => line.startsWith("| "));
  assertEquals(rows.length, hostile.length + 2);
  for (const row of rows) assertEquals(row.replaceAll(/\\./g, "").split("|").length, 4, row);
  assertEquals(markdownText("[x](y)<b>|"), "\\[x\\](y)\\<b\\>\\|");
});

Deno.test("svgOf() is well-formed and holds hostile text as text alone", () => {
  const svg = svgOf(table);
  assert(!/<script|<img|onerror=(?!alert\(1\)&gt;)/i.test(svg));
  // Every "<" begins one of our own elements.
  for (const [tag] of svg.matchAll(/<\/?[^\s>/]+/g)) {
    assert(["<svg", "<title", "<rect", "<text", "<line", "</svg", "</title", "</text"].includes(tag), tag);
  }
  assert(!/&(?!(amp|lt|gt|quot|#39);)/.test(svg));
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff]/u.test(svg));
  assertEquals(xmlText("<a b='c'>&"), "&lt;a b=&#39;c&#39;&gt;&amp;");
});
