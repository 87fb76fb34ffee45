/** `jit` as it is used by itself: guards, breaks, state, and graphs kept on disk. */
import * as tf from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { float32, type HostTensor, jit, record, TraceBreakError } from "../../engines/onnx/jit.ts";
import { GraphCache } from "../../engines/onnx/runtime/cache.ts";
import { Refusal } from "../../core/refusal.ts";

const double = () => jit(({ x }) => ({ y: tf.mul(x, 2) }), { cache: null });

Deno.test("jit() compiles once per shape and type, whatever order the inputs come in", async () => {
  const sum = jit(({ a, b }) => ({ c: tf.add(a, b) }), { cache: null });
  const one = float32([1], [1]);
  const two = float32([1, 2], [2]);
  assertEquals([...(await sum({ a: one, b: one })).c.data], [2]);
  assertEquals([...(await sum({ b: one, a: one })).c.data], [2]);
  assertEquals([...(await sum({ a: two, b: one })).c.data], [2, 3]);
  const { compileMs, ...counts } = sum.stats();
  assertEquals(counts, { hits: 3, retraces: 1, breaks: 0, nodes: 2 });
  assert(compileMs > 0);
  sum.dispose();
});

Deno.test("jit() compiles anew for another type of the same shape", async () => {
  const half = jit(({ x }) => ({ y: tf.div(x, tf.cast(2, x.dtype)) }), { cache: null });
  assertEquals([...(await half({ x: float32([3], [1]) })).y.data], [1.5]);
  const { y } = await half({ x: { data: Int32Array.of(3), shape: [1], dtype: "int32" } });
  assertEquals([y.dtype, y.data[0], half.stats().retraces], ["int32", 1, 1]);
  half.dispose();
});

Deno.test("jit() takes eager tensors and gives arrays that stay the caller's", async () => {
  await tf.setBackend("cpu");
  const twice = double();
  const first = (await twice({ x: tf.tensor1d([1, 2]) })).y;
  const second = (await twice({ x: tf.tensor1d([5, 6]) })).y;
  assertEquals([[...first.data], [...second.data]], [[2, 4], [10, 12]]);
  assertEquals(tf.getBackend(), "cpu");
  twice.dispose();
});

Deno.test("jit() refuses arrays of another element type, before it traces", async () => {
  const twice = double();
  const given = (data: unknown, dtype: string) => ({ x: { data, shape: [3], dtype } as unknown as HostTensor });
  await assertRejects(() => twice(given(Int32Array.of(1, 2, 3), "float32")), Refusal, 'input "x" must be float32');
  await assertRejects(() => twice(given(Float64Array.of(1, 2, 3), "float64")), Refusal, "found float64");
  await assertRejects(() => twice({ x: tf.tensor(["a"]) }), Refusal, "found string");
  assertThrows(() => jit(() => ({}), { state: given(Float64Array.of(1, 2, 3), "float32") }), Refusal, "Float64Array");
  assertEquals(twice.stats().nodes, 0);
  twice.dispose();
});

Deno.test("jit() trains with state that stays in the runtime and can be read and written", async () => {
  const step = jit(({ w, x }) => {
    const pass = record(() => tf.sum(tf.square(tf.sub(w, x))));
    const [gradient] = pass.gradients(pass.value, [w]);
    pass.dispose();
    return { w: tf.sub(w, tf.mul(gradient!, 0.25)), loss: pass.value };
  }, { state: { w: float32([0, 0], [2]) }, cache: null });
  const x = float32([4, 8], [2]);
  assertEquals([(await step({ x })).loss.data[0], (await step({ x })).loss.data[0]], [80, 20]);
  assertEquals([...(await step.read(["w"])).w.data], [3, 6]);
  await step.write({ w: x });
  assertEquals((await step({ x })).loss.data[0], 0);
  await assertRejects(() => step({ x, w: x }), Refusal, 'input "w": it is state');
  step.dispose();
});

Deno.test("jit() names the line of what no graph can hold, and counts it", async () => {
  const branching = jit(({ x }) => tf.sum(x).dataSync()[0] > 0 ? { y: x } : { y: tf.neg(x) }, { cache: null });
  const x = float32([1], [1]);
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(() => branching({ x }), TraceBreakError, "the reading of a tensor's value");
    assertStringIncludes((error as TraceBreakError).source!, "jit_test.ts:");
  }
  assertEquals(branching.stats().breaks, 2);
  const random = jit(({ x }) => ({ y: tf.add(x, tf.randomUniform([1])) }), { cache: null });
  const error = await assertRejects(() => random({ x }), TraceBreakError, "unseeded randomness");
  assertStringIncludes((error as TraceBreakError).source!, "jit_test.ts:");
  const late = jit(((t: { x: tf.Tensor }) => Promise.resolve({ y: t.x })) as unknown as Parameters<typeof jit>[0], {
    cache: null,
  });
  await assertRejects(() => late({ x }), Refusal, "it returns a promise");
});

