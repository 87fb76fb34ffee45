/** Settings: every option of every part, with values that are wrong in every way that its type knows. */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import type { BuiltinKind, CellRequest } from "../../core/kinds/mod.ts";
import type { OptionSpec, OptionSpecs } from "../../core/options.ts";
import { Refusal } from "../../core/refusal.ts";
import { part, planGrid, trainingOptions } from "../../experiments/mod.ts";
import { checkMemory, footprintOf, leastBytes } from "../../experiments/memory.ts";
import { buildModel } from "../../experiments/config.ts";
import { applySettings } from "../../experiments/settings.ts";
import { selectEngine } from "../../engines/mod.ts";
import { createLibrary } from "../../library.ts";
import { inFolder } from "../helpers/cli.ts";

const library = createLibrary();
const request = (over: Partial<CellRequest> = {}): CellRequest => ({
  label: "row",
  dataset: part("av-digits"),
  encoder: part("mlp"),
  fusion: part("concat"),
  methods: [],
  training: {},
  ...over,
});

const huge = "9".repeat(400);

/** Values that an option must refuse, by what it takes. */
function wrongFor(spec: OptionSpec): string[] {
  switch (spec.type) {
    case "integer":
      return [
        ...["", " ", "x", "1.5", "1e999", "Infinity", "-Infinity", "NaN", "9007199254740993", huge, "1,x", "0x", "1 2"],
        ...spec.min === undefined ? [] : [String(spec.min - 1)],
        ...spec.max === undefined ? [] : [String(spec.max + 1)],
      ];
    case "number":
      return [
        ...["", "x", "1e999", "-1e999", "Infinity", "NaN", "1..2", huge, "0.1,x", "1,,2"],
        ...spec.min === undefined ? [] : [String(spec.min - 1)],
        ...spec.max === undefined ? [] : [String(spec.max + 1)],
      ];
    case "boolean":
      return ["", "yes", "1", "TRUE", "null"];
    case "choice":
      return ["", "constructor", "__proto__", `${spec.choices[0]}x`, "x".repeat(10_000)];
    case "numbers":
      return ["x", "1,x", "1,,2", "1e999", ","];
    case "part":
      return ["constructor", "no-such-part", "__proto__", "x".repeat(10_000)];
    case "parts":
      return ["constructor", "no-such-part", "a,,b"];
    default:
      return [];
  }
}

/** Applies a setting that must be refused; returns the message. */
function refused(requests: readonly CellRequest[], text: string): string {
  let thrown: unknown = null;
  try {
    applySettings(requests, [text], library);
  } catch (error) {
    thrown = error;
  }
  assert(thrown !== null, `${text.slice(0, 100)} was taken`);
  assertInstanceOf(thrown, Refusal, `${text.slice(0, 100)}: ${thrown}`);
  const { message } = thrown as Refusal;
  assert(message.startsWith("Cannot "), message);
  assert(message.length < 2500 && !message.includes("\n"), message.slice(0, 300));
  return message;
}

/** Everything that has options: where a setting finds it, and a request that uses it. */
function* owners(): Generator<[head: string, specs: OptionSpecs, request: CellRequest]> {
  yield ["training", trainingOptions, request()];
  const uses: Record<string, (name: string) => Partial<CellRequest>> = {
    dataset: (name) => ({ dataset: part(name) }),
    encoder: (name) => ({ encoder: part(name) }),
    fusion: (name) => ({ fusion: part(name) }),
    method: (name) => ({ methods: [part(name)] }),
  };
  for (const [kind, use] of Object.entries(uses)) {
    for (const plugin of library.of(kind as BuiltinKind).list()) {
      yield [plugin.name, plugin.options, request(use(plugin.name))];
    }
  }
}

Deno.test("every option of every part refuses what is no value of it, with one sentence that says what is", () => {
  let count = 0;
  for (const [head, specs, own] of owners()) {
    for (const [option, spec] of Object.entries(specs)) {
      for (const value of wrongFor(spec)) {
        refused([own], `${head}.${option}=${value}`);
        count++;
      }
    }
  }
  assert(count > 1000, String(count));
});

Deno.test("inherited names are nobody's options and nobody's parts", () => {
  for (const [head, _, own] of owners()) {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      assertStringIncludes(refused([own], `${head}.${name}=1`), `Cannot set "${name}" of`);
    }
  }
  for (const head of ["constructor", "toString", "valueOf"]) refused([request()], `${head}.x=1`);
  for (const text of ["", "=", "x", "x=1", ".x=1", "a..b=1", "A.b=1", "__proto__.x=1", `${"x".repeat(10_000)}`]) {
    refused([request()], text);
  }
});

Deno.test("what is nearly right is named", () => {
  assertStringIncludes(refused([request()], "training.epcohs=5"), 'did you mean "epochs"?');
  assertStringIncludes(refused([request()], "trianing.epochs=5"), 'did you mean "training"?');
  assertStringIncludes(refused([request()], "fusion.widht=5"), 'did you mean "width"?');
});

