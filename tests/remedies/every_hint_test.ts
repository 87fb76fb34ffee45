/** Every remedy that the source can say is followed by a test, or says why it cannot be. */
import { assert, assertEquals } from "@std/assert";
import { allHints } from "../helpers/hints.ts";

/** Tests that do nothing but follow remedies. */
const trials = [
  "tests/remedies/changed_test.ts",
  "tests/remedies/data_test.ts",
  "tests/remedies/foreign_test.ts",
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
  "tests/datasets/film_test.ts": [
    "install it; it is then run as: …",
    "leave its cell empty if the sample lacks it",
  ],
  "tests/datasets/sets/cmu_mosei_test.ts": ["a .pkl is unpacked by the lines in docs/datasets.md"],
  "tests/encoders/pretrained_test.ts": [
    "set the encoder's width, depth, heads, patch or hidden to that of the weights",
  ],
  "tests/experiments/heap_test.ts": [
    "some part keeps what it made in earlier steps; DENO_V8_FLAGS=--max-old-space-size=MIB allows more",
  ],
  "tests/experiments/prepare_test.ts": ["name another folder by --to"],
  "tests/experiments/provenance_test.ts": ["run the same command again"],
  "tests/formats/onnx_test.ts": [
    "save the model with save_as_external_data=False, or its weights as safetensors",
    "the file is damaged or another format: export or copy it again",
  ],
  "tests/fusion/encoder_layers_test.ts": ["set layers=own"],
  "tests/fusion/products_test.ts": ["set a smaller projection, or take lmf"],
  "tests/sampling/samplers_test.ts": ["put the method that re-samples before it"],
  "tests/store/unite_test.ts": ["different processors round differently: remove the run from one of them"],
};

/** Remedies that no test follows, by why. */
const untried: Readonly<Record<string, readonly string[]>> = {
  "it is Python, which tests/formats/foreign_test.ts runs as it is said where ARMLAB_PYTHON has SciPy and h5py": [
    "convert it: python -c \"import numpy, scipy.io; numpy.savez('FILE.npz', **{k: v for k, v in " +
    "scipy.io.loadmat('FILE', squeeze_me=True).items() if k[0] != '_'})\"",
    "convert it: python -c \"import numpy, h5py; f = h5py.File('FILE'); numpy.savez('FILE.npz', " +
    "**{k: f[k][()].T for k in f if hasattr(f[k], 'shape')})\"",
  ],
  "it is Python and takes PyTorch, which no test has; tests/remedies/foreign_test.ts reads what it writes": [
    'convert it: python -c "import torch; from safetensors.torch import save_file; ' +
    "save_file({k: v.contiguous().clone() for k, v in torch.load('…', map_location='cpu', weights_only=True).items()}, '…')\"",
  ],
  "it takes a file system that knows no locks": ["choose a local folder"],
  "it advises nothing": ["it was run as: …"],
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
