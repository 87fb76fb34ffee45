import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { Ajv2020 } from "ajv/2020";
import { Refusal } from "../../core/refusal.ts";
import { StoreError } from "../../store/files.ts";
import { createApp, openRunStore, type ViewerApp } from "../../viewer/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { writeTuned } from "../helpers/tuned.ts";
import { keepAll } from "../helpers/samples.ts";
import { type RunSpec, writeRun } from "../helpers/runs.ts";

const arm = [{ name: "arm", options: { lambda1: 0.1, dsr: "dsr" } }];

/** Three configurations of three seeds, one of them plainly the best; a failed and a stopped run; folders that are none. */
function quick(runs: string): Record<string, string> {
  const ids: Record<string, string> = {};
  const add = (name: string, spec: RunSpec) => ids[`${name}#${spec.seed}`] = writeRun(runs, spec);
  for (const seed of [0, 1, 2]) {
    add("arm", { seed, methods: arm, accuracy: 0.95, log: "2026-01-02T03:04:05.000Z started\n" });
    add("concat", { seed, accuracy: 0.85 });
    add("sum", { seed, fusion: "sum", accuracy: 0.8 });
  }
  add("film", { seed: 0, fusion: "film", state: "failed" });
  add("film", { seed: 1, fusion: "film", state: "interrupted" });
  Deno.mkdirSync(`${runs}/not-a-run`);
  Deno.mkdirSync(`${runs}/0123456789abcdef`);
  Deno.writeTextFileSync(`${runs}/0123456789abcdef/config.json`, "{");
  return ids;
}

async function withApp(
  run: (app: ViewerApp, ids: Record<string, string>, runs: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (runs) => {
    const ids = quick(runs);
    const store = openRunStore(runs);
    const problems: unknown[] = [];
    const app = createApp(store, { log: (message, error) => problems.push(message, error) });
    try {
      await run(app, ids, runs);
      assertEquals(problems, []);
    } finally {
      app.close();
      store.close();
    }
  });
}

const at = (path: string) => `http://127.0.0.1${path}`;

async function get(app: ViewerApp, path: string): Promise<string> {
  const response = await app.request(at(path));
  const text = await response.text();
  assertEquals(response.status, 200, `${path}: ${text.slice(0, 300)}`);
  return text;
}

// deno-lint-ignore no-explicit-any
async function json(app: ViewerApp, path: string): Promise<any> {
  return JSON.parse(await get(app, path));
}

Deno.test("the grid has a row per configuration, ranks by the paired test, and shows what failed and what is no run", () =>
  withApp(async (app) => {
    const grid = await json(app, "/api/grid");
    assertEquals(
      grid.configurations.map((
        { label, tied, best }: { label: string; tied: string; best: boolean },
      ) => [label, tied, best]),
      [
        ["concat arm", "yes", true],
        ["concat", "no", false],
        ["sum", "no", false],
        ["film", null, false],
      ],
    );
    const page = await get(app, "/");
    assert(page.startsWith("<!DOCTYPE html><html"));
    assertStringIncludes(page, "★ marks the best of 3 shown: concat arm");
    assertStringIncludes(page, "0 of 2 seeds, 1 failed, 1 interrupted");
    assertStringIncludes(page, "not-a-run");
    assertStringIncludes(page, "it must hold a config.json: found none");
    assertStringIncludes(page, "as it must be JSON");
    const open = await get(app, `/?open=${grid.configurations[3].id}`);
    assertStringIncludes(open, "Cannot go on as the loss must be finite");
    assertStringIncludes(open, "deno task bench --only &quot;concat#0&quot;");
  }));

