/** Tables of the command line say each number in its own column, of three modalities where they have a row or column each. */
import { assertEquals } from "@std/assert";
import { mergeTable } from "../../cli/merge.ts";
import { probeTable } from "../../cli/probe.ts";
import { statusLines } from "../../cli/status.ts";
import type { Split } from "../../core/kinds/mod.ts";
import { dataInfo } from "../../datasets/views.ts";

Deno.test("probe: what a probe reads, at test and validation, beside the own readout; epochs count from 1", () => {
  const encoder = (modality: string, test: number, validation: number, readout: number | null, epoch: number) => ({
    modality,
    test,
    validation,
    readout,
    epoch,
  });
  assertEquals(
    probeTable({
      id: "0123456789abcdef",
      fusion: "sum",
      methods: ["arm", "uni-ce"],
      seed: 7,
      readout: "split",
      encoders: [
        encoder("audio", 0.812, 0.734, 0.656, 4),
        encoder("image", 0.5, 0.25, null, 0),
        encoder("text", 1, 0.9996, 0.001, 38),
      ],
    }).split("\n"),
    [
      "Run 0123456789abcdef: sum + arm + uni-ce, seed 7",
      "encoder  probe, test %  probe, validation %  own readout (split), test %  epoch",
      "audio             81.2                 73.4                         65.6      5",
      "image             50.0                 25.0                            -      1",
      "text             100.0                100.0                          0.1     39",
    ],
  );
});

Deno.test("merge: validation before test, a row a model", () =>
  assertEquals(
    mergeTable([
      { label: "first", validation: 0.75, test: 0.625 },
      { label: "second", validation: 0.5, test: 1 },
      { label: "merged by ot", validation: 0.1234, test: 0.0567 },
    ]).split("\n"),
    [
      "model         validation        test",
      "first             75.0 %      62.5 %",
      "second            50.0 %     100.0 %",
      "merged by ot      12.3 %       5.7 %",
    ],
  ));

Deno.test("status: counts by state, the epoch that is trained, who trains, what is left, causes and commands", () => {
  const cell = {
    label: "sum arm",
    seed: 0,
    id: "0",
    epoch: 0,
    epochs: 12,
    secondsLeft: null,
    by: null,
    cause: null,
    command: null,
  };
  const grid = {
    name: "mine",
    command: "deno task bench mine",
    planned: 11,
    counts: { queued: 5, running: 1, stopped: 0, finished: 3, failed: 2, broken: 0 },
    secondsLeft: 120,
    cells: [
      { ...cell, state: "running" as const, epoch: 4, seed: 2, secondsLeft: 60, by: { pid: 17, host: "here" } },
      { ...cell, state: "failed" as const, seed: 3, cause: "it diverged", command: "deno task bench --config c" },
      { ...cell, state: "finished" as const, seed: 1, epoch: 12 },
    ],
  };
  const lines = [
    "mine: 11 planned: 5 queued, 1 running, 3 finished, 2 failed; about 2 min 00 s left",
    "  running   sum arm, seed 2, epoch 5 of 12, 1 min 00 s left (process 17 on here)",
    "  failed    sum arm, seed 3: it diverged; run it again: deno task bench --config c",
  ];
  assertEquals(statusLines([grid], false, "runs"), lines);
  assertEquals(statusLines([grid], true, "runs"), [...lines, "  finished  sum arm, seed 1"]);
  const idle = { ...grid, counts: { ...grid.counts, running: 0 }, secondsLeft: null, cells: [] };
  assertEquals(statusLines([idle], false, "runs"), [
    "mine: 11 planned: 5 queued, 3 finished, 2 failed",
    "  nobody works on it; go on with: deno task bench mine",
  ]);
  assertEquals(statusLines([], false, "runs"), ["No bench has asked anything in runs."]);
});

Deno.test("data info: shapes and what lacks of three modalities, samples and groups of splits, counts of classes", () => {
  const split = (labels: number[], groups: string[], present?: number[]): Split => ({
    size: labels.length,
    labels: Int32Array.from(labels),
    groups,
    inputs: {},
    ...present === undefined ? {} : { present: Uint8Array.from(present) },
  });
  const { modalities, splits, classes } = dataInfo({
    name: "made",
    fingerprint: "0",
    notices: [],
    classes: ["cat", "dog"],
    modalities: {
      text: { shape: [6], dtype: "int32", vocabulary: 40, about: "words" },
      audio: { shape: [5], dtype: "float32", about: "sound" },
      image: { shape: [4, 3, 1], dtype: "float32", about: "pictures" },
    },
    splits: {
      // Columns of masks are sorted: audio, image, text.
      train: split([0, 1, 1, 1], ["a", "a", "b", "c"], [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0]),
      validation: split([1, 0], ["d", "d"], [0, 1, 1, 1, 1, 1]),
      test: split([0, 0, 1], ["e", "f", "g"]),
    },
  });
  assertEquals(modalities, {
    columns: [
      "modality",
      "shape",
      "type",
      "missing in train",
      "missing in validation",
      "missing in test",
      "about",
    ],
    rows: [
      ["audio", "[5]", "float32", "0", "1 (50.0 %)", "0", "sound"],
      ["image", "[4, 3, 1]", "float32", "3 (75.0 %)", "0", "0", "pictures"],
      ["text", "[6]", "ids 0..39", "1 (25.0 %)", "0", "0", "words"],
    ],
  });
  assertEquals(splits, {
    columns: ["split", "samples", "groups"],
    rows: [["train", 4, 3], ["validation", 2, 1], ["test", 3, 3]],
  });
  assertEquals(classes, {
    columns: ["class", "train", "validation", "test"],
    rows: [["cat", 1, 1, 2], ["dog", 3, 1, 1]],
  });
});
