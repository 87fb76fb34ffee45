/**
 * Tables as LaTeX: text that stays text, by commands that every document has.
 *
 * @module
 */
import { printable, type Table } from "./table.ts";

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "$": "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  "_": "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  // The straight one is not in OT1, in which documents are set unless they say otherwise.
  '"': "\\textquotedblright{}",
  "`": "\\textasciigrave{}",
  "«": "$\\ll$",
  "»": "$\\gg$",
  "±": "$\\pm$",
  "−": "$-$",
  "–": "--",
  "—": "---",
  "·": "$\\cdot$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  "≠": "$\\neq$",
  "≈": "$\\approx$",
  "∞": "$\\infty$",
  "→": "$\\to$",
  "×": "$\\times$",
  "★": "$\\star$",
  "…": "\\ldots{}",
  "’": "'",
  "‘": "\\textquoteleft{}",
  "“": "\\textquotedblleft{}",
  "”": "\\textquotedblright{}",
  "\u00a0": "~",
  "\u2009": "\\,",
  "\u202f": "\\,",
  "ᵢ": "$_i$",
  "ⱼ": "$_j$",
  "ᵗ": "$^t$",
};

/** Greek letters that do not look like Latin ones. */
const greek =
  "α alpha β beta γ gamma δ delta ε varepsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi " +
  "ρ rho ς varsigma σ sigma τ tau υ upsilon φ phi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma " +
  "Υ Upsilon Φ Phi Ψ Psi Ω Omega";
const letters = greek.split(" ");
const commands: ReadonlyMap<string, string> = new Map([
  ...Object.entries(escapes),
  ...letters.flatMap((letter, i): [string, string][] => i % 2 === 0 ? [[letter, `$\\${letters[i + 1]}$`]] : []),
]);

/** Latin letters with marks, as far as OT1 can put them together: to U+017F, but for some. */
const latinEnd = 0x17f;
const notInOt1 = new Set("ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ");

/**
 * Text in LaTeX that stays text, with commands that need no package; what has no command here becomes `?`.
 *
 * Tested with pdfLaTeX in the encodings OT1 and T1.
 */
export function latexText(text: string): string {
  const characters = [...printable(text).normalize("NFC")];
  return characters.map((character, i) => {
    const command = commands.get(character);
    if (command !== undefined) return command;
    // Two of these in a row would become one sign: options begin with two hyphens.
    if ("-,'".includes(character) && characters[i + 1] === character) return `${character}{}`;
    return character.codePointAt(0)! > latinEnd || notInOt1.has(character) ? "?" : character;
  }).join("");
}

/** As a LaTeX table by booktabs, with caption and notes. */
export function latexOf(table: Table): string {
  const line = (cells: readonly string[]) => {
    const text = cells.join(" & ");
    // After the end of a row, a bracket or a star would be its option.
    return `    ${/^[[*]/.test(text) ? "{}" : ""}${text} \\\\`;
  };
  return [
    "% Needs \\usepackage{booktabs}. Too wide for a page? Choose columns and settings before the export, or set it sideways.",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${latexText(table.title)}}`,
    `  \\begin{tabular}{${table.columns.map(({ align }) => align === "right" ? "r" : "l").join("")}}`,
    "    \\toprule",
    line(table.columns.map(({ title }) => latexText(title))),
    "    \\midrule",
    ...table.rows.map((row) =>
      line(row.map(({ text, strong }) => strong ? `\\textbf{${latexText(text)}}` : latexText(text)))
    ),
    "    \\bottomrule",
    "  \\end{tabular}",
    ...table.notes.map((note) => `  \\par\\smallskip{\\footnotesize ${latexText(note)}\\par}`),
    "\\end{table}",
    "",
  ].join("\n");
}
