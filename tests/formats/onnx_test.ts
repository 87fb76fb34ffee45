/** Weights from ONNX files, and from files that are none. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import protobuf from "protobufjs/minimal.js";
import { Refusal } from "../../core/refusal.ts";
import { bytesSource } from "../../formats/source.ts";
import { openOnnx } from "../../formats/onnx.ts";
import { openWeights } from "../../formats/weights.ts";
import { inFolder } from "../helpers/cli.ts";

interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly raw?: Uint8Array;
  readonly floats?: readonly number[];
  readonly external?: boolean;
  /** Whether extents are one packed field. */
  readonly packed?: boolean;
}

/** An ONNX model of initialisers, with a producer's name before its graph and an output after them. */
function model(tensors: readonly Given[]): Uint8Array<ArrayBuffer> {
  const { Writer } = protobuf;
  const writer = new Writer();
  writer.uint32(8).int64(9).uint32(18).string("somebody");
  writer.uint32(58).fork();
  for (const { name, shape, type, raw, floats, external, packed } of tensors) {
    writer.uint32(42).fork();
    if (packed) {
      writer.uint32(10).fork();
      for (const extent of shape) writer.int64(extent);
      writer.ldelim();
    } else for (const extent of shape) writer.uint32(8).int64(extent);
    writer.uint32(16).int32(type);
    if (floats !== undefined) {
      writer.uint32(34).fork();
      for (const value of floats) writer.float(value);
      writer.ldelim();
    }
    writer.uint32(66).string(name);
    if (raw !== undefined) writer.uint32(74).bytes(raw);
    if (external) writer.uint32(112).int32(1);
    writer.ldelim();
  }
  writer.uint32(98).fork().uint32(10).string("y").ldelim();
  writer.ldelim();
  return writer.finish().slice() as Uint8Array<ArrayBuffer>;
}

const bytesOf = (data: Float32Array | Float64Array | BigInt64Array) => new Uint8Array(data.buffer);
const open = (bytes: Uint8Array<ArrayBuffer>) => openOnnx(bytesSource(bytes), "m.onnx");

Deno.test("initialisers are read by name: raw values, lists of floats, packed shapes, doubles, integers", async () => {
  const file = await open(model([
    { name: "a.weight", shape: [2, 2], type: 1, raw: bytesOf(Float32Array.of(1, 2, 3, 4)) },
    { name: "b", shape: [3], type: 1, floats: [0.5, -1, 2], packed: true },
    { name: "c", shape: [2], type: 11, raw: bytesOf(Float64Array.of(1.5, -2)) },
    { name: "n", shape: [], type: 7, raw: bytesOf(BigInt64Array.of(300n)) },
    { name: "h", shape: [1], type: 10, raw: Uint8Array.of(0x00, 0x3e) }, // 1.5 in 16 bits
  ]));
  const read = async (name: string) => {
    const { data, shape } = await file.read(name);
    return [[...data as Iterable<number>], shape];
  };
  assertEquals([...file.heads.keys()], ["a.weight", "b", "c", "n", "h"]);
  assertEquals(await read("a.weight"), [[1, 2, 3, 4], [2, 2]]);
  assertEquals(await read("b"), [[0.5, -1, 2], [3]]);
  assertEquals(await read("c"), [[1.5, -2], [2]]);
  assertEquals(await read("n"), [[300], []]);
  assertEquals(await read("h"), [[1.5], [1]]);
  await assertRejects(() => file.read("z"), Refusal, "there must be one of that name");
});

Deno.test("an ONNX file cut off anywhere, or none, is one refusal", async () => {
  const whole = model([{ name: "a", shape: [2], type: 1, raw: bytesOf(Float32Array.of(1, 2)) }]);
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    // Before its graph begins a file has none; within it a message goes beyond its end.
    const { message } = await assertRejects(
      () => open(cut as Uint8Array<ArrayBuffer>),
      Refusal,
      'Cannot read "m.onnx"',
    );
    assert(message.endsWith("; the file is damaged or another format: export or copy it again"), message);
  }
  // As it was before it was cut off.
  assertEquals([...(await open(whole)).heads.keys()], ["a"]);
  await assertRejects(() => open(new TextEncoder().encode("<html></html>")), Refusal, "it must be an ONNX model");
});

Deno.test("an ONNX file says which initialiser is wrong and how", async () => {
  const two = Float32Array.of(1, 2);
  const refused = (tensor: Given, found: string) => assertRejects(() => open(model([tensor])), Refusal, found);
  await refused(
    { name: "a", shape: [3], type: 1, raw: bytesOf(two) },
    'initialiser "a" [3] of float32 has 8 bytes for 12',
  );
  await refused({ name: "a", shape: [2], type: 8, raw: bytesOf(two) }, "element type 8, which is not read");
  await refused(
    { name: "a", shape: [2], type: 1, external: true },
    "they lie in another; save the model with save_as_external_data=False, or its weights as safetensors",
  );
  assertEquals([...(await open(model([{ name: "a", shape: [2], type: 1, raw: bytesOf(two) }]))).heads.keys()], ["a"]);
  const twin: Given = { name: "a", shape: [2], type: 1, raw: bytesOf(two) };
  await assertRejects(() => open(model([twin, twin])), Refusal, 'it has two initialisers "a"');
});

Deno.test("a pickle is refused with the line that converts it, whatever it holds", async () => {
  await inFolder(async (folder) => {
    for (const ending of ["pt", "pth", "bin", "ckpt"]) {
      const error = await assertRejects(() => openWeights(`${folder}/r.${ending}`), Refusal);
      assert(error.message.includes("torch.load") && error.message.includes("weights_only=True"));
      assert(error.message.includes(`${folder}/r.safetensors`));
    }
    await Deno.writeFile(`${folder}/m.onnx`, model([{ name: "a", shape: [1], type: 1, floats: [2] }]));
    const file = await openWeights(`${folder}/m.onnx`);
    assertEquals([...(await file.read("a")).data as Iterable<number>], [2]);
    file.close();
    await assertRejects(() => openWeights(`${folder}/absent.onnx`), Refusal, "nothing is there");
  });
});
