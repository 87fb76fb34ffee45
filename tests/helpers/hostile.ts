/** Texts that do harm where they are not taken as text. */
import type { Table } from "../../viewer/table.ts";

/** Names that somebody might give a run, an option or an error to do harm. */
export const hostile: readonly string[] = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  '=HYPERLINK("http://evil.example","x")',
  "+1+cmd|' /C calc'!A0",
  "-2+3",
  "@SUM(1)",
  "\t=1",
  "\r\n=1",
  "\\input{/etc/passwd}",
  "$\\write18{id}$",
  "a|b\nc",
  "[x](javascript:alert(1))",
  "]]></style><script>",
  "\u202egnp.exe",
  "\ud800",
  "a\u0000b",
  "%s&nbsp;~^_{}#",
  "[8,16,32]",
  "*\\\\[2cm]",
  "\\end{tabular}\\csname",
  "^^5cinput{x}",
  "--only ,,a'' <<b>> \u00ab\u201e",
  "αβΩ φᵢ − φⱼ ★ ∞ 2\u202f500 łódź Ðþ 中文 😀 e\u0301",
];

/** A table of them, in its title, heads, cells and notes. */
export const hostileTable: Table = {
  title: hostile[0],
  columns: [{ title: "name", align: "left" }, { title: "<b>|$", align: "right", raw: ["mean", "=ci"] }],
  rows: hostile.map((text, i) => [{ text, raw: [text], strong: i === 0 }, { text: "1.5 ± 0.2", raw: [1.5, -0.2] }]),
  notes: hostile,
};
