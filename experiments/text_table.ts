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
const lengthOf = (columns: readonly Drawn[]) =>
  columns.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);

/**
 * A table as text. What is wider than the terminal first breaks its titles between words, then continues below itself, the
 * first column repeated.
 *
 * @param width Characters of a line at most, where the first column and one other fit into it. @default {Infinity}
 */
export function textTable({ columns, rows }: TextTable, width: number = Infinity): string {
  const draw = (fold: boolean) =>
    columns.map(({ title, align }, i): Drawn => {
      const cells = rows.map((row) => row[i].text);
      const cell = Math.max(0, ...cells.map((text) => text.length));
      const word = Math.max(...title.split(" ").map((one) => one.length));
      const lines = fold ? wrapText(title, Math.max(cell, word)) : [title];
      return { title: lines, cells, align, width: Math.max(cell, ...lines.map((line) => line.length)) };
    });
  const plain = draw(false);
  if (lengthOf(plain) <= width) return block(plain);
  const [first, ...others] = draw(true);
  const blocks: Drawn[][] = [[first]];
  for (const column of others) {
    const last = blocks.at(-1)!;
    if (last.length > 1 && lengthOf([...last, column]) > width) blocks.push([first, column]);
    else last.push(column);
  }
  return blocks.map(block).join("\n\n");
}

function block(columns: readonly Drawn[]): string {
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
