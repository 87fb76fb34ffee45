/**
 * Checks the documentation of every entry of the package and runs its examples: `deno task doc`.
 *
 * @module
 */
const { exports } = JSON.parse(await Deno.readTextFile("deno.json")) as { exports: Record<string, string> };
const entries = Object.values(exports);

async function run(args: string[]): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" }).output();
  if (code !== 0) Deno.exit(code);
}

await run(["doc", "--lint", ...entries]);
await run(["test", "--doc", "-A", "--no-check", "README.md", "mod.ts"]);
