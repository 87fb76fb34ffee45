import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Refusal } from "../../core/mod.ts";
import { type ForeignArray, openArrays } from "../../formats/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { golden } from "../helpers/tensors.ts";

const seeds = golden<Record<string, string>>("foreign");
const seed = (name: string) => Uint8Array.from(atob(seeds[name]), (letter) => letter.charCodeAt(0));

/** What must come of a file: values by name, or a refusal that says so. */
type Answer = Readonly<Record<string, unknown>> | RegExp;

interface Case {
  readonly about: string;
  /** Name of the file; what it is, its bytes say. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly answer: Answer;
}

const base = { shape: [2, 3], data: [0, 1, 2, 3, 4, 5] };
const truths = { shape: [2, 3], data: [0, 1, 0, 1, 0, 1] };
const labels = { shape: [2], data: [1, 0] };
const again = /save or copy it again/;

const ended = (name: string) => name.startsWith("npz") ? ".npz" : name.startsWith("npy") ? ".npy" : ".safetensors";
/** A seed as it is. */
const whole = (name: string, answer: Answer, file = `x${ended(name)}`): Case => ({
  about: name,
  file,
  bytes: seed(name),
  answer,
});
/** A seed with some bytes replaced. */
function changed(name: string, about: string, at: number, values: readonly number[], answer: Answer): Case {
  const bytes = seed(name);
  bytes.set(values, at < 0 ? bytes.length + at : at);
  return { about: `${name}, ${about}`, file: `x${ended(name)}`, bytes, answer };
}
/** A seed with a text of its head replaced by another, which may reach into the spaces behind it. */
function reworded(name: string, from: string, to: string, answer: Answer): Case {
  const bytes = seed(name);
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(from);
  const behind = text.slice(at + from.length, at + to.length);
  assert(at !== -1 && from.length <= to.length && behind.trim() === "", `${name}: ${from}`);
  bytes.set(new TextEncoder().encode(to), at);
  return { about: `${name}, ${from} as ${to}`, file: `x${ended(name)}`, bytes, answer };
}

/** Where a signature of a zip archive stands. */
function place(bytes: Uint8Array, signature: readonly number[], nth = 0): number {
  for (let at = 0; at < bytes.length; at++) {
    if (signature.every((byte, i) => bytes[at + i] === byte) && nth-- === 0) return at;
  }
  throw new Error("no such signature");
}
const DIRECTORY = [0x50, 0x4b, 1, 2];
const END = [0x50, 0x4b, 5, 6];
const LOCAL = [0x50, 0x4b, 3, 4];
/** A seed with a field of a record of its archive replaced. */
const field = (name: string, record: readonly number[], at: number, values: readonly number[], answer: Answer) =>
  changed(name, `bytes ${at} on of ${record.slice(2)}`, place(seed(name), record) + at, values, answer);
const int32 = (value: number) => [value & 255, value >>> 8 & 255, value >>> 16 & 255, value >>> 24 & 255];

const direct: Case[] = [
  ...["f8", "f4", "f2", "i8", "i4", "i2", "u8", "u4", "u2"].flatMap((code) => [
    whole(`npy <${code}`, { x: base }),
    whole(`npy >${code}`, { x: base }),
  ]),
  whole("npy <i1", { x: base }),
  whole("npy <u1", { x: base }),
  whole("npy bool", { x: truths }),
  whole("npy fortran", { x: base }),
  whole("npy fortran 3d", { x: { shape: [2, 3, 4], data: Array.from({ length: 24 }, (_, i) => i) } }),
  whole("npy fortran text", { x: { shape: [2, 2], data: ["a", "b", "c", "dd"] } }),
  whole("npy version 2", { x: base }),
  whole("npy version 3", { x: base }),
  whole("npy scalar", { x: { shape: [], data: [7] } }),
  whole("npy empty", { x: { shape: [0, 3], data: [] } }),
  whole("npy text", { x: { shape: [4], data: ["cat", "dög", "", "鳥"] } }),
  whole("npy text big", { x: { shape: [2], data: ["cat", "dög"] } }),
  whole("npy bytes", { x: { shape: [3], data: ["cat", "dög", ""] } }),
  whole("npy bytes latin", /text 0 must be UTF-8/),
  // 65504 is the largest half; -6e-8 rounds to the smallest one, -2^-24.
  whole("npy half extremes", { x: { shape: [6], data: [65504, -(2 ** -24), Infinity, -Infinity, NaN, -0] } }),
  whole("npy huge integer", /every integer must fit into 32 bits: value 0 is 2147483648/),
  whole("npy huge unsigned", /every integer must fit into 32 bits: value 0 is 4294967295/),
  whole("npy uint64 beyond", /every integer must fit into 32 bits: value 0 is 18446744073709551615/),
  whole("npy complex", /found complex numbers, <c8; save real and imaginary parts/),
  whole("npy longdouble", /found long floats, <f16; save array.astype\(numpy.float64\)/),
  whole("npy bfloat16", /found raw bytes or records, [<|]V2; save array.astype\(numpy.float32\)/),
  whole("npy date", /found dates, <M8\[D\]/),
  whole("npy span", /found time spans, <m8\[s\]/),
  whole("npy object", /found Python objects \(pickled\), \|O; save numbers, or texts/),
  whole("npy record", /found records of several fields/),
  whole("npy two arrays", /save one array per file/),
  whole("npz", { labels, x: base }),
  whole("npz compressed", { labels, x: base }),
  whole("npz positional", { arr_0: labels, arr_1: base }),
  whole("npz empty", {}),
  whole("npz odd names", {
    "a b": { shape: [1], data: [1] },
    "é": { shape: [1], data: [2] },
    ["__proto__"]: { shape: [1], data: [3] },
    constructor: { shape: [1], data: [4] },
  }),
  whole("npz object", /"x" of .* found Python objects/),
  whole("npz folder", { labels, x: base }),
  whole("npz bzip2", /entry "x.npy" is compressed by method 12; save it stored or deflated/),
  whole("npz comment", { x: base }),
  whole("npz with text", /entry "readme.txt" is none/),
  whole("npz twice", /it has two entries "x.npy"/),
  ...["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"].map((code) =>
    whole(`safetensors ${code}`, { x: base })
  ),
  whole("safetensors bool", { x: truths }),
  whole("safetensors bf16", { x: base }),
  whole("safetensors f8e4m3", /found "F8_E4M3"; save float32/),
  whole("safetensors empty", {}),
  whole("safetensors scalar", { x: { shape: [], data: [7] } }),
  // The name says nothing: what a file is, its bytes say.
  whole("npy <f4", { x: base }, "x.npz"),
  whole("npz", { labels, x: base }, "x.npy"),
  whole("npz", { labels, x: base }, "x.safetensors"),
  whole("safetensors f4", { x: base }, "x.bin"),
  whole("torch zip", /it is a PyTorch file \(torch.save\); save tensors by safetensors/, "x.pt"),
  whole("torch zip", /it is a PyTorch file/, "x.npz"),
  whole("torch old", /it is a Python pickle/, "x.pt"),
  whole("pickle 0", /it begins like none of them/, "x.pkl"),
  whole("pickle 1", /it begins like none of them/, "x.pkl"),
  ...[2, 3, 4, 5].map((protocol) => whole(`pickle ${protocol}`, /it is a Python pickle/, "x.pkl")),
  whole("pandas pickle", /it is a Python pickle/, "x.pkl"),
  whole("pandas parquet", /it is a Parquet table/, "x.parquet"),
  whole("pandas feather", /it is an Arrow file/, "x.feather"),
  whole("pandas csv", /it begins like none of them/, "x.csv"),
  whole("pandas json", /it begins like none of them/, "x.json"),
  whole("hdf5", /it is an HDF5 file/, "x.h5"),
  whole("hdf5", /it is an HDF5 file/, "x.npz"),
  whole("matlab 5", /it is a MATLAB file; convert it: python -c ".*savez.*loadmat\('.*x\.mat'/, "x.mat"),
  whole("matlab 4", /it is a MATLAB file of version 4, or damaged; convert it: python -c/, "x.mat"),
  whole(
    "matlab 7.3",
    /it is a MATLAB file of version 7\.3; convert it: python -c ".*h5py\.File\('.*x\.mat'/,
    "x.mat",
  ),
  whole("gzip", /it is a gzip archive; unpack it first/, "x.npy"),
  whole("git lfs", /it is a Git LFS pointer, not the file itself; fetch it: git lfs pull/, "x.npz"),
  whole("web page", /it is a web page, not the file itself; download the file anew/, "x.safetensors"),
  whole("text", /it begins like none of them/, "x.txt"),
  whole("text", /a .npy array: it does not begin like one/, "x.npy"),
  whole("text", /it has no directory at its end/, "x.npz"),
  { about: "nothing", file: "x.npy", bytes: new Uint8Array(0), answer: /it is empty; save or copy it again/ },
  { about: "zeros", file: "x.npy", bytes: new Uint8Array(200), answer: /does not begin like one/ },
  { about: "zeros", file: "x.npz", bytes: new Uint8Array(200), answer: /no directory at its end/ },
  { about: "zeros", file: "x.safetensors", bytes: new Uint8Array(200), answer: /its header must be JSON/ },
];

const heads: Case[] = [
  changed("npy <f4", "an unknown version", 6, [9], /its format must be 1, 2 or 3: found 9.0/),
  changed("npy <f4", "version 0", 6, [0], /its format must be 1, 2 or 3: found 0.0/),
  changed("npy <f4", "a head beyond its end", 8, [255, 255], /its head is cut off at 152 bytes and needs 65545/),
  changed("npy version 2", "a head of 4 GB", 8, [255, 255, 255, 255], /its head is cut off/),
  changed("npy <f4", "a short head", 8, [20, 0], /its head must say descr, fortran_order and shape/),
  changed("npy <f4", "a damaged head", 20, [0, 0, 0, 0, 0, 0, 0, 0], /its head must say|numbers or texts/),
  reworded("npy <f4", "(2, 3)", "(3, 3)", /shape \[3, 3\] of float32 needs 36 bytes: it has 24; it is cut off/),
  reworded("npy <f4", "(2, 3)", "(1, 3)", /needs 12 bytes: it has 24; save one array per file/),
  reworded("npy <f4", "(2, 3)", "(3, 2)", { x: { shape: [3, 2], data: base.data } }),
  reworded("npy <f4", "(2, 3)", "(6,  )", { x: { shape: [6], data: base.data } }),
  // Python 2 wrote (2L, 3L).
  reworded("npy <f4", "(2, 3), ", "(2L,3L),", { x: base }),
  reworded("npy <f4", "(2, 3)", "(-2,3)", /its head must say descr, fortran_order and shape/),
  reworded("npy <f4", "(2, 3), ", "(2.0,3),", /its head must say/),
  reworded(
    "npy <f4",
    "'shape': (2, 3), }      ",
    "'shape': (9999999999999),",
    /sizes that can be counted|needs|must say/,
  ),
  reworded("npy <f4", "(2, 3), }", "(99999999999999999,), }", /sizes that can be counted/),
  reworded("npy <f4", "(2, 3), }", "(99999999,99999999), }", /sizes that can be counted/), // each can, their product cannot
  reworded("npy <f4", "<f4", "<f8", /of float64 needs 48 bytes: it has 24/),
  reworded("npy <f4", "<f4", "<f2", /of float16 needs 12 bytes: it has 24/),
  reworded("npy <f4", "<f4", "<c4", /found complex numbers/),
  reworded("npy <f4", "<f4", "<q4", /found an unknown type, <q4/),
  reworded("npy <f4", "<f4", "   ", /numbers or texts|must say/),
  reworded("npy <f4", "<f4", "=f4", { x: base }),
  reworded("npy <f4", "<f4", "|f4", { x: base }),
  reworded("npy <f4", "'descr'", "'dtype'", /its head must say descr/),
  reworded("npy <f4", "False", "Maybe", /its head must say/),
  reworded("npy <i4", "<i4", "<U1", {
    x: { shape: [2, 3], data: ["", "\u0001", "\u0002", "\u0003", "\u0004", "\u0005"] },
  }),
  changed("npy text", "no Unicode", -4, [0, 0, 255, 0], /text 3 must be Unicode/),
  changed("npy bool", "a truth of 2", -1, [2], /every truth must be 0 or 1: value 5 is 2/),
  changed(
    "safetensors f4",
    "a header of 10 GB",
    0,
    [0, 228, 11, 84, 2, 0, 0, 0],
    /header must hold at most 100000000 bytes/,
  ),
  changed("safetensors f4", "a long header", 0, [255, 0], /it must hold 263 bytes: found/),
  changed("safetensors f4", "a short header", 0, [9, 0], /its header must be JSON/),
  reworded("safetensors f4", '"F32"', '"F64"', /tensor "x" must fill the 48 bytes from 0 on: found offsets 0 to 24/),
  reworded("safetensors f4", '"F32"', '"I32"', {
    x: { shape: [2, 3], data: [0, 0x3f800000, 0x40000000, 0x40400000, 0x40800000, 0x40a00000] },
  }),
  reworded("safetensors f4", '"F32"', '"X32"', /tensor "x" must be of type .*: found "X32"/),
  reworded("safetensors f4", "[2,3]", "[3,3]", /must fill the 36 bytes from 0 on/),
  reworded("safetensors f4", "[2,3]", "[3,2]", { x: { shape: [3, 2], data: base.data } }),
  reworded("safetensors f4", "[2,3]", "[-23]", /must have a dtype, a shape and two data_offsets/),
  reworded("safetensors f4", "[0,24]", "[4,28]", /from 0 on: found offsets 4 to 28/),
  reworded("safetensors f4", "[0,24]", "[0,25]", /found offsets 0 to 25/),
  reworded("safetensors f4", "[0,24]", "[24,0]", /found offsets 24 to 0/),
  reworded("safetensors f4", '"shape"', '"shapo"', /must have a dtype, a shape/),
  changed("safetensors bool", "a truth of 7", -1, [7], /every truth must be 0 or 1: value 5 is 7/),
];

const archives: Case[] = [
  // A bit of each array's values, of each head, of each compressed stream.
  ...[1, 2, 5, 9, 17, 24].map((back) =>
    changed("npz", `a bit ${back} bytes before the directory`, place(seed("npz"), DIRECTORY) - back, [
      seed("npz")[place(seed("npz"), DIRECTORY) - back] ^ 1,
    ], /entry "x.npy" has checksum [0-9a-f]{8} and must have [0-9a-f]{8}; save or copy it again/)
  ),
  ...[3, 8, 20, 40].map((back) =>
    changed(
      "npz compressed",
      `a bit ${back} bytes before the directory`,
      place(seed("npz compressed"), DIRECTORY) - back,
      [
        seed("npz compressed")[place(seed("npz compressed"), DIRECTORY) - back] ^ 16,
      ],
      /are damaged|has checksum|bytes it says|does not begin|its head|needs \d+ bytes|numbers or texts/,
    )
  ),
  field("npz", DIRECTORY, 16, [1, 2, 3, 4], /entry "labels.npy" has checksum/),
  field("npz", DIRECTORY, 0, [0], /its directory is damaged/),
  field("npz", DIRECTORY, 8, [1, 0], /entry "labels.npy" is encrypted; save it without a password/),
  field("npz", DIRECTORY, 10, [14, 0], /compressed by method 14/),
  field("npz", DIRECTORY, 10, [8, 0], /compressed bytes of entry "labels.npy" are damaged|it says/),
  field("npz", DIRECTORY, 20, int32(1e9), /entry "labels.npy" is cut off/),
  field("npz", DIRECTORY, 20, int32(10), /entry "labels.npy" has two sizes/),
  field("npz", DIRECTORY, 24, int32(10), /entry "labels.npy" has two sizes/),
  field("npz", DIRECTORY, 28, [255, 255], /its directory is damaged/),
  field("npz", DIRECTORY, 42, int32(1e9), /entry "labels.npy" is cut off/),
  field("npz", DIRECTORY, 42, int32(3), /the head of entry "labels.npy" is damaged/),
  field("npz", DIRECTORY, 42, int32(0xffffffff), /its directory is damaged/),
  field("npz", END, 10, [9, 0], /its directory is damaged/),
  field("npz", END, 12, int32(1e9), /its directory is damaged/),
  field("npz", END, 16, int32(1e9), /its directory is damaged/),
  field("npz", END, 16, int32(0xffffffff), /its directory is damaged/),
  field("npz", END, 0, [0], /it has no directory at its end/),
  field("npz", LOCAL, 0, [0], /begins like|the head of entry "labels.npy" is damaged/),
  field("npz", LOCAL, 26, [255, 255], /the head of entry "labels.npy" is damaged/),
  field("npz compressed", DIRECTORY, 24, int32(64), /"labels" of .* is cut off|holds|needs/),
  field("npz compressed", DIRECTORY, 24, int32(100_000), /needs 16 bytes|holds \d+ of the 100000 bytes/),
  field("npz zeros", DIRECTORY, 24, int32(4_000_127), /needs 4000000 bytes: it has 3999999/),
  field("npz zeros", DIRECTORY, 24, int32(2_000_000), /needs 4000000 bytes/),
  field("npz zeros", DIRECTORY, 20, int32(200), /damaged|bytes it says/),
];

/** Every seed that is read, cut in several places. */
const cut: Case[] = ["npy <f8", "npy <i8", "npy text", "npy version 3", "npz", "npz compressed", "safetensors f4"]
  .flatMap((name) =>
    [1, 4, 7, 11, 40, 100].flatMap((bytes): Case[] => {
      const all = seed(name);
      const shorter = (kept: Uint8Array, about: string): Case => ({
        about: `${name}, ${about}`,
        file: `x${ended(name)}`,
        bytes: kept,
        answer: name.startsWith("npz")
          ? /no directory at its end|directory is damaged|cut off|does not begin/
          : name.startsWith("npy")
          ? /does not begin like one|is cut off|needs \d+ bytes: it has \d+; it is cut off/
          : /it must hold (at least )?\d+ bytes: found \d+/,
      });
      return [
        ...bytes < all.length ? [shorter(all.subarray(0, bytes), `${bytes} bytes of it`)] : [],
        ...bytes < all.length ? [shorter(all.subarray(0, all.length - bytes), `without its last ${bytes}`)] : [],
      ];
    })
  );

/** Files with something behind their end, as a copy in text mode or a download leaves it. */
const longer: Case[] = [
  ["npy <f4", /it has 25; save one array per file/],
  ["npz", { labels, x: base }],
  ["safetensors f4", /it must hold \d+ bytes: found \d+/],
].map(([name, answer]): Case => ({
  about: `${name} with a line end behind it`,
  file: `x${ended(name as string)}`,
  bytes: Uint8Array.of(...seed(name as string), 10),
  answer: answer as Answer,
}));

/** A file whose every line end has become two bytes, as FTP in text mode does. */
const textMode: Case[] = ["npy <f8", "npz", "safetensors i8"].map((name) => {
  const bytes = [...seed(name)].flatMap((byte) => byte === 10 ? [13, 10] : [byte]);
  return {
    about: `${name} in text mode`,
    file: `x${ended(name)}`,
    bytes: Uint8Array.from(bytes),
    answer: /^Cannot read/,
  };
}).filter(({ bytes }, i) => bytes.length !== seed(["npy <f8", "npz", "safetensors i8"][i]).length);

const cases = [...direct, ...heads, ...archives, ...cut, ...longer, ...textMode];

async function answerOf(path: string): Promise<{ values: Record<string, ForeignArray> } | { refusal: string }> {
  try {
    const file = await openArrays(path);
    try {
      const values: [string, ForeignArray][] = [];
      for (const name of file.heads.keys()) values.push([name, await file.read(name)]);
      return { values: Object.fromEntries(values) };
    } finally {
      file.close();
    }
  } catch (error) {
    // Anything but a refusal is a defect and fails the test by its stack.
    if (!(error instanceof Refusal)) throw error;
    return { refusal: error.message };
  }
}

Deno.test("openArrays() gives one clear answer to each of more than 200 damaged or odd files of real tools", async (t) => {
  assert(cases.length >= 200, `${cases.length} files`);
  await inFolder(async (folder) => {
    for (const { about, file, bytes, answer } of cases) {
      await t.step(`${about} (${file})`, async () => {
        const path = join(folder, file);
        await Deno.writeFile(path, bytes);
        const found = await answerOf(path);
        if (answer instanceof RegExp) {
          assert("refusal" in found, `read: ${JSON.stringify(found)}`);
          const { refusal } = found;
          assertMatch(refusal, answer);
          assertMatch(refusal, /^Cannot read (array )?"/);
          assert(!refusal.includes("\n") && refusal.length < 400, refusal);
          for (const word of ["undefined", "NaN", "[object", "checkpoint", "function"]) {
            assert(!refusal.includes(word), refusal);
          }
        } else {
          assert("values" in found, `refused: ${(found as { refusal: string }).refusal}`);
          const plain = Object.entries(found.values).map(([name, { shape, data }]) => [
            name,
            { shape: [...shape], data: Array.from<unknown>(data) },
          ]);
          assertEquals(Object.fromEntries(plain), answer);
        }
      });
    }
  });
});

/** In development alone: a Python that has SciPy and h5py. */
const python = Deno.env.get("ARMLAB_PYTHON");
if (python === undefined) console.log("skipped: MATLAB's files converted as advised, as ARMLAB_PYTHON names no Python");
Deno.test({
  name: "MATLAB's files of versions 4, 5 and 7.3 are read once the line of Python is run that their refusal advises",
  ignore: python === undefined,
  fn: () =>
    inFolder(async (folder) => {
      for (const version of ["matlab 4", "matlab 5", "matlab 7.3"]) {
        const path = join(folder, `${version}.mat`);
        await Deno.writeFile(path, seed(version));
        const { refusal } = await answerOf(path) as { refusal: string };
        const line = /; convert it: python (-c .*)$/.exec(refusal)![1];
        const { success, stderr } = await new Deno.Command("sh", { args: ["-c", `"${python}" ${line}`] }).output();
        assert(success, new TextDecoder().decode(stderr));
        const { values } = await answerOf(`${path}.npz`) as { values: Record<string, ForeignArray> };
        assertEquals(Object.keys(values), ["x"]);
        assertEquals([...values.x.shape, ...values.x.data], [2, 3, 0, 1, 2, 3, 4, 5]);
      }
    }),
});

Deno.test("a damaged file says that it must be saved or copied again", async () => {
  await inFolder(async (folder) => {
    for (const name of ["npy <f8", "npz", "npz compressed"]) {
      const path = join(folder, `x${ended(name)}`);
      await Deno.writeFile(path, seed(name).subarray(0, -20));
      const found = await answerOf(path);
      assertMatch((found as { refusal: string }).refusal, again);
    }
  });
});

/** An archive of one deflated entry whose values are never written: its head is all that is read. */
function bomb(head: Uint8Array, size: number): Uint8Array {
  const values = new Uint8Array(1 << 20);
  values.set(head);
  const data = deflateRawSync(values);
  const name = new TextEncoder().encode("x.npy");
  const local = new Uint8Array(30 + name.length);
  const directory = new Uint8Array(46 + name.length);
  const end = new Uint8Array(22);
  local.set([...LOCAL, 20, 0, 0, 0, 8, 0]);
  directory.set([...DIRECTORY, 20, 0, 20, 0, 0, 0, 8, 0]);
  directory.set(int32(crc32(data)), 16);
  for (const [bytes, at] of [[local, 18], [directory, 20]] as const) {
    bytes.set([...int32(data.length), ...int32(size), ...int32(name.length)], at);
  }
  local.set(name, 30);
  directory.set(name, 46);
  end.set([...END, 0, 0, 0, 0, 1, 0, 1, 0, ...int32(directory.length), ...int32(local.length + data.length)]);
  return Uint8Array.of(...local, ...data, ...directory, ...end);
}

Deno.test("openArrays() refuses a small archive that would take 3 GB, by its heads, without taking the memory", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "bomb.npz");
    const head = seed("npy <f4").subarray(0, 128);
    const text = new TextDecoder("latin1").decode(head);
    head.set(new TextEncoder().encode("(750000000,), }"), text.indexOf("(2, 3), }"));
    await Deno.writeFile(path, bomb(head, 3_000_000_128));
    const before = Deno.memoryUsage().rss;
    const found = await answerOf(path);
    assertMatch(
      (found as { refusal: string }).refusal,
      /must take at most 2.1 GB of memory: they take 3.0 GB, of which "x" \[750000000\] 3.0 GB; save fewer rows/,
    );
    assert(Deno.memoryUsage().rss - before < 200e6);
  });
});

