/**
 * Runs as event files of TensorBoard: a folder for each run, scalars by epoch, settings as hyperparameters.
 *
 * The format is that of TensorFlow: records of `Event` messages (tensorflow/core/util/event.proto), each framed by its
 * length and two masked CRC-32C (tensorflow/core/lib/io/record_writer.h).
 *
 * @module
 */
import protobuf from "protobufjs/minimal.js";
import type { Setting } from "../settings.ts";
import { pathPart, type TrackedRun } from "./runs.ts";

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli) of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The checksum as records hold it: rotated by 15 bits and moved, as data may hold checksums themselves. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record: length (uint64), its checksum, the data, their checksum; all little-endian. */
export function framed(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

type Writer = ReturnType<typeof protobuf.Writer.create>;
/** Field number and wire type of protobuf. */
const tag = (field: number, type: 0 | 1 | 2 | 5) => (field << 3) | type;

/** Event { wall_time = 1, step = 2, file_version = 3 or summary = 5 }. */
function event(time: number, step: number, fill: (writer: Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create().uint32(tag(1, 1)).double(time).uint32(tag(2, 0)).int64(step);
  fill(writer);
  return writer.finish();
}

/** Summary { value = 1: Value { tag = 1, simple_value = 2 } } as the field `summary` of an event. */
function scalar(writer: Writer, name: string, value: number): void {
  writer.uint32(tag(5, 2)).fork().uint32(tag(1, 2)).fork().uint32(tag(1, 2)).string(name)
    .uint32(tag(2, 5)).float(value).ldelim().ldelim();
}

/** A summary without a value of its own that carries the data of a plugin: Value { tag, tensor = 8, metadata = 9 }. */
function pluginData(writer: Writer, name: string, plugin: string, content: Uint8Array): void {
  writer.uint32(tag(5, 2)).fork().uint32(tag(1, 2)).fork().uint32(tag(1, 2)).string(name)
    // An empty float tensor: readers leave out summaries that have none. TensorProto { dtype = 1, tensor_shape = 2 }.
    .uint32(tag(8, 2)).fork().uint32(tag(1, 0)).int32(1).uint32(tag(2, 2)).fork().uint32(tag(2, 2)).fork()
    .uint32(tag(1, 0)).int64(0).ldelim().ldelim().ldelim()
    // SummaryMetadata { plugin_data = 1: PluginData { plugin_name = 1, content = 2 } }.
    .uint32(tag(9, 2)).fork().uint32(tag(1, 2)).fork().uint32(tag(1, 2)).string(plugin)
    .uint32(tag(2, 2)).bytes(content).ldelim().ldelim().ldelim().ldelim();
}

/** google.protobuf.Value { number_value = 2, string_value = 3, bool_value = 4 }. */
function settingValue(writer: Writer, value: Setting): void {
  if (typeof value === "number") writer.uint32(tag(2, 1)).double(value);
  else if (typeof value === "boolean") writer.uint32(tag(4, 0)).bool(value);
  else writer.uint32(tag(3, 2)).string(value ?? "null");
}

/** HParamsPluginData { version = 1, session_start_info = 3: SessionStartInfo { hparams = 1, group_name = 4, start = 5 } }. */
function sessionStart({ settings, configuration, started }: TrackedRun): Uint8Array {
  const writer = protobuf.Writer.create().uint32(tag(1, 0)).int32(0).uint32(tag(3, 2)).fork();
  for (const [name, value] of Object.entries(settings)) {
    writer.uint32(tag(1, 2)).fork().uint32(tag(1, 2)).string(name).uint32(tag(2, 2)).fork();
    settingValue(writer, value);
    writer.ldelim().ldelim();
  }
  return writer.uint32(tag(4, 2)).string(configuration).uint32(tag(5, 1)).double(started).ldelim().finish();
}

/** HParamsPluginData { version = 1, session_end_info = 4: SessionEndInfo { status = 1, end_time_secs = 2 } }. */
function sessionEnd({ state, ended }: TrackedRun): Uint8Array {
  const status = state === "finished" ? 1 : state === "failed" ? 2 : state === "running" ? 3 : 0;
  return protobuf.Writer.create().uint32(tag(1, 0)).int32(0).uint32(tag(4, 2)).fork().uint32(tag(1, 0)).int32(status)
    .uint32(tag(2, 1)).double(ended ?? 0).ldelim().finish();
}

/** The event file of a run. */
export function eventFile(run: TrackedRun): Uint8Array<ArrayBuffer> {
  const { started, ended, curves } = run;
  const events = [
    event(started, 0, (writer) => writer.uint32(tag(3, 2)).string("brain.Event:2")),
    event(started, 0, (writer) => pluginData(writer, "_hparams_/session_start_info", "hparams", sessionStart(run))),
  ];
  const points = Object.entries(curves).flatMap(([name, own]) => own.map((point) => ({ name, ...point })));
  // By step, as a run writes them.
  for (const { name, step, time, value } of points.sort((a, b) => a.step - b.step)) {
    events.push(event(time, step, (writer) => scalar(writer, name, value)));
  }
  if (ended !== null) {
    events.push(
      event(ended, 0, (writer) => pluginData(writer, "_hparams_/session_end_info", "hparams", sessionEnd(run))),
    );
  }
  const records = events.map(framed);
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

/** Files of runs by path, a folder for each run: TensorBoard names runs by their folders. */
export function tensorboardFiles(runs: readonly TrackedRun[]): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(runs.map((run) => {
    const folder = `${pathPart(run.configuration)}/seed-${run.seed}-${run.id.slice(0, 8)}`;
    return [
      `${folder}/events.out.tfevents.${String(Math.floor(run.started)).padStart(10, "0")}.armlab`,
      eventFile(run),
    ];
  }));
}
