/**
 * Tables for terminals: aligned, and on a narrow one folded between words and columns, never within them.
 *
 * @module
 */

/** A table of texts. */
export interface TextTable {
  readonly columns: readonly { readonly title: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly { readonly text: string }[])[];
}

/** Text broken at spaces into lines of so many characters; a longer word stands alone. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A column as it is drawn. */
interface Drawn {
  readonly title: readonly string[];
  readonly cells: readonly string[];
  readonly width: number;
  readonly align: "left" | "right";
}

const GAP = "  ";
/** Characters of a column of sentences at least. */
const LEAST_TEXT = 24;

/** Characters that a table takes at least if its titles are broken between words and no column is left out. */
export function leastWidth(table: TextTable): number {
  return lengthOf(drawn(table, true));
}

function drawn({ columns, rows }: TextTable, fold: boolean): Drawn[] {
  return columns.map(({ title, align }, i): Drawn => {
    const cells = rows.map((row) => row[i].text);
    const cell = Math.max(0, ...cells.map((text) => text.length));
    const word = Math.max(...title.split(" ").map((one) => one.length));
    const lines = fold ? wrapText(title, Math.max(cell, word)) : [title];
    return { title: lines, cells, align, width: Math.max(cell, ...lines.map((line) => line.length)) };
  });
}

const lengthOf = (columns: readonly Drawn[]) =>
  columns.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);

/**
 * A table as text. What is wider than the terminal first breaks its titles between words, then continues below itself, the
 * first column repeated.
 *
 * @param width Characters of a line at most, where the first column and one other fit into it. @default {Infinity}
 */
export function textTable(table: TextTable, width: number = Infinity): string {
  const plain = drawn(table, false);
  if (lengthOf(plain) <= width) return block(plain);
  const [first, ...others] = drawn(table, true);
  const blocks: Drawn[][] = [[first]];
  for (const column of others) {
    const last = blocks.at(-1)!;
    // The last column may be broken into lines.
    const sentences = column === others.at(-1) && column.align === "left";
    const least = sentences ? { ...column, width: Math.min(column.width, LEAST_TEXT) } : column;
    if (last.length > 1 && lengthOf([...last, least]) > width) blocks.push([first, column]);
    else last.push(column);
  }
  return blocks.map((own) => block(own, width)).join("\n\n");
}

function block(columns: readonly Drawn[], width: number = Infinity): string {
  const last = columns.at(-1)!;
  const over = lengthOf(columns) - width;
  // Sentences are broken between words, and go on below themselves.
  if (over > 0 && last.align === "left" && last.width - over >= LEAST_TEXT) {
    return broken(columns, last.width - over);
  }
  const height = Math.max(...columns.map(({ title }) => title.length));
  const line = (cellOf: (column: Drawn) => string) =>
    columns.map((own) => own.align === "left" ? cellOf(own).padEnd(own.width) : cellOf(own).padStart(own.width))
      .join(GAP).trimEnd();
  return [
    // Titles stand on the line.
    ...Array.from({ length: height }, (_, i) => line(({ title }) => title[i - height + title.length] ?? "")),
    line(({ width }) => "-".repeat(width)),
    ...columns[0].cells.map((_, row) => line(({ cells }) => cells[row])),
  ].join("\n");
}

/** A block whose last column is broken into lines of so many characters. */
function broken(columns: readonly Drawn[], width: number): string {
  const parts = columns.at(-1)!.cells.map((text) => wrapText(text, width));
  const rows = parts.flatMap((lines, row) => lines.map((_, line) => ({ row, line })));
  return block(
    columns.map((own, i) =>
      i < columns.length - 1
        ? { ...own, cells: rows.map(({ row, line }) => line === 0 ? own.cells[row] : "") }
        : { ...own, width, cells: rows.map(({ row, line }) => parts[row][line]) }
    ),
  );
}
