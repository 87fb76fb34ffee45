/** Every remedy that the source can say is followed by a test, or says why it cannot be. */
import { assert, assertEquals } from "@std/assert";
import { allHints } from "../helpers/hints.ts";

/** Tests that do nothing but follow remedies. */
const trials = [
  "tests/remedies/changed_test.ts",
  "tests/remedies/data_test.ts",
  "tests/remedies/machine_test.ts",
  "tests/remedies/parts_test.ts",
  "tests/remedies/rooms_test.ts",
  "tests/remedies/runs_test.ts",
  "tests/cli/remedies_test.ts",
  "tests/store/remedies_test.ts",
];

/** Remedies that tests of something else follow: they quote what is advised, and do it. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "tests/cli/merge_test.ts": ["concat, sum, decision and transfusion do; or take --by average"],
  "tests/datasets/bad_input_test.ts": [
    "name one so; cells of a table stand between commas, tabs, semicolons or bars",
    "write numbers with a decimal point, and nothing between thousands",
    "write plain numbers, and leave a cell empty (in JSON null) where nothing is",
    "pad them to one length; null or no value is a row that is not there",
    "take away what stands before the line of names",
    "write their paths as they lead from …",
    "put them there (class/sample.jpg, class/sample.wav), or name them in a table with a column label",
    "put media into folders of classes (class/sample.jpg), or name them in a table with a column label",
    "turn them around: train/class, test/class",
  ],
  "tests/datasets/media_test.ts": ["leave such samples out: --skip-broken"],
  "tests/datasets/film_test.ts": ["leave its cell empty if the sample lacks it"],
  "tests/encoders/pretrained_test.ts": [
    "set the encoder's width, depth, heads, patch or hidden to that of the weights",
  ],
  "tests/experiments/heap_test.ts": [
    "some part keeps what it made in earlier steps; DENO_V8_FLAGS=--max-old-space-size=MIB allows more",
  ],
  "tests/experiments/prepare_test.ts": ["name another folder by --to"],
  "tests/experiments/provenance_test.ts": ["run the same command again"],
  "tests/fusion/encoder_layers_test.ts": ["set layers=own"],
  "tests/fusion/products_test.ts": ["set a smaller projection, or take lmf"],
  "tests/sampling/samplers_test.ts": ["put the method that re-samples before it"],
  "tests/store/unite_test.ts": ["different processors round differently: remove the run from one of them"],
};

/** What is done outside of armlab, in another program: what it then writes is read by tests/formats/foreign_test.ts. */
const inAnotherProgram = [
  "save one array per file",
  'write a table in folders of values as one file, as pandas does by read_parquet(FOLDER).to_parquet("all.parquet")',
  "save each field as an array of its own",
  "save numbers, or texts by array.astype(str)",
  "save real and imaginary parts as two arrays",
  "save array.astype(numpy.float32), or each field as an array of its own",
  "save array.astype(str), or numbers",
  "save numbers",
  "save array.astype(numpy.float64)",
  "save float32",
  "save arrays by numpy.savez",
  "save tensors by safetensors.torch.save_file, or numpy.savez of tensor.numpy()",
  "export it as CSV",
  "the file is damaged or another format: export or copy it again",
  "save the model with save_as_external_data=False, or its weights as safetensors",
  // Done by tests/formats/foreign_test.ts where SciPy is.
  "convert it: python -c \"import numpy, scipy.io; numpy.savez('FILE.npz', **{k: v for k, v in " +
  "scipy.io.loadmat('FILE', squeeze_me=True).items() if k[0] != '_'})\"",
  "convert it: python -c \"import numpy, h5py; f = h5py.File('FILE'); numpy.savez('FILE.npz', " +
  "**{k: f[k][()].T for k in f if hasattr(f[k], 'shape')})\"",
  "unpack it first",
  "save arrays by numpy.savez, or a table as CSV",
  "fetch it: git lfs pull",
  "download the file anew",
  "convert it: ffmpeg -i IN OUT.wav",
  "convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav",
  'convert it: python -c "import torch; from safetensors.torch import save_file; ' +
  "save_file({k: v.contiguous().clone() for k, v in torch.load('…', map_location='cpu', weights_only=True).items()}, '…')\"",
  "save at most …",
  "save it without a password",
  "save it stored or deflated",
  "save it by tokenizer.save_pretrained",
  "tokenize the texts yourself, with 0 for padding, and give the ids",
  "a .pkl is unpacked by the lines in docs/datasets.md",
  "install it; it is then run as: …",
  "it was run as: …",
];

/** Remedies that no test follows, by why. */
const untried: Readonly<Record<string, readonly string[]>> = {
  "it is done in another program": inAnotherProgram,
  "it takes a file system that knows no locks": ["choose a local folder"],
};

const root = new URL("../../", import.meta.url);

/** The texts between quotes of a file. */
const literals = (path: string): string[] =>
  [
    ...Deno.readTextFileSync(new URL(path, root)).matchAll(
      /"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g,
    ),
  ]
    .map(([, ...found]) => found.find((text) => text !== undefined)!);

/** The longest part of a remedy that is the same whatever is filled in. */
const fixed = (hint: string) =>
  hint.split("…").map((part) => part.trim()).reduce((a, b) => b.length > a.length ? b : a);

/** Whether one of these texts quotes a remedy, or a good part of it. */
function quoted(hint: string, texts: readonly string[]): boolean {
  const piece = fixed(hint);
  const enough = (text: string) => text.includes(" ") && text.length >= Math.min(piece.length, 9);
  return texts.some((text) => text.includes(piece) || (enough(text) && piece.includes(text)));
}

Deno.test("every remedy is followed by a test, or cannot be, and says why", () => {
  const tried = trials.flatMap(literals);
  const known = new Set([...Object.values(elsewhere), ...Object.values(untried)].flat());
  const hints = allHints();
  const texts = new Set(hints.map(({ text }) => text));
  assert(texts.size > 150, `${texts.size} remedies were found`);
  const unfollowed = hints.filter(({ text }) => !known.has(text) && !quoted(text, tried));
  assertEquals(unfollowed.map(({ path, line, text }) => `${path}:${line} ${text}`), [], "no test follows these");
  assertEquals([...known].filter((text) => !texts.has(text)), [], "these are said nowhere any more");
  for (const [path, all] of Object.entries(elsewhere)) {
    const own = Deno.readTextFileSync(new URL(path, root));
    // Long lines are broken somewhere.
    assertEquals(all.filter((text) => !own.includes(fixed(text).slice(0, 20))), [], `${path} does not quote these`);
  }
});
