import { assert, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { grids } from "../../experiments/grids/mod.ts";
import { resolveConfig } from "../../experiments/mod.ts";
import { createLibrary } from "../../library.ts";
import { runId } from "../../store/run_id.ts";

const library = createLibrary();
const dataset = {
  fingerprint: "0",
  modalities: {
    audio: { shape: [32, 20, 1], dtype: "float32" as const, about: "spectrogram" },
    image: { shape: [28, 28, 1], dtype: "float32" as const, about: "image" },
  },
  classes: ["a", "b", "c"],
};
const context = {
  seed: 0,
  engine: { name: "cpu", version: "0", threads: 1 },
  version: "0",
  plugins: [],
};

for (const grid of grids.filter(({ cells }) => cells.every((cell) => cell.dataset.name === "av-digits"))) {
  Deno.test(`grid ${grid.name}: every configuration is valid, named once and different from the others`, () => {
    assertEquals(library.of("grid").get(grid.name), grid);
    assert(grid.name.match(/^[a-z][a-z0-9-]*$/) && grid.about.endsWith("?"));
    assertEquals(new Set(grid.seeds).size, grid.seeds.length);
    const ids = grid.cells.map((request) => runId(resolveConfig(request, library, dataset, context)));
    assertEquals(new Set(ids).size, ids.length);
    assertEquals(new Set(grid.cells.map(({ label }) => label)).size, ids.length);
  });
}

Deno.test("the grid fusion leaves no fusion out", () => {
  const plain = library.of("grid").get("fusion").cells.filter(({ methods }) => methods.length === 0);
  assertEquals(plain.map(({ fusion }) => fusion.name).sort(), library.of("fusion").names());
});

Deno.test("the grid imbalance leaves no method out, and begins with concat and uni-ce", () => {
  const methods = new Set(
    library.of("grid").get("imbalance").cells.flatMap((cell) => cell.methods.map(({ name }) => name)),
  );
  const rivals = library.of("method").names().filter((name) =>
    !["none", "recipe"].includes(name) && !name.startsWith("arm-")
  );
  assertEquals([...methods].sort(), rivals);
  assertEquals(library.of("grid").get("imbalance").cells.slice(0, 2).map(({ label }) => label), ["concat", "uni-ce"]);
});

Deno.test("the grid imbalance-embedded asks of the same methods on every set, in the settings of the sets' own grids", () => {
  const { cells } = library.of("grid").get("imbalance-embedded");
  assertEquals(cells[0].across, { subject: "uni-ce", data: "av-digits" });
  for (const [data, own] of [["av-digits", "imbalance"], ["icon-tri", "imbalance-icon-tri"]] as const) {
    const there = new Map(library.of("grid").get(own).cells.map((cell) => [cell.label, cell]));
    const here = cells.filter((cell) => cell.across!.data === data);
    for (const { across, label, ...cell } of here) {
      assertEquals({ ...cell, label: across!.subject }, there.get(across!.subject), label);
    }
    const [missing] = [[...there.keys()].filter((label) => !here.some(({ across }) => across!.subject === label))];
    assertEquals(missing.filter((label) => !label.endsWith(" only")), data === "av-digits" ? ["mmtm"] : []);
  }
  const subjects = (data: string) =>
    cells.filter(({ across }) => across!.data === data).map(({ across }) => across!.subject);
  assertEquals(subjects("moji-tri"), subjects("icon-tri"));
});

Deno.test("the paper's grids train emoji and icons as their own do, with the encoders that the sets name", () => {
  const settings = (name: string, data: string) => {
    const cells = library.of("grid").get(name).cells.filter(({ dataset, modalities }) =>
      dataset.name === data && modalities === undefined
    );
    return new Set(cells.map(({ encoder, training }) => JSON.stringify({ encoder, training })));
  };
  for (const [data, tables] of [["moji-tri", [2, 3, 4, 5, 6]], ["icon-tri", [1, 3, 4, 5, 6]]] as const) {
    const own = settings(`imbalance-${data}`, data);
    assertEquals(own.size, 1);
    const [{ encoder }] = [...own].map((text) => JSON.parse(text));
    assertEquals(encoder, library.of("dataset").get(data).encoder);
    for (const k of tables) assertEquals(settings(`table${k}`, data), own, `table${k}`);
  }
});

Deno.test("an unknown grid is refused with the names there are", () => {
  assertThrows(() => library.of("grid").get("arm-moduls"), Refusal, "registered names are quick, fusion, baselines");
});
