import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { parse } from "@std/csv";
import { Refusal } from "../../core/refusal.ts";
import { serveViewer } from "../../viewer/serve.ts";
import { armlab, ended, inFolder, start } from "../helpers/cli.ts";
import { writeRun } from "../helpers/runs.ts";

Deno.test("serveViewer() listens to this machine alone unless there is a token", () =>
  inFolder(async (folder) => {
    assertThrows(
      () => serveViewer({ folder, host: "0.0.0.0", port: 0 }),
      Refusal,
      'Cannot listen on "0.0.0.0" as a token must be given: others can reach it',
    );
    const served = serveViewer({ folder, port: 0, token: "0123456789abcdef" });
    try {
      assertEquals(
        await fetch(`http://127.0.0.1:${served.port}/api/runs`).then((r) => (r.body?.cancel(), r.status)),
        401,
      );
      const events = await fetch(`http://127.0.0.1:${served.port}/api/events`, {
        headers: { authorization: "Bearer 0123456789abcdef" },
      });
      assertEquals(events.status, 200);
      // An open stream does not keep it from stopping.
      await served.stop();
      await events.body!.cancel().catch(() => {});
    } finally {
      await served.finished;
    }
  }));

Deno.test("serveViewer() asks a token of every host that others can reach, whatever its name looks like", () =>
  inFolder((folder) => {
    for (const host of ["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.example", "localhost.example", "1270.0.0.1"]) {
      assertThrows(() => serveViewer({ folder, host, port: 0 }), Refusal, "a token must be given");
    }
    return Promise.resolve();
  }));

Deno.test("a client that does not read does not keep the viewer from ending, and one that reads gets its answer", () =>
  inFolder(async (folder) => {
    const id = writeRun(folder, {});
    // More than the buffers of a connection hold.
    Deno.writeFileSync(`${folder}/${id}/log.txt`, new Uint8Array(48 * 1024 * 1024).fill(120));
    const served = serveViewer({ folder, port: 0, graceMs: 200 });
    using deaf = await Deno.connect({ port: served.port });
    const request = `GET /runs/${id}/files/log.txt HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`;
    await deaf.write(new TextEncoder().encode(request));
    // Its answer has begun; of the rest it reads nothing.
    await deaf.read(new Uint8Array(1));
    const page = fetch(`http://127.0.0.1:${served.port}/`).then((answer) => answer.text());
    assertStringIncludes(await page, "<h1>Results</h1>");
    // It would never end if it waited for what is not read.
    await served.stop();
    await served.finished;
  }));

Deno.test("view says which port is free where its own is taken, and wrong options in one line", () =>
  inFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const busy = await armlab("view", "--runs", folder, "--port", String(port));
    assertEquals(busy.code, 2);
    assertMatch(
      busy.err,
      new RegExp(`Cannot listen on port ${port} of 127.0.0.1 as another program does; (\\d+) is free: --port \\1`),
    );
    const wrong = await Promise.all([
      armlab("view", "--port", "70000"),
      armlab("view", "--host", "0.0.0.0", "--token", "short"),
      armlab("view", "here"),
      armlab("export-results", "--format", "pdf"),
      armlab("export-results", "--runs", `${folder}/none`),
      armlab("export-results", "--runs", folder, "--view", "/runs/nope"),
      armlab("view", "--host", "nope.invalid", "--token", "0123456789abcdef"),
    ]);
    const expected = [
      "must be at most 65535",
      "must be 16 to 200",
      "takes options only",
      "must be one of csv, md, tex, svg, png, json, html",
      "There is no folder",
      "it must be / or /runs/ID",
      'Cannot listen on "nope.invalid" as it must be an address of this machine',
    ];
    wrong.forEach(({ code, err }, i) => {
      assertEquals(code, 2, err);
      assertStringIncludes(err, expected[i]);
      assert(!err.includes("    at "));
    });
  }));