Deno.test("what reads the labels it predicts has no rank and takes none from others", () =>
  inFolder(async (runs) => {
    for (const seed of [0, 1, 2]) {
      writeRun(runs, { seed, methods: arm, accuracy: 0.99, readsLabels: true });
      writeRun(runs, { seed, accuracy: 0.85 });
      writeRun(runs, { seed, fusion: "sum", accuracy: 0.8 });
    }
    const store = openRunStore(runs);
    const app = createApp(store);
    const { configurations } = await json(app, "/api/grid");
    assertEquals(
      configurations.map((
        { label, tied, best }: { label: string; tied: string; best: boolean },
      ) => [label, tied, best]),
      [["concat arm", null, false], ["concat", "yes", true], ["sum", "no", false]],
    );
    assertStringIncludes(await get(app, "/"), "reads test labels");
    const c = configurations.map(({ id }: { id: string }) => id);
    const { differences } = await json(app, `/api/compare?c=${c[1]},${c[0]},${c[2]}`);
    assertEquals(differences.map(({ reason }: { reason: string }) => reason), [
      "one of them reads the labels of what it predicts",
      null,
    ]);
    app.close();
    store.close();
  }));

Deno.test("a download of results has the rows of all pages", () =>
  withApp(async (app, _ids, runs) => {
    for (let width = 0; width < 101; width++) writeRun(runs, { fusion: "gated", fusionOptions: { width }, epochs: 1 });
    const query = "fusion=gated&settings=all";
    assertStringIncludes(await get(app, `/?${query}`), "page=2");
    assertEquals(parse(await get(app, `/grid.csv?${query}`)).length, 1 + 101);
  }));

Deno.test("a query filters, sorts, groups and chooses columns, alike on the page, in the API and in exports", () =>
  withApp(async (app) => {
    const labels = async (query: string) =>
      (await json(app, `/api/grid?${query}`)).configurations.map(({ label }: { label: string }) => label);
    assertEquals(await labels("sort=accuracy"), ["sum", "concat", "concat arm", "film"]);
    assertEquals(await labels("sort=name"), ["concat", "concat arm", "film", "sum"]);
    assertEquals(await labels("fusion=sum,film&sort=name"), ["film", "sum"]);
    assertEquals(await labels("method=arm"), ["concat arm"]);
    assertEquals(await labels("state=failed"), ["film"]);
    assertEquals(await labels("q=arm.lambda1%3D0.1"), ["concat arm"]);
    // In percent, as the table is; by the digits that it shows.
    assertEquals(await labels("q=accuracy%3E90"), ["concat arm"]);
    assertEquals(await labels("q=accuracy%3E90%25"), ["concat arm"]);
    assertEquals(await labels("q=accuracy%3C%3D85.5&sort=name"), ["concat", "sum"]);
    const shown = /(\d\d\.\d)<span class="ci"/.exec(await get(app, "/?fusion=sum"))![1];
    assertEquals(await labels(`q=accuracy%3D${shown}`), ["sum"]);
    assertEquals(await labels(`q=accuracy!%3D${shown}&sort=name`), ["concat", "concat arm", "film"]);
    assertEquals(await labels("q=training.epochs%3E%3D5"), []);
    // All have four epochs.
    for (const [operator, count] of [["<=", 4], ["<", 0], [">=", 4], [">", 0], ["=", 4], ["!=", 0]] as const) {
      assertEquals((await labels(`q=training.epochs${encodeURIComponent(operator)}4`)).length, count, operator);
    }
    assertEquals(await labels("state=failed,running"), ["film"]);
    assertEquals(await labels("q=fusion!%3Dsum&sort=name"), ["concat", "concat arm", "film"]);
    const small = await json(app, "/api/grid?q=accuracy%3E0.9");
    assertEquals(small.configurations.length, 3);
    assertStringIncludes(
      small.notes.at(-1),
      '"accuracy>0.9" is read as 0.9 %, the unit of the table; write accuracy>90.',
    );
    assertEquals(await labels("q=none"), ["concat", "sum", "film"]);
    const two = await json(app, "/api/grid?fusion=sum,concat&method=none");
    // The best is among what is shown.
    assertEquals(two.configurations.map(({ tied, best }: { tied: string; best: boolean }) => [tied, best]), [
      ["yes", true],
      ["no", false],
    ]);
    const rows = parse(await get(app, "/grid.csv?fusion=sum&columns=accuracy,phi:audio&settings=none"));
    assertEquals(rows[0].slice(0, 2), ["Configuration", "seeds finished"]);
    assertEquals(rows[0].slice(-3), ["phi:audio mean", "phi:audio std", "phi:audio ci95"]);
    assertEquals(rows.length, 2);
    const grouped = await get(app, "/?group=method");
    assertStringIncludes(grouped, "method arm");
    assertMatch(grouped, /aria-sort="descending"/);
  }));

