/** Runs the walk-through docs/plugins.md: its files, its commands, and what it says that they print. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = await Deno.readTextFile(join(root, "docs/plugins.md"));

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

const blocks: Block[] = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([_, language, body]) => ({
  language,
  lines: body.trimEnd().split("\n"),
}));

async function armlab(folder: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", join(root, "deno.json"), join(root, "cli/main.ts"), ...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

Deno.test("every file, command and output of docs/plugins.md is as it says", async () => {
  const folder = await Deno.makeTempDir();
  try {
    let out = "";
    let commands = 0;
    for (const { language, lines } of blocks) {
      if (language === "ts") {
        const name = /^\/\/ (\w+\.ts)$/.exec(lines[0])?.[1];
        assert(name !== undefined, `a file of the walk-through must begin with its name: ${lines[0]}`);
        await Deno.writeTextFile(join(folder, name), lines.join("\n"));
      } else if (language === "sh") {
        const ended = await Promise.all(lines.map(async (line) => {
          const [command, comment = ""] = line.split(" # ");
          const [program, ...args] = command.trim().split(/\s+/);
          assertEquals(program, "armlab");
          // Examples stand in the repository, and import from it by path.
          const given = args.map((arg) => arg.startsWith("./examples/") ? join(root, arg) : arg);
          const found = await armlab(folder, given);
          const expected = /ends with (\d)/.exec(comment)?.[1] ?? "0";
          assertEquals(`${found.code}`, expected, `${line}\n${found.out}\n${found.err}`);
          return found.out + found.err;
        }));
        out = ended.join("\n");
        commands += lines.length;
      } else if (language === "text") {
        for (const line of lines) assertStringIncludes(out, line.trimEnd());
      }
    }
    assertEquals(commands, 17);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