Deno.test({
  name: "view serves until it is told to stop",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      writeRun(folder, {});
      const child = start("view", "--runs", folder, "--port", "0");
      const reader = child.stdout.getReader();
      let printed = "";
      while (!/http:\/\/127\.0\.0\.1:\d+\//.test(printed)) {
        const { value, done } = await reader.read();
        if (done) break;
        printed += new TextDecoder().decode(value);
      }
      reader.releaseLock();
      const url = /http:\/\/\S+/.exec(printed)![0];
      assertStringIncludes(await (await fetch(url)).text(), "<h1>Results</h1>");
      child.kill("SIGINT");
      const { code, err } = await ended(child);
      assertEquals([code, err], [0, ""]);
    }),
});

Deno.test("export-results writes what the viewer shows", () =>
  inFolder(async (folder) => {
    const id = writeRun(folder, { seed: 0 });
    writeRun(folder, { seed: 1 });
    const run = (...args: string[]) => armlab("export-results", "--runs", folder, ...args);
    const [csv, tex, items, svg, json, wrong] = await Promise.all([
      run(),
      run("--format", "tex", "--view", "/?settings=all&columns=accuracy"),
      run("--view", `/runs/${id}`, "--items"),
      run(
        "--view",
        `http://127.0.0.1:8420/runs/${id}`,
        "--item",
        "loss",
        "--format",
        "svg",
        "--out",
        `${folder}/loss.svg`,
      ),
      run("--view", `/compare?r=${id}`, "--format", "json"),
      run("--item", "nope"),
    ]);
    assertEquals([csv.code, csv.err], [0, ""]);
    const rows = parse(csv.out);
    assertEquals([rows.length, rows[1][0], rows[1][1]], [2, "concat", "2"]);
    assertStringIncludes(tex.out, "\\toprule");
    assertStringIncludes(items.out, "results\nepochs\nconfiguration\nrecall\naccuracy\nloss\n");
    assertEquals([svg.code, svg.out], [0, ""]);
    assertMatch(
      Deno.readTextFileSync(`${folder}/loss.svg`),
      /^<svg [\s\S]*<title>Loss terms<\/title>[\s\S]*<\/svg>\s*$/,
    );
    assertEquals(JSON.parse(json.out).items[0].id, id);
    const nonsense: [string, string][] = [
      ["/?sort=nope", 'Cannot sort by "nope" as a column must have that name: there are accuracy, '],
      ["/?sort=-fuson", 'did you mean "fusion"?'],
      ["/?q=accuracy>abc", 'Cannot search for "accuracy>abc" as a number must stand after >: found "abc"'],
      ["/?q=nope>1", 'Cannot search for "nope>1" as a measure or setting must have that name'],
      ["/?columns=nope", 'Cannot show column "nope" as a measure must have that name'],
      [
        "/?fusion=concatt",
        'Cannot show fusion "concatt" as there must be one: there are concat; did you mean "concat"?',
      ],
      ["/?state=gone", "there are finished, running, failed, interrupted"],
      ["/?group=colour", "it must be one of none, dataset, fusion, method"],
    ];
    for (const [view, text] of nonsense) {
      const { code, err } = await run("--view", view);
      assertEquals(code, 2, view);
      assertStringIncludes(err, text);
    }
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.err, 'Cannot export "nope" as it must be one of grid, accuracy');
    const page = await run("--view", `/runs/${id}`, "--format", "html");
    assertStringIncludes(page.out, "<h1>concat, seed 0</h1>");
    assertStringIncludes(page.out, "data:image/svg+xml;base64,");
    // Nothing in it is loaded or run.
    assert(!/<script|<link|src="(?!data:)|\son\w+=/.test(page.out));
    const png = await run("--item", "accuracy", "--format", "png", "--out", `${folder}/a.png`);
    if (png.code === 0) assertEquals([...Deno.readFileSync(`${folder}/a.png`).subarray(1, 4)], [80, 78, 71]);
    // Without a font a PNG would have no text: it is refused.
    else assertStringIncludes(png.err, "as a font must be installed");
  }));