Deno.test("openArrays() of an archive that holds more than it says stops there, without taking the memory", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "liar.npz");
    // Says that it holds its head and 24 bytes; a megabyte of zeros comes out.
    await Deno.writeFile(path, bomb(seed("npy <f4").subarray(0, 128), 152));
    const found = await answerOf(path);
    assertMatch((found as { refusal: string }).refusal, /entry "x.npy" holds more than the 152 bytes it says/);
  });
});

Deno.test("openArrays() of a folder: arrays by file, nothing from outside it, no pipe, no other format", async () => {
  await inFolder(async (folder) => {
    const own = join(folder, "own");
    await Deno.mkdir(own);
    const says = async (path: string, text: RegExp) => {
      const found = await answerOf(path);
      assertMatch((found as { refusal: string }).refusal, text);
    };
    assertEquals(await answerOf(own), { values: {} });
    await Deno.writeFile(join(own, "labels.npy"), seed("npy <i4"));
    await Deno.writeFile(join(own, "notes.txt"), seed("text"));
    await Deno.writeFile(join(own, "._labels.npy"), seed("text"));
    await Deno.mkdir(join(own, "deeper.npy"));
    assertEquals(Object.keys(((await answerOf(own)) as { values: Record<string, unknown> }).values), ["labels"]);
    await Deno.symlink("labels.npy", join(own, "same.npy"));
    assertEquals(Object.keys(((await answerOf(own)) as { values: Record<string, unknown> }).values), [
      "labels",
      "same",
    ]);
    await Deno.writeFile(join(folder, "secret.npy"), seed("npy <i4"));
    await Deno.symlink("../secret.npy", join(own, "secret.npy"));
    await says(own, /secret.npy" as it must lie in the folder: it is a link out of it; copy the file itself/);
    await Deno.remove(join(own, "secret.npy"));
    await Deno.symlink("nowhere.npy", join(own, "z.npy"));
    await says(own, /z.npy" as it must exist: nothing is there/);
    await Deno.remove(join(own, "z.npy"));
    await Deno.writeFile(join(own, "z.npy"), seed("npz"));
    await says(own, /z.npy" as it must be a .npy array: it is another format/);
    await says(join(folder, "none"), /none" as it must exist: nothing is there; check the path/);
    await says(join(own, "labels.npy", "x"), /every part of its path must be a folder/);
    await says("\0", /must hold no zero byte/);
    await says("/dev/null", /it must be a file: found a pipe or a device/);
  });
});
