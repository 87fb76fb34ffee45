/**
 * Reference pages of every entry: `deno task doc:html`, into the folder `reference/`.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };

if (import.meta.main) {
  const entries = Object.values(manifest.exports);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", `--name=${manifest.name}`, "--output=reference", ...entries],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code === 0) console.log(`${entries.length} entries: open reference/index.html`);
  Deno.exit(code);
}