Deno.test("what a query names and does not exist is told on the page, and refused with its clauses by API and exports", () =>
  withApp(async (app) => {
    for (
      const [query, text] of [
        ["sort=nope", "Cannot sort by &quot;nope&quot; as a column must have that name"],
        ["q=accuracy%3Eabc", "a number must stand after &gt;: found &quot;abc&quot;"],
        ["q=lamda%3E1", "Cannot search for &quot;lamda&gt;1&quot;"],
        ["method=amr", "did you mean &quot;arm&quot;?"],
      ]
    ) {
      const page = await get(app, `/?${query}`);
      assertStringIncludes(page, text);
      for (const path of [`/api/grid?${query}`, `/grid.csv?${query}`]) {
        assertEquals((await app.request(at(path))).status, 400, path);
      }
    }
    const { error } = await (await app.request(at("/api/grid?fusion=concta"))).json();
    assertEquals(error, {
      status: 400,
      message: 'Cannot show fusion "concta" as there must be one: there are concat, film, sum; did you mean "concat"?',
      what: 'show fusion "concta"',
      must: "there must be one",
      found: "there are concat, film, sum",
      hint: 'did you mean "concat"?',
    });
    // A condition that cannot be read leaves the others in force.
    const rows = (await get(app, "/?q=accuracy%3Eabc+arm")).match(/aria-label="Compare [^"]*"/g);
    assertEquals(rows, ['aria-label="Compare concat arm"']);
  }));

Deno.test("a comparison opens with the accuracy of each modality and the gap; a star stands for all that begin so", () =>
  withApp(async (app) => {
    const { configurations } = await json(app, "/api/grid");
    const c = configurations.slice(0, 2).map(({ id }: { id: string }) => id).join(",");
    const charts = async (query: string) =>
      (await json(app, `/api/compare?c=${c}${query}`)).charts.map(({ id }: { id: string }) => id);
    assertEquals(await charts(""), [
      "validation-accuracy",
      "validation-accuracy-audio",
      "validation-accuracy-image",
      "gap",
    ]);
    assertEquals(await charts("&metric=loss.*"), ["loss-total", "loss-joint", "loss-phicmi"]);
    assertEquals(await charts("&metric=loss.total,gap"), ["loss-total", "gap"]);
    const page = await get(app, `/compare?c=${c}&metric=loss.*,validation.loss`);
    assertStringIncludes(page, 'aria-current="true">losses</a>');
  }));

Deno.test("runs of an older format are shown, and marked as such", () =>
  inFolder(async (runs) => {
    const old = writeRun(runs, { format: 1 });
    const now = writeRun(runs, { fusion: "sum" });
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    assertEquals((await get(app, "/")).match(/>\s*older version\s*</g)?.length, 1);
    const marked = async (id: string) => />\s*older version\s*</.test(await get(app, `/runs/${id}`));
    assertEquals([await marked(old), await marked(now)], [true, false]);
    // Beside the same of today, its name says so.
    writeRun(runs, {});
    const { configurations } = await json(app, "/api/grid?fusion=concat&sort=name");
    assertEquals(configurations.map(({ label }: { label: string }) => label), [
      "concat · format 1",
      "concat · format 2",
    ]);
    app.close();
    store.close();
  }));

