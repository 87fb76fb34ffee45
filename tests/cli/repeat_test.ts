import { assertEquals, assertStringIncludes } from "@std/assert";
import { armlab, inFolder, runsIn } from "../helpers/cli.ts";

Deno.test("bench --config repeats a run from its config.json, bit for bit, and keeps a log of it", () =>
  inFolder(async (folder) => {
    const first = await armlab(
      ...[
        "bench",
        "--modality",
        "audio",
        "--seeds",
        "1",
        "--set",
        "training.epochs=1",
        "--set",
        "dataset.size=mini",
        "--runs",
        `${folder}/a`,
      ],
    );
    assertEquals(first.code, 0, first.err);
    const [id] = runsIn(`${folder}/a`);
    const config = `${folder}/a/${id}/config.json`;
    const [again, both, none] = await Promise.all([
      armlab("bench", "--config", config, "--runs", `${folder}/b`),
      armlab("bench", "--config", config, "--fusion", "sum", "--runs", `${folder}/c`),
      armlab("bench", "--config", `${folder}/none.json`, "--runs", `${folder}/c`),
    ]);
    assertEquals(again.code, 0, again.err);
    for (const file of ["config.json", "metrics.jsonl", "summary.json"]) {
      assertEquals(
        Deno.readTextFileSync(`${folder}/b/${id}/${file}`),
        Deno.readTextFileSync(`${folder}/a/${id}/${file}`),
      );
    }
    const log = Deno.readTextFileSync(`${folder}/b/${id}/log.txt`).trimEnd().split("\n");
    assertEquals(log.map((line) => line.split(" ")[1]), ["started", "epoch", "finished"]);
    for (const line of log) assertEquals(Number.isNaN(Date.parse(line.split(" ")[0])), false, line);
    assertEquals([both.code, none.code], [2, 2]);
    assertStringIncludes(both.err, "Cannot use --config together with");
    assertStringIncludes(none.err, "must exist: nothing is there");
  }));
