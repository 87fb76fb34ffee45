/** Both ways to call the runtime, one of which only machines without foreign functions take. */
import * as tf from "@tensorflow/tfjs";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { float32, int32, type NamedHostTensors } from "../../core/program.ts";
import { GraphCache } from "../../engines/onnx/runtime/cache.ts";
import { lower } from "../../engines/onnx/lower/lower.ts";
import { inputName, outputName, writeOnnx } from "../../engines/onnx/graph/onnx_writer.ts";
import {
  createSession,
  indirectly,
  RuntimeTensor,
  type Session,
  throughPackage,
} from "../../engines/onnx/runtime/session.ts";
import { trace } from "../../engines/onnx/trace/trace.ts";

/** A cache on a disk that lets nothing be written, as a full one. */
class FullDisk extends GraphCache {
  override temporary(): Promise<string> {
    return Promise.resolve(`${this.folder}/no/such/folder`);
  }
}

Deno.test("where a graph cannot be written the program runs, one warning says why, and nothing is left", async () => {
  const folder = await Deno.makeTempDir();
  const graph = lower(trace({ x: { shape: [2], dtype: "float32" } }, ({ x }) => ({ y: tf.neg(x) })), "cpu");
  const model = writeOnnx(graph, "small");
  const warned: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void warned.push(text);
  try {
    const cache = new FullDisk(folder);
    for (let i = 0; i < 2; i++) {
      const session = await createSession(model, [inputName(0)], [outputName(0)], { threads: 1, cache });
      const y = RuntimeTensor.empty([2], "float32");
      await session.run([new RuntimeTensor(float32([1, 2], [2]))], [y]);
      assertEquals([...y.data], [-1, -2]);
      await session.release();
    }
    assertEquals(warned.length, 1);
    assertStringIncludes(warned[0], `Cannot keep compiled graphs in ${folder}: `);
    // A model that is at fault itself is an error, and no word about the folder.
    const other = new FullDisk(`${folder}/other`);
    const broken = model.slice(0, model.length / 2);
    await assertRejects(() => createSession(broken, [inputName(0)], [outputName(0)], { threads: 1, cache: other }));
    assertEquals(warned.length, 1);
  } finally {
    console.warn = warn;
  }
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("calls through the runtime's Node package give the bits that direct calls give", async () => {
  assertEquals(indirectly, null, "direct calls are what this machine must have for the comparison");
  const feeds: NamedHostTensors = {
    x: float32(Float32Array.from({ length: 6 }, (_, i) => Math.sin(i)), [2, 3]),
    w: float32(Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)), [3, 4]),
    i: int32([1, 0], [2]),
  };
  const graph = lower(
    trace(feeds, ({ x, w, i }) => {
      const h = tf.softmax(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D));
      return {
        h,
        scalar: tf.sum(h),
        rows: tf.gather(h, i as tf.Tensor1D),
        hits: tf.argMax(h, 1),
        truth: tf.greater(h, 0.3),
      };
    }),
    "cpu",
  );
  const model = writeOnnx(graph, "both");
  const names = [graph.inputs.map((_, k) => inputName(k)), graph.outputs.map((_, k) => outputName(k))] as const;
  const run = async (session: Session) => {
    const outputs = graph.outputs.map(({ value }) => RuntimeTensor.empty(value.shape, value.dtype as "float32"));
    await session.run(graph.inputs.map(({ name }) => new RuntimeTensor(feeds[name])), outputs);
    await session.release();
    return outputs.map((output) => [output.shape, output.dtype, [...output.data]]);
  };
  assertEquals(
    await run(await throughPackage(model, ...names, { threads: 1 }, { optimise: true })),
    await run(await createSession(model, ...names, { threads: 1 })),
  );
});