Deno.test("of fourteen that are chosen the first twelve are compared, and it is said", () =>
  inFolder(async (runs) => {
    for (let epochs = 1; epochs <= 14; epochs++) writeRun(runs, { epochs });
    const store = openRunStore(runs);
    const app = createApp(store);
    const { configurations } = await json(app, "/api/grid?sort=training.epochs");
    const ids = configurations.map(({ id }: { id: string }) => id);
    const page = await get(app, `/compare?c=${ids.join(",")}`);
    assertStringIncludes(page, "The first 12 of 14 chosen are compared");
    const { items } = await json(app, `/api/compare?c=${ids.join(",")}`);
    assertEquals(items.map(({ id }: { id: string }) => id), ids.slice(0, 12));
    app.close();
    store.close();
  }));

Deno.test("a refusal is a 400, a defect and a disk that does not read a 500 with its stack in the log alone", () =>
  inFolder(async (runs) => {
    writeRun(runs, {});
    const logged: unknown[] = [];
    const store = openRunStore(runs);
    const failing = (error: Error) => ({
      folder: store.folder,
      snapshot: () => store.snapshot(),
      epochs: (id: string) => store.epochs(id),
      predictions: (id: string, split: "validation" | "test") => store.predictions(id, split),
      valuation: (id: string) => store.valuation(id),
      features: (id: string) => store.features(id),
      stamp: (id: string, file: "features-test") => store.stamp(id, file),
      log: (id: string) => store.log(id),
      files: () => {
        throw error;
      },
      open: (id: string, name: string) => store.open(id, name),
      close: () => store.close(),
    });
    const { configurations } = await json(createApp(store), "/api/grid");
    const path = `/api/runs/${configurations[0].runs[0].id}`;
    for (
      const [error, status] of [
        [new Refusal({ what: "do it", must: "it must be so" }), 400],
        [new RangeError("Cannot do it as a plugin says so"), 500],
        [new StoreError("io", "/x", { what: "read it" }), 500],
      ] as const
    ) {
      const app = createApp(failing(error), { log: (_, thrown) => logged.push(thrown) });
      const response = await app.request(at(path));
      assertEquals(response.status, status, error.message);
      const text = await response.text();
      assertEquals(text.includes(error.message), status === 400);
      app.close();
    }
    assertEquals(logged.map((error) => (error as Error).constructor), [RangeError, StoreError]);
    store.close();
  }));

Deno.test("the page of a run shows its curves, configuration, command, log and files", () =>
  withApp(async (app, ids) => {
    const id = ids["arm#1"];
    const page = await get(app, `/runs/${id}`);
    for (
      const text of [
        "Loss terms",
        "Contributions φ",
        "Contribution gap",
        "Learning rate",
        "arm: fusion weights, audio",
        "arm: extra copies per sample",
      ]
    ) {
      assertStringIncludes(page, text);
    }
    assertStringIncludes(page, '<th scope="row" class="left">seven</th>');
    assertEquals(parse(await get(app, `/runs/${id}/tables/recall.csv`))[8].slice(0, 2), ["7", "seven"]);
    assertEquals((await json(app, `/api/runs/${id}`)).summary.classes[7], "seven");
    assertStringIncludes(page, "ffffffff");
    assertStringIncludes(page, `/${id}/config.json --runs repeated`);
    assertStringIncludes(page, "2026-01-02T03:04:05.000Z started");
    const file = await app.request(at(`/runs/${id}/files/config.json`));
    assertEquals(file.headers.get("content-disposition"), `attachment; filename="${id}-config.json"`);
    assertEquals(JSON.parse(await file.text()).seed, 1);
    assertStringIncludes(await get(app, `/runs/${ids["film#0"]}`), "It stopped by an error");
    assertStringIncludes(await get(app, "/runs/not-a-run"), "This folder is no whole run");
    assertStringIncludes(await get(app, "/runs/0123456789abcdef"), "as it must be JSON");
  }));

