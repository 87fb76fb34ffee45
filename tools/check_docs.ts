/**
 * Checks the documentation of every entry of the package and runs its examples: `deno task doc`.
 *
 * `deno doc --lint` also asks for a comment on every field and method, and takes types of npm packages for private ones.
 * Here an exported declaration must be documented and typed; a field may speak for itself.
 *
 * @module
 */

const { exports } = JSON.parse(await Deno.readTextFile("deno.json")) as { exports: Record<string, string> };
const entries = Object.values(exports);

async function run(args: string[]): Promise<{ code: number; text: string }> {
  const output = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, text: decode(output.stdout) + decode(output.stderr) };
}

/** Problems that count, from the output of `deno doc --lint`. */
export function problems(text: string): string[] {
  const found: string[] = [];
  for (const block of text.split(/\n(?=error\[)/)) {
    const [, kind, message] = /^error\[([a-z-]+)\]: (.*)/.exec(block) ?? [];
    if (kind === undefined) continue;
    const place = /--> (\S+)/.exec(block)?.[1] ?? "";
    const source = /\n\s*\d+ \| (.*)/.exec(block)?.[1] ?? "";
    const member = !/^\s*(export|\/\*\*)/.test(source) || /^\s{2,}/.test(source);
    if (kind === "missing-jsdoc" && member) continue;
    if (kind === "private-type-ref" && /private type '(Tensor\dD?|Tensor|Scalar|Rank)'/.test(message)) continue;
    found.push(`${place}: ${message}`);
  }
  return found;
}

if (import.meta.main) {
  const lint = await run(["doc", "--lint", ...entries]);
  const found = problems(lint.text);
  for (const problem of found) console.error(problem);
  if (found.length > 0) Deno.exit(1);
  console.log(`${entries.length} entries documented`);
  const examples = await run([
    "test",
    "--doc",
    "-A",
    "--no-check",
    "README.md",
    "mod.ts",
    "docs/valuation.md",
    "engines/onnx/jit.ts",
  ]);
  console.log(examples.text);
  Deno.exit(examples.code);
}
