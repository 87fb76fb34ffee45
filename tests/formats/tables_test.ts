import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Refusal } from "../../core/mod.ts";
import { type ArrayFile, openCsv, openJsonl, openParquet } from "../../formats/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { golden } from "../helpers/tensors.ts";

const seeds = golden<Record<string, string>>("foreign");
const seed = (name: string) => Uint8Array.from(atob(seeds[name]), (letter) => letter.charCodeAt(0));

async function columns(file: ArrayFile): Promise<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const name of file.heads.keys()) {
    const { data, shape, type } = await file.read(name);
    read[name] = { type, shape: [...shape], data: Array.from<unknown>(data) };
  }
  file.close();
  return read;
}

/** Columns of a text. */
async function table(content: string | Uint8Array): Promise<Record<string, unknown>> {
  let read: Record<string, unknown> = {};
  await inFolder(async (folder) => {
    const path = join(folder, "t.csv");
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    read = await columns(await openCsv(path));
  });
  return read;
}

const numbers = (...data: number[]) => ({ type: "float64", shape: [data.length], data });
const texts = (...data: string[]) => ({ type: "text", shape: [data.length], data });

Deno.test("openCsv() reads pandas' and Excel's files: marks, line ends, quotes, separators, an index", async () => {
  assertEquals(await table(seed("pandas csv")), { a: numbers(1, 2), label: texts("cat", "dog") });
  assertEquals(await table(seed("csv bom crlf")), { a: numbers(1, 2), label: texts('x, "y"', "z") });
  assertEquals(await table(seed("csv utf-16")), { a_0: numbers(0.5, NaN, 2.5), label: texts("cat", "dog", "") });
  const semicolon = { a_0: numbers(0.5, NaN, 2.5), a_1: numbers(1.5, NaN, 3.5), label: texts("cat", "dog", "") };
  assertEquals(await table(seed("csv semicolon")), semicolon);
  assertEquals(await table(seed("csv index")), {
    "": numbers(0, 1, 2),
    a_0: numbers(0.5, NaN, 2.5),
    label: texts("cat", "dog", ""),
  });
  assertEquals(await table("a\tb\n1\t2\n"), { a: numbers(1), b: numbers(2) });
  assertEquals(await table("1,2\n3,4\n"), { "0": numbers(1, 3), "1": numbers(2, 4) });
  assertEquals(await table('a,b\r\n1,"x"\r\n2,"y"\r\n'), { a: numbers(1, 2), b: texts("x", "y") });
  assertEquals(await table('a,b\r1,"two\nlines"\r'), { a: numbers(1), b: texts("two\nlines") });
});

Deno.test("openCsv(): a column is numbers if every cell is one or says that nothing is there, else texts", async () => {
  assertEquals(await table("a,b,c,d\n1,x,,1e3\nNA,2,,-0.5\n nan ,3,,inf\n"), {
    a: numbers(1, NaN, NaN),
    b: texts("x", "2", "3"),
    c: texts("", "", ""),
    d: texts("1e3", "-0.5", "inf"),
  });
  // Digits beyond what a double holds are names.
  assertEquals(await table("id\n12345678901234567\n1\n"), { id: texts("12345678901234567", "1") });
});

Deno.test("openCsv() refuses what is no table and says at which line", async () => {
  const refuses = async (content: string | Uint8Array, text: string) => {
    const error = await assertRejects(() => table(content), Refusal);
    assertStringIncludes(error.message, text);
  };
  await refuses("a,b\n1,2\n3\n", "every row must have 2 cells, as the first has: line 3 has 1");
  await refuses('a,b\n1,"two\nlines"\n1,2,3\n', "line 4 has 3");
  await refuses('a,b\n1,"two\n', "every quoted cell must end: that of line 2 does not");
  await refuses(seed("csv latin"), "its text must be UTF-8: line 2 is not; save it as UTF-8");
  await refuses("a,a\n1,2\n", 'its columns must have different names: two are "a"');
  await refuses("", "it must hold a table: it is empty");
  await refuses("\n\n", "it must hold a table: it is empty");
  await refuses("a,b\n1,\0\n", "it holds zero bytes");
});