Deno.test("recall is shown by the names of the classes, and by index for runs that kept none or too few", () =>
  inFolder(async (runs) => {
    const old = writeRun(runs, { classes: null });
    const short = writeRun(runs, { seed: 1, classes: ["<b>none</b>", ""] });
    const store = openRunStore(runs);
    const app = createApp(store);
    const rows = async (id: string) =>
      parse(await get(app, `/runs/${id}/tables/recall.csv`)).map((row) => row.slice(0, 2));
    assertEquals((await rows(old)).slice(0, 3), [["index", "class"], ["0", ""], ["1", ""]]);
    assertStringIncludes(await get(app, `/runs/${old}`), "kept no names");
    assertEquals((await rows(short)).slice(1, 4), [["0", "<b>none</b>"], ["1", ""], ["2", ""]]);
    const page = await get(app, `/runs/${short}`);
    assertStringIncludes(page, "&lt;b&gt;none&lt;/b&gt;</th>");
    assertStringIncludes(page, '<th scope="row" class="left">2</th>');
    app.close();
    store.close();
  }));

Deno.test("the page of an experiment puts tuned beside given, over data sets too; its links open and its rows hold no trial", () =>
  withApp(async (app, _, runs) => {
    await writeTuned(runs, { other: "<b>" });
    const page = await get(app, "/experiments/tuned");
    assertMatch(page, /Tuned: &lt;b&gt;, easy: \+[45]\.\d ± /);
    assertStringIncludes(page, "Over 2 data sets, tuned");
    assert(!page.includes("<b>"), "a name is text");
    const links = [...page.matchAll(/href="(\/experiments\/tuned\/[^"]+)"/g)].map(([, link]) => link);
    // Four tables and three charts in five formats, two pictures in two.
    assertEquals(links.length, 4 * 5 + 3 * 5 + 2 * 2);
    for (const link of links.filter((own) => !own.endsWith("png"))) {
      const text = await get(app, link);
      assert(text.length > 60, link);
      if (link.endsWith("svg")) assert(!text.includes("<b>"), link);
    }
    const csv = await get(app, "/experiments/tuned/tables/tuned.csv");
    assertStringIncludes(csv, "configuration,given,given ci95,tuned,tuned ci95");
    const grid = await json(app, "/api/grid?experiment=tuned");
    assertEquals(grid.configurations.map(({ label }: { label: string }) => label), [
      "concat, easy",
      "concat, hard",
      "<b>, easy",
      "<b>, hard",
    ]);
    assert(grid.notes.some((note: string) => note.startsWith("12 trials are no rows here")), grid.notes.join());
    const front = await get(app, "/?experiment=tuned");
    assertStringIncludes(front, 'href="/experiments/tuned"');
    assertStringIncludes(front, "As given and tuned, with what tuning cost; over 2 data sets together");
    assertEquals((await app.request(at("/experiments/nobody"))).status, 404);
    assertEquals((await app.request(at("/experiments/tuned/pictures/ranks.csv"))).status, 400);
  }));

Deno.test("a study with a trial still to come chooses nothing, and the page says so", () =>
  withApp(async (app, _, runs) => {
    await writeTuned(runs, { left: true });
    const answer = await json(app, "/api/experiments/tuned");
    assertEquals([answer.incomplete, answer.progress], [1, "23 of 24 runs finished"]);
    assertEquals(answer.tuned.map(({ studies }: { studies: unknown[] }) => studies.length), [3, 3, 3, 2]);
    assertStringIncludes(await get(app, "/experiments/tuned"), "1 study is not complete");
  }));

