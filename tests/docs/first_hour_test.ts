/** docs/first-hour.md: every command is run, with one seed and one trial. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { inFolder } from "../helpers/cli.ts";

const root = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/first-hour.md", root));
const commands = [...text.matchAll(/^```sh\n([^`]+)```/gm)].flatMap(([_, block]) => block.trim().split("\n"));

Deno.test("docs/first-hour.md: its commands work, in order, in an empty folder", () =>
  inFolder(async (folder) => {
    await Deno.copyFile(new URL("datasets/data/example.csv", root), join(folder, "my.csv"));
    assertEquals(commands[0], "cp datasets/data/example.csv my.csv");
    for (const line of commands.slice(1)) {
      if (line === "deno task view") continue; // serves until it is stopped
      const words = /^deno task (?:armlab )?(.+)$/.exec(line)![1].split(" ");
      const small = line.includes("--compare")
        ? [
          ...words.filter((_, i) => words[i - 1] !== "--seeds" && words[i - 1] !== "--trials")
            .filter((word) => word !== "--seeds" && word !== "--trials"),
          "--seeds",
          "1",
          "--epochs",
          "1",
          "--workers",
          "1",
          ...words[0] === "tune" ? ["--trials", "1"] : [],
        ]
        : words;
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", new URL("deno.json", root).pathname]
          .concat(new URL("cli/main.ts", root).pathname, small),
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assertEquals(code, 0, `${line}\n${err}`);
      if (words[0] === "data") assertStringIncludes(text, out.trim());
      if (words[0] === "bench" && !words.includes("--dry-run")) assertStringIncludes(out, "test acc. %");
      if (words[0] === "tune") assertStringIncludes(out, "tuning adds");
    }
    const reports = [...Deno.readDirSync(join(folder, "reports"))].map(({ name }) => name).sort();
    assertEquals(reports, [
      "mine-8.csv",
      "mine-8.differences-from-concat-by-samples.csv",
      "mine-8.html",
      "mine-8.md",
      "mine-8.tex",
      "mine-tuned.csv",
      "mine-tuned.html",
      "mine-tuned.md",
      "mine-tuned.results-of-mine-tuned.csv",
      "mine-tuned.tex",
      "mine-tuned.what-was-chosen.csv",
    ]);
    assert(Deno.readTextFileSync(join(folder, "reports", "mine-tuned.md")).includes("As given and tuned"));
  }));
