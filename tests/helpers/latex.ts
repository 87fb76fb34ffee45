/** LaTeX, where there is one. */

/** Compiles a document; the log if it fails. */
export async function compiled(document: string): Promise<{ code: number; log: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/tables.tex`, document);
    const { code, stdout } = await new Deno.Command("pdflatex", {
      args: ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables.tex"],
      cwd: folder,
      stdout: "piped",
      stderr: "null",
    }).output();
    return { code, log: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether there is a LaTeX with booktabs; says how to get it where there is none. */
export async function hasLatex(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("kpsewhich", { args: ["booktabs.sty"], stdout: "null" }).output();
    if (success) return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.error(
    "No LaTeX with booktabs: exported tables are not compiled (apt-get install texlive-latex-recommended).",
  );
  return false;
}
