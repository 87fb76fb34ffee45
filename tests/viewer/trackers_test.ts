/** Runs as TensorBoard and MLflow keep them, byte by byte; `tools/open_exports.py` opens them with those tools. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { gridAt } from "../../viewer/export_view.ts";
import { openRunStore } from "../../viewer/store.ts";
import { mlflowFiles, mlflowName } from "../../viewer/trackers/mlflow.ts";
import { pathPart, type TrackedRun, trackedRuns } from "../../viewer/trackers/runs.ts";
import { crc32c, eventFile, framed, maskedCrc, tensorboardFiles } from "../../viewer/trackers/tensorboard.ts";
import { inFolder } from "../helpers/cli.ts";
import { configOf, epochOf, writeRun } from "../helpers/runs.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

Deno.test("crc32c() and its mask are those of RFC 3720 and of TensorFlow's records", () => {
  // RFC 3720, B.4: 32 bytes of zeros and of ones; and the check value of the polynomial.
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(ascii("123456789")), 0xe3069283);
  // By hand: 0xe3069283 rotated right by 15 bits is 0x2507c60d; plus 0xa282ead8.
  assertEquals(maskedCrc(ascii("123456789")), 0xc78ab0e5);
});

Deno.test("framed() is length, checksum, data, checksum", () => {
  const record = framed(ascii("abc"));
  const view = new DataView(record.buffer);
  assertEquals([record.length, view.getBigUint64(0, true)], [19, 3n]);
  assertEquals(view.getUint32(8, true), maskedCrc(record.subarray(0, 8)));
  assertEquals(record.subarray(12, 15), ascii("abc"));
  assertEquals(view.getUint32(15, true), maskedCrc(ascii("abc")));
});

const run: TrackedRun = {
  id: "0123456789abcdef",
  configuration: "concat · lr 0.6",
  seed: 2,
  state: "finished",
  started: 1000,
  ended: 1010,
  config: configOf({ seed: 2 }),
  settings: { fusion: "concat", seed: 2, "arm.dfe": true },
  curves: { "loss/total": [{ step: 1, time: 1005, value: 0.5 }] },
};

/** Data of the records of an event file, whose checksums must be right. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = Number(view.getBigUint64(0, true));
    const data = bytes.slice(at + 12, at + 12 + length);
    assertEquals(view.getUint32(8, true), maskedCrc(bytes.slice(at, at + 8)));
    assertEquals(view.getUint32(12 + length, true), maskedCrc(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

Deno.test("eventFile() begins with the version of the format, and holds a scalar as Event { time, step, summary }", () => {
  const records = recordsOf(eventFile(run));
  // wall_time = 1 (double), step = 2 (varint), file_version = 3 (text).
  assertEquals([...records[0].slice(9)], [0x10, 0, 0x1a, 13, ...ascii("brain.Event:2")]);
  assertEquals([records[0][0], new DataView(records[0].buffer).getFloat64(1, true)], [0x09, 1000]);
  // summary = 5 of 19 bytes: value = 1 of 17: tag = 1 of 10, simple_value = 2: the float 0.5 is 0x3f000000.
  assertEquals([...records[2].slice(9)], [
    ...[0x10, 1, 0x2a, 19, 0x0a, 17, 0x0a, 10],
    ...ascii("loss/total"),
    ...[0x15, 0, 0, 0, 0x3f],
  ]);
  const [start, end] = [records[1], records[3]].map((record) => new TextDecoder("latin1").decode(record));
  for (const text of ["_hparams_/session_start_info", "hparams", "arm.dfe", "concat"]) {
    assertStringIncludes(start, text);
  }
  assertStringIncludes(end, "_hparams_/session_end_info");
  assertEquals(records.length, 4);
  assertEquals(recordsOf(eventFile({ ...run, ended: null })).length, 3);
  const [path] = tensorboardFiles([run]).keys();
  assertEquals(path, "concat-lr-0.6/seed-2-01234567/events.out.tfevents.0000001000.armlab");
});

Deno.test("mlflowFiles() is the file store's layout: a file for each metric, parameter and tag", () => {
  const files = mlflowFiles("quick", [run], "file:///x/mlruns");
  const [experiment] = [...files.keys()][0].split("/");
  const own = (path: string) => files.get(`${experiment}/${run.id}/${path}`);
  assertEquals(own("metrics/loss/total"), "1005000 0.5 1\n");
  assertEquals([own("params/arm.dfe"), own("params/fusion")], ["true", "concat"]);
  assertEquals(own("tags/mlflow.runName"), "concat · lr 0.6, seed 2");
  assertEquals(JSON.parse(own("artifacts/config.json")!), configOf({ seed: 2 }));
  const meta = own("meta.yaml")!;
  for (const line of ["status: 3", "start_time: 1000000", "end_time: 1010000", 'lifecycle_stage: "active"']) {
    assertStringIncludes(meta, `${line}\n`);
  }
  assertStringIncludes(files.get(`${experiment}/meta.yaml`)!, 'name: "quick"');
  assertEquals([...mlflowFiles("quick", [run], "file:///y").keys()], [...files.keys()]);
});

Deno.test("names of anybody's parts stay below their folders", () => {
  assertEquals([pathPart("../../etc"), pathPart(".."), pathPart("a b/c")], ["etc", "x", "a-b-c"]);
  assertEquals(mlflowName("../a\n/..b/."), "_../a_/..b/_.");
  assert(!mlflowName("φ<x>").includes("<"));
});

Deno.test("trackedRuns() gives every curve by epoch, tested values at the tested epoch, in the order of the table", () =>
  inFolder(async (runs) => {
    const spec = { seed: 1, epochs: 3, accuracy: 0.8 };
    const id = writeRun(runs, spec);
    writeRun(runs, { seed: 0, fusion: "sum", state: "failed", epochs: 4 });
    const store = openRunStore(runs);
    const tracked = trackedRuns(store, await gridAt(store, "/"));
    assertEquals(tracked.map(({ configuration, state }) => [configuration, state]), [["concat", "finished"], [
      "sum",
      "failed",
    ]]);
    const { curves, settings, started, ended } = tracked[0];
    assertEquals(tracked[0].id, id);
    assertEquals(
      curves["validation/accuracy"].map(({ step, value }) => [step, value]),
      [0, 1, 2].map((epoch) => [epoch + 1, epochOf(spec, epoch).validation.accuracy]),
    );
    // Thirty seconds of three epochs, as the timing of the run says.
    assertEquals([started, ended], [1767323045, 1767323075]);
    assertAlmostEquals(curves["loss/total"][0].time - started, 10, 1e-6);
    assertEquals(curves["test/accuracy"].length, 1);
    assertEquals([curves["run/seconds"][0].value, curves["test/loss"].length, curves["test/seconds"]], [
      31,
      1,
      undefined,
    ]);
    assertEquals([curves["test/accuracy"][0].step, settings.seed, settings["training.epochs"]], [3, 1, 3]);
    store.close();
  }));