Deno.test("openParquet() reads pandas' tables in every compression: numbers, truths, texts, lists, what is not there", async () => {
  await inFolder(async (folder) => {
    for (const compression of ["snappy", "gzip", "zstd", "brotli", "none"]) {
      const path = join(folder, `${compression}.parquet`);
      await Deno.writeFile(path, seed(`parquet ${compression}`));
      assertEquals(await columns(await openParquet(path)), {
        a_0: numbers(0.5, NaN, 2.5),
        a_1: numbers(1.5, NaN, 3.5),
        count: numbers(1, 2, 3),
        flag: numbers(1, 0, 1),
        label: texts("cat", "dog", ""),
        emb: { type: "float64", shape: [3, 2], data: [1, 2, NaN, NaN, 3, 4] },
        big: texts("1152921504606846976", "1", "2"),
      });
    }
  });
});

Deno.test("openParquet(): lists of lists are arrays; bytes and records are said to be so", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "t.parquet");
    await Deno.writeFile(path, seed("parquet nested"));
    const file = await openParquet(path);
    assertEquals(await file.read("clip"), {
      type: "float64",
      shape: [3, 2, 2],
      data: Float64Array.of(1, 2, 3, 4, NaN, NaN, NaN, NaN, 5, 6, 7, 8),
    });
    assertEquals(await file.read("picture"), { type: "text", shape: [3], data: ["", "", ""], odd: "bytes" });
    const record = '{"x":1,"y":0.5}';
    assertEquals(await file.read("sample"), {
      type: "text",
      shape: [3],
      data: [record, record, record],
      odd: "records",
    });
    file.close();
  });
});

Deno.test("openParquet() refuses damaged files, ragged lists and missing columns", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "t.parquet");
    const refuses = async (bytes: Uint8Array, text: string, column?: string) => {
      await Deno.writeFile(path, bytes);
      const error = await assertRejects(async () => {
        const file = await openParquet(path);
        try {
          for (const name of column === undefined ? file.heads.keys() : [column]) await file.read(name);
        } finally {
          file.close();
        }
      }, Refusal);
      assertStringIncludes(error.message, text);
      assert(!error.message.includes("\n"));
    };
    await refuses(seed("parquet ragged"), "its lists must have one length, 1 as the first has: row 1 has 2");
    await refuses(seed("parquet none").subarray(0, 100), "it must be a whole Parquet file");
    await refuses(seed("text"), "it must be a whole Parquet file");
    await refuses(new Uint8Array(0), "it must be a whole Parquet file");
    await refuses(seed("parquet none"), "there must be one of that name: found a_0", "nope");
    const damaged = seed("parquet snappy");
    damaged.fill(255, 40, 60);
    await refuses(damaged, "it must be a whole Parquet file");
  });
});

Deno.test("openJsonl() reads objects, one a line, and refuses what is none", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "t.jsonl");
    await Deno.writeTextFile(path, '{"a": 1, "b": "x", "v": [1, 2]}\r\n\n{"a": null, "v": [3, 4], "c": true}\n');
    assertEquals(await columns(await openJsonl(path)), {
      a: numbers(1, NaN),
      b: texts("x", ""),
      v: { type: "float64", shape: [2, 2], data: [1, 2, 3, 4] },
      c: numbers(NaN, 1),
    });
    const refuses = async (text: string, expected: string) => {
      await Deno.writeTextFile(path, text);
      assertStringIncludes((await assertRejects(() => openJsonl(path), Refusal)).message, expected);
    };
    await refuses('{"a": 1}\n{"a"\n', "every line must be JSON: line 2 is not");
    await refuses('{"a": 1}\n[1]\n', "every line must be a JSON object: line 2 is none");
    await refuses("\n", "it must hold a table: it is empty");
    await refuses('{"a": [1]}\n{"a": [1, 2]}\n', "its lists must have one length");
  });
});