Deno.test("every answer of the API fits the OpenAPI document", () =>
  withApp(async (app, ids, runs) => {
    const kept = ids["concat#0"];
    await keepAll(runs, kept);
    await writeTuned(runs);
    const document = await json(app, "/api/openapi.json");
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addFormat("date-time", true);
    ajv.addSchema({ $id: "doc", components: document.components });
    const grid = await json(app, "/api/grid?experiment=all");
    const c = grid.configurations.map(({ id }: { id: string }) => id).join(",");
    const paths: Record<string, string[]> = {
      "/api/grid": ["/api/grid", "/api/grid?columns=&settings=all&group=fusion"],
      "/api/charts/{chart}": ["/api/charts/accuracy?theme=dark&width=800"],
      "/api/runs": ["/api/runs"],
      "/api/runs/{id}": [...Object.values(ids), "not-a-run"].map((id) => `/api/runs/${id}`),
      "/api/runs/{id}/epochs": [`/api/runs/${ids["arm#0"]}/epochs`, `/api/runs/${ids["film#1"]}/epochs`],
      "/api/runs/{id}/charts/{chart}": ["loss", "accuracy", "histogram-arm-fw-audio", "report-arm-p"].map((chart) =>
        `/api/runs/${ids["arm#0"]}/charts/${chart}`
      ),
      "/api/configurations/{id}": [`/api/configurations/${grid.configurations[0].id}`],
      "/api/configurations/{id}/charts/{chart}": [
        `/api/configurations/${grid.configurations[0].id}/charts/accuracy?theme=dark`,
      ],
      "/api/experiments/{name}": ["/api/experiments/tuned"],
      "/api/experiments/{name}/charts/{chart}": ["tuned", "profile-as-given", "profile-tuned"].map((chart) =>
        `/api/experiments/tuned/charts/${chart}`
      ),
      "/api/samples": ["/api/samples", `/api/samples?run=${kept}`, `/api/samples?run=${ids["arm#0"]}&split=validation`],
      "/api/runs/{id}/samples/{split}/{sample}/charts/{chart}": [
        `/api/runs/${kept}/samples/validation/1/charts/contributions`,
      ],
      "/api/features/charts/{chart}": [`/api/features/charts/features-${kept}?a=${kept}`],
      "/api/compare": [`/api/compare?c=${c}&r=${ids["sum#0"]},feedfeedfeedfeed&smooth=0.5`, "/api/compare"],
      "/api/compare/charts/{chart}": [
        `/api/compare/charts/loss-total?c=${c}&x=samples&metric=loss.*`,
        `/api/compare/charts/validation-accuracy-audio?c=${c}`,
      ],
    };
    // The stream is checked by the next test.
    const documented = Object.keys(document.paths).filter((path) => path !== "/api/events");
    assertEquals(Object.keys(paths).sort(), documented.sort());
    for (const [path, urls] of Object.entries(paths)) {
      const { $ref } = document.paths[path].get.responses["200"].content["application/json"].schema;
      const validate = ajv.compile({ $ref: `doc${$ref}` });
      for (const url of urls) {
        assert(validate(await json(app, url)), `${url}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
      }
    }
    const error = ajv.compile({ $ref: "doc#/components/schemas/Error" });
    for (const url of ["/api/nope", "/api/runs/nope", "/api/grid?group=colour", "/api/charts/nope"]) {
      const response = await app.request(at(url));
      assert(response.status === 404 || response.status === 400, url);
      assert(error(await response.json()), url);
    }
  }));

/** Events of a stream as the standard reads them: https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const event: Record<string, unknown> = {};
      for (const line of block.split("\n")) {
        const [_, field, value] = /^([^:]*):? ?(.*)$/.exec(line)!;
        if (field === "") continue; // a comment
        event[field] = field === "retry" ? Number(value) : field in event ? `${event[field]}\n${value}` : value;
      }
      // Without data it is no event.
      if ("data" in event) yield event;
    }
  }
}

Deno.test("every event of the stream fits the OpenAPI document: the first at once, then one for each change", () =>
  withApp(async (app, _, runs) => {
    const document = await json(app, "/api/openapi.json");
    assertEquals(document.openapi, "3.2.0");
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema({ $id: "doc", components: document.components });
    const content = document.paths["/api/events"].get.responses["200"].content;
    assertEquals(Object.keys(content), ["text/event-stream"]);
    const item = ajv.compile({ $ref: `doc${content["text/event-stream"].itemSchema.$ref}` });
    const response = await app.request(at("/api/events"));
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    // Two streams that begin side by side: both are told where they stand.
    const other = await app.request(at("/api/events"));
    const versions: number[] = [];
    const check = (event: Record<string, unknown>) => {
      assert(item(event), `${JSON.stringify(event)}: ${JSON.stringify(item.errors)}`);
      const { $ref } = document.components.schemas.Event.properties.data.contentSchema;
      const data = ajv.compile({ $ref: `doc${$ref}` });
      const value: { version: number } = JSON.parse(String(event.data));
      assert(data(value), `${event.data}: ${JSON.stringify(data.errors)}`);
      return value.version;
    };
    for await (const event of eventsOf(other.body!)) {
      assertEquals(event.retry, 3000);
      versions.push(check(event));
      break;
    }
    for await (const event of eventsOf(response.body!)) {
      versions.push(check(event));
      if (versions.length === 4) break;
      writeRun(runs, { seed: 100 + versions.length });
    }
    assertEquals(versions[0], versions[1]);
    assert(versions[1] < versions[2] && versions[2] < versions[3], versions.join());
    // Not everything fits.
    assert(!item({ event: "change" }) && !item({ event: "else", data: "{}" }));
  }));

/** The page of the results of what was written. */
async function resultsOf(write: (runs: string) => void, path: string = "/"): Promise<string> {
  let page = "";
  await inFolder(async (folder) => {
    const runs = `${folder}/runs`;
    write(runs);
    const store = openRunStore(runs);
    const app = createApp(store);
    page = await get(app, path);
    app.close();
    store.close();
  });
  return page;
}

Deno.test("a folder that is empty or missing says how to fill that folder", async () => {
  for (const write of [() => {}, (runs: string) => Deno.mkdirSync(runs)]) {
    const page = await resultsOf(write);
    assertStringIncludes(page, "No runs yet");
    assertMatch(page, /deno task bench --runs \S+\/runs</);
    assertEquals(page.includes("There is no folder"), write.length === 0);
  }
});

Deno.test("one seed, one epoch: the page says that there is no interval and no test", async () => {
  const page = await resultsOf((runs) => {
    writeRun(runs, { epochs: 1 });
    writeRun(runs, { epochs: 1, fusion: "sum", accuracy: 0.8 });
  });
  assertStringIncludes(page, "2 of 2 with results rest on one finished seed");
  assertStringIncludes(page, "No configuration is marked best: a test needs two with 3 common seeds at least.");
  assert(!page.includes("share rank 1"));
  assert(!page.includes("Mean ± half width"));
  assert(!page.includes(' class="star"'));
  const mixed = await resultsOf((runs) => {
    for (const seed of [0, 1]) writeRun(runs, { seed });
    writeRun(runs, { fusion: "sum" });
  });
  assertStringIncludes(mixed, "1 of 2 with results rests on one finished seed");
  assertStringIncludes(mixed, "Mean ± half width");
});

Deno.test("before the first run has finished the page says so, and shows how far each is", async () => {
  const page = await resultsOf((runs) => {
    writeRun(runs, { state: "interrupted", done: 2 });
    writeRun(runs, { fusion: "sum", state: "failed", failure: { message: "loss.total is NaN", term: "total" } });
  });
  assertStringIncludes(page, "None of the runs shown has finished");
  assertStringIncludes(page, "<progress");
  assert(!page.includes("At a glance"));
});

Deno.test("a run stopped by a loss that is not a number, and a deleted run, each say why", async () => {
  await inFolder(async (runs) => {
    const id = writeRun(runs, { state: "failed", done: 0, failure: { message: "loss.total is NaN", term: "total" } });
    const store = openRunStore(runs, { staleMs: 0 });
    const app = createApp(store);
    const page = await get(app, `/runs/${id}`);
    assertStringIncludes(page, "It stopped by an error");
    assertStringIncludes(page, "loss.total is NaN");
    assertStringIncludes(page, "No epoch was done: there are no curves");
    Deno.removeSync(`${runs}/${id}`, { recursive: true });
    const gone = await app.request(at(`/runs/${id}`));
    assertEquals(gone.status, 404);
    assertStringIncludes(await gone.text(), "it may have been deleted");
    app.close();
    store.close();
  });
});
