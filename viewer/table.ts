/**
 * Tables as data, and as CSV, Markdown and SVG; `latex.ts` writes LaTeX.
 *
 * Whatever stands in a cell may come from anybody: each format escapes all that it would read as its own.
 *
 * @module
 */
import { stringify } from "@std/csv";

/** A value as CSV writes it. */
export type Raw = string | number | boolean | null;

/** A column. */
export interface TableColumn {
  readonly title: string;
  readonly align: "left" | "right";
  /** Columns of CSV that it becomes. @default [title] */
  readonly raw?: readonly string[];
}

/** A cell. */
export interface TableCell {
  /** As people read it. */
  readonly text: string;
  /** As programs read it, a value per raw column. @default [text] */
  readonly raw?: readonly Raw[];
  /** Set in bold: the best. */
  readonly strong?: boolean;
}

/** A table with what must be known to read it. */
export interface Table {
  readonly title: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly TableCell[])[];
  readonly notes: readonly string[];
}

/** A cell of text or of a number, shown as it is. */
export function cell(value: Raw, text: string = value === null ? "–" : String(value)): TableCell {
  return { text, raw: [value] };
}

/** What a spreadsheet would run as a formula. */
const formula = /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Text that a spreadsheet shows and does not run (OWASP, "CSV Injection"): an apostrophe before it. */
export function csvText(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

function csvValue(value: Raw): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  return csvText(String(value));
}

/** As CSV (RFC 4180): numbers at full precision; notes are left out. */
export function csvOf(table: Table): string {
  const head = table.columns.flatMap(({ title, raw }) => raw ?? [title]);
  const rows = table.rows.map((row) =>
    row.flatMap((entry, column) => {
      const width = table.columns[column].raw?.length ?? 1;
      const raw = entry.raw ?? [entry.text];
      return Array.from({ length: width }, (_, i) => csvValue(raw[i] ?? null));
    })
  );
  return stringify([head.map(csvText), ...rows], { headers: false });
}

// deno-lint-ignore no-control-regex
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]+/g;

/** Removes what no text format can hold: control characters, lone surrogates and what XML forbids. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(unprintable, " ");
}

/** Text in Markdown that stays text. */
export function markdownText(text: string): string {
  return printable(text).replaceAll(/[\\`*_{}[\]<>#|~$&]/g, (character) => `\\${character}`);
}

/** As a Markdown table (GitHub's), with title and notes. */
export function markdownOf(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `**${markdownText(table.title)}**`,
    "",
    line(table.columns.map(({ title }) => markdownText(title))),
    line(table.columns.map(({ align }) => align === "right" ? "---:" : ":---")),
    ...table.rows.map((row) =>
      line(row.map(({ text, strong }) => strong ? `**${markdownText(text)}**` : markdownText(text)))
    ),
    ...(table.notes.length === 0 ? [] : ["", ...table.notes.map((note) => `${markdownText(note)}  `)]),
    "",
  ].join("\n");
}

/** A text of so many characters at most; none is cut in the middle of its two halves. */
export function cutText(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** Text in XML and HTML that stays text. */
export function xmlText(text: string): string {
  return printable(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  ).replaceAll("'", "&#39;");
}

const fontSize = 13;
const rowHeight = 24;
const gap = 20;
const margin = 16;

/** Width of text in the sans-serif of 13 px, roughly, on the wide side. */
export function widthOf(text: string, strong = false): number {
  let width = 0;
  for (const character of text) {
    width += /[ilj.,:;|'!()[\]]/.test(character)
      ? 4.2
      : /[mwMW%@]/.test(character)
      ? 11.5
      : /[A-Z]/.test(character)
      ? 9
      : 7.4;
  }
  return strong ? width * 1.08 : width;
}

/** Characters of a cell that a picture shows. */
const shownCharacters = 80;

/** As a picture, in the manner of booktabs: black on white, for slides and papers. */
export function svgOf(table: Table): string {
  const cut = (text: string) => cutText(text, shownCharacters);
  const widths = table.columns.map(({ title }, column) =>
    Math.max(
      widthOf(title, true),
      ...table.rows.map((row) => widthOf(cut(row[column].text), row[column].strong)),
    )
  );
  const notes = table.notes.flatMap((note) => wrapped(note, 120));
  const width = Math.ceil(
    Math.max(
      2 * margin + widths.reduce((sum, own) => sum + own + gap, -gap),
      2 * margin + widthOf(table.title, true),
      ...notes.map((note) => 2 * margin + 0.9 * widthOf(note)),
    ),
  );
  const top = margin + 28;
  const bottom = top + rowHeight * (table.rows.length + 1) + 6;
  const height = Math.ceil(bottom + 12 + 17 * notes.length + margin / 2);
  const starts: number[] = [];
  widths.reduce((x, own, i) => (starts[i] = x, x + own + gap), margin);
  const text = (content: string, column: number, y: number, strong: boolean) => {
    const right = table.columns[column].align === "right";
    const x = (right ? starts[column] + widths[column] : starts[column]).toFixed(1);
    return `<text x="${x}" y="${y}"${right ? ' text-anchor="end"' : ""}${strong ? ' font-weight="bold"' : ""}>${
      xmlText(cut(content))
    }</text>`;
  };
  const rule = (y: number, stroke: number) =>
    `<line x1="${margin}" x2="${width - margin}" y1="${y}" y2="${y}" stroke="#111" stroke-width="${stroke}"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="${fontSize}" fill="#111">`,
    `<title>${xmlText(table.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin}" y="${margin + 12}" font-weight="bold">${xmlText(table.title)}</text>`,
    rule(top, 1.4),
    ...table.columns.map(({ title }, column) => text(title, column, top + 17, true)),
    rule(top + rowHeight + 1, 0.8),
    ...table.rows.flatMap((row, i) =>
      row.map((entry, column) => text(entry.text, column, top + rowHeight * (i + 1) + 19, entry.strong === true))
    ),
    rule(bottom, 1.4),
    ...notes.map((note, i) =>
      `<text x="${margin}" y="${bottom + 20 + 17 * i}" font-size="12" fill="#444">${xmlText(note)}</text>`
    ),
    "</svg>",
  ].join("\n");
}

/** Text broken at spaces into lines of so many characters. */
function wrapped(text: string, length: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && line.length + 1 + word.length > length) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