Deno.test("jit() finds reads that nobody waits for or that are caught, and says what else is wrong", async () => {
  const x = float32([1, 2], [2]);
  const outside = tf.tensor1d([1, 2]);
  const broken: readonly [(x: tf.Tensor) => unknown, string][] = [
    [(x) => (void x.data(), { y: x }), "the reading of a tensor's value"],
    [(x) => (void x.array(), { y: x }), "the reading of a tensor's value"],
    [(x) => (void tf.whereAsync(tf.greater(x, 1)), { y: x }), "the reading of a tensor's value"],
    [async (x) => ({ y: tf.mul(x, (await x.data())[0]) }), "the reading of a tensor's value"],
    [(x) => (tf.print(x), { y: x }), "the reading of a tensor's value"],
    [(x) => ({ y: (tf.sum(x) as unknown as number) > 1 ? x : tf.neg(x) }), "the reading of a tensor's value"],
    [(x) => {
      try {
        x.dataSync();
      } catch { /* goes on as if it had not read */ }
      return { y: x };
    }, "the reading of a tensor's value"],
    [(x) => ({ y: tf.dropout(x, 0.5) }), "unseeded randomness"],
    [(x) => ({ y: tf.mul(x, crypto.getRandomValues(new Uint8Array(1))[0]) }), "unseeded randomness"],
    [(x) => ({ y: tf.mul(x, outside) }), "a tensor that was made outside the function"],
    [(x) => ({ y: tf.unique(x).values }), "kernel Unique"],
  ];
  for (const [run, message] of broken) {
    const program = jit(({ x }) => run(x) as { y: tf.Tensor }, { cache: null });
    const error = await assertRejects(() => program({ x }), Error, message) as TraceBreakError;
    assertStringIncludes(error.message, `(at ${error.source})`);
    assertStringIncludes(error.source!, "jit_test.ts:");
    assertEquals(program.stats(), { hits: 0, retraces: 0, breaks: 1, compileMs: 0, nodes: 0 });
    program.dispose();
  }
  assertEquals(crypto.getRandomValues(new Uint8Array(1)).length, 1);
  assert(!Object.hasOwn(crypto, "getRandomValues"));
  const number = jit(() => ({ y: 3 }) as unknown as { y: tf.Tensor }, { cache: null });
  await assertRejects(() => number({ x }), Refusal, 'its result "y" must be a tensor: found 3');
  const nothing = jit((() => {}) as unknown as () => { y: tf.Tensor }, { cache: null });
  await assertRejects(() => nothing({ x }), Refusal, "it must return tensors by name: it returns undefined");
  // A read after a trace is a read.
  assertEquals([...await outside.data()], [1, 2]);
});

Deno.test("graphs are kept on disk by content: a second process finds them and computes the same bits", async () => {
  const folder = await Deno.makeTempDir();
  const values = float32(Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), [6, 10]);
  const make = () =>
    jit(({ x }) => {
      const y = tf.softmax(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true));
      return { y: tf.add(tf.relu(y), tf.mean(y, 1, true)) };
    }, { cache: folder });
  const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const fresh = make();
  const expected = (await fresh({ x: values })).y;
  assertEquals(names().length, 1);
  const [entry] = names();
  const kept = make();
  assertEquals((await kept({ x: values })).y, expected);
  // A cut-off entry, as a full disk leaves it, is made anew.
  const bytes = await Deno.readFile(`${folder}/${entry}`);
  await Deno.writeFile(`${folder}/${entry}`, bytes.subarray(0, bytes.length - 5));
  const mended = make();
  assertEquals((await mended({ x: values })).y, expected);
  assertEquals(await Deno.readFile(`${folder}/${entry}`), bytes);
  for (const program of [fresh, kept, mended]) program.dispose();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("many writers of one entry leave one whole entry", async () => {
  const folder = await Deno.makeTempDir();
  const caches = Array.from({ length: 6 }, () => new GraphCache(folder));
  const body = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  const key = await caches[0].key(body, ["settings"]);
  for (const other of ["other settings", "Settings"]) assert(key !== await caches[0].key(body, [other]));
  await Promise.all(caches.map((cache) => cache.put(key, body)));
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [`${key}.graph`]);
  assertEquals(await caches[1].get(key), body);
  assertEquals([caches[1].stats(), caches[2].stats()], [{ hits: 1, misses: 0 }, { hits: 0, misses: 0 }]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what a process left unfinished when it was killed goes, what others are writing stays", async () => {
  const folder = await Deno.makeTempDir();
  const cache = new GraphCache(folder);
  const [old, fresh] = [await cache.temporary(), await cache.temporary()];
  for (const path of [old, fresh]) await Deno.writeFile(path, new Uint8Array(10));
  const yesterday = new Date(Date.now() - 24 * 3_600_000);
  await Deno.utime(old, yesterday, yesterday);
  await cache.put("a", new Uint8Array(5));
  const left = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`).sort();
  assertEquals(left, [`${folder}/a.graph`, fresh].sort());
  // Nor does a failed writing leave anything.
  await Deno.mkdir(`${folder}/b.graph/full`, { recursive: true });
  await assertRejects(() => cache.put("b", new Uint8Array(5)));
  assertEquals([...Deno.readDirSync(folder)].length, 3);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the folder keeps to its size: what was not used longest goes", async () => {
  const folder = await Deno.makeTempDir();
  const cache = new GraphCache(folder, 2500);
  const body = new Uint8Array(1000);
  for (const [index, key] of ["a", "b", "c"].entries()) {
    await cache.put(key, body);
    const used = new Date(Date.now() - 1e6 + 1000 * index);
    if (key !== "c") await Deno.utime(`${folder}/${key}.graph`, used, used);
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["b.graph", "c.graph"]);
  assertEquals(await cache.get("a"), null);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a folder that cannot be written costs a warning, not the call", async () => {
  const file = await Deno.makeTempFile();
  const warned: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void warned.push(text);
  try {
    const twice = jit(({ x }) => ({ y: tf.mul(x, 2) }), { cache: `${file}/below` });
    assertEquals([...(await twice({ x: float32([3], [1]) })).y.data], [6]);
    twice.dispose();
  } finally {
    console.warn = warn;
  }
  assertEquals(warned.length, 1);
  assertStringIncludes(warned[0], "Cannot keep compiled graphs in");
  await Deno.remove(file);
});