Deno.test("several values make a row each, in every combination; lists of numbers stay lists", () => {
  const rows = applySettings(
    [request(), request({ label: "arm", methods: [part("arm")] })],
    ["arm.lambda1=0.1,0.3, 1", "training.schedule=cosine,step", "mlp.hidden=16,8"],
    library,
  );
  assertEquals(rows.map(({ label }) => label), [
    "row training.schedule=cosine",
    "row training.schedule=step",
    ...["0.1", "0.3", "1"].flatMap((value) => [
      `arm arm.lambda1=${value} training.schedule=cosine`,
      `arm arm.lambda1=${value} training.schedule=step`,
    ]),
  ]);
  assertEquals(rows.map(({ methods: [own] }) => own?.options["lambda1"]), [
    undefined,
    undefined,
    0.1,
    0.1,
    0.3,
    0.3,
    1,
    1,
  ]);
  assertEquals(rows.map(({ training }) => training["schedule"]).slice(0, 2), ["cosine", "step"]);
  for (const { encoder } of rows) assertEquals(encoder, part("mlp", { hidden: [16, 8] }));
  // A value twice is one row, and one value is no new row.
  const once = applySettings([request()], ["fusion.width=8,8", "training.epochs=3"], library);
  assertEquals(once.map(({ label, fusion }) => [label, fusion.options]), [["row", { width: 8 }]]);
  for (const gap of ["8,,16", "8,", ",8"]) {
    const set = () => applySettings([request()], [`fusion.width=${gap}`], library);
    assertThrows(set, Refusal, "a value must stand between commas: nothing does");
  }
});

Deno.test("an encoder of one modality is set without touching the others, also where one stands for all", () => {
  const [all] = applySettings(
    [request()],
    ["encoder.audio.width=64", "encoder.width=32", "encoder.image.width=16"],
    library,
  );
  assertEquals(all.encoder, {
    "*": part("mlp", { width: 32 }),
    audio: part("mlp", { width: 32 }),
    image: part("mlp", { width: 16 }),
  });
  const [each] = applySettings(
    [request({ encoder: { audio: part("mlp"), image: part("cnn") } })],
    ["encoder.audio.width=64"],
    library,
  );
  assertEquals(each.encoder, { audio: part("mlp", { width: 64 }), image: part("cnn") });
  const both = request({ encoder: { audio: part("mlp"), image: part("cnn") } });
  assertStringIncludes(refused([both], "encoder.audoi.width=64"), 'did you mean "audio"?');
});

Deno.test("a modality that the dataset does not have is refused once the data is there", () =>
  inFolder(async (runs) => {
    const plan = (over: Partial<CellRequest>) =>
      planGrid({
        cells: [request({ dataset: part("synthetic", { samples: 60 }), ...over })],
        seeds: [0],
        runs,
        library,
      }).then(() => "planned", (error) => error.message);
    assertEquals(await plan({}), "planned");
    assertEquals(await plan({ encoder: { "*": part("mlp"), first: part("mlp", { width: 8 }) } }), "planned");
    assertStringIncludes(await plan({ encoder: { "*": part("mlp"), frist: part("mlp") } }), 'did you mean "first"?');
    assertStringIncludes(await plan({ encoder: { first: part("mlp") } }), '"second" has none');
    for (const seed of [-1, 0.5, 2 ** 32, NaN]) {
      const refusal = await planGrid({ cells: [request()], seeds: [seed], runs, library }).catch((error) => error);
      assertStringIncludes(refusal.message, "seeds must be integers from 0 to 4294967295");
    }
  }));

Deno.test("what no memory holds is refused before anything is allocated", () =>
  inFolder(async (runs) => {
    for (const setting of ["fusion.width=1000000000", "mlp.hidden=1000000000"]) {
      const [cell] = applySettings([request({ dataset: part("synthetic", { samples: 60 }) })], [setting], library);
      const before = Deno.memoryUsage().rss;
      const refusal = await planGrid({ cells: [cell], seeds: [0], runs, library }).catch((error) => error);
      assertStringIncludes(refusal.message, "they must fit into the");
      // The parameters alone would take gigabytes.
      assert(Deno.memoryUsage().rss - before < 2 ** 29);
    }
    // Two parameters of four bytes, four copies of each; three rows of five numbers.
    const dataset = { modalities: { a: { shape: [5], dtype: "float32" as const, about: "" } } };
    assertEquals(leastBytes({ parameters: 2, kept: 0 }, 3, dataset), 4 * (4 * 2 + 3 * 5));
    assertEquals(leastBytes({ parameters: 2, kept: 7 }, 3, dataset), 4 * (4 * 2 + 3 * (5 + 7)));
    const { cells: [{ config }] } = await planGrid({
      cells: [request({ dataset: part("synthetic", { samples: 60 }) })],
      seeds: [0],
      runs,
      library,
    });
    const loaded = await library.of("dataset").get("synthetic").load(config.dataset.options);
    const { engine } = await selectEngine("cpu");
    const model = buildModel(config, library, loaded);
    const abstract = (run: () => void) => engine.abstract(run);
    const footprint = footprintOf(config, model, loaded, abstract);
    const check = (bytes: number) => checkMemory(config, footprint, loaded, bytes);
    check(2 ** 30);
    assertThrows(() => check(1000), Refusal, "take smaller widths");
    // On a card, and of what is frozen, nothing is counted.
    assertEquals(footprintOf(config, model, loaded, abstract, true).kept, 0);
    assertEquals(footprintOf({ ...config, freeze: ["encoder:*"] }, model, loaded, abstract).kept, 0);
    await engine.dispose();
  }));

Deno.test("a step that no memory holds is refused before it is tried, and the batch that is named fits", () =>
  inFolder(async (runs) => {
    const data = part("synthetic", { samples: 60 });
    const plan = (settings: readonly string[]) =>
      planGrid({
        cells: applySettings([request({ dataset: data })], settings, library),
        seeds: [0],
        runs,
        library,
      });
    const refusal = await plan(["training.batchSize=1000000", "mlp.hidden=300000"]).catch((error) => error);
    assert(refusal instanceof Refusal, String(refusal));
    const [, batch] = /or --set training\.batchSize=(\d+)$/.exec(refusal.hint ?? "") ?? [];
    assert(batch !== undefined, refusal.message);
    assertEquals((await plan([`training.batchSize=${batch}`, "mlp.hidden=300000"])).cells.length, 1);
  }));
