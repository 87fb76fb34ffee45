import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import { Refusal } from "../../core/refusal.ts";
import { corrupted } from "../../datasets/corruptions/corrupt.ts";
import { mistype } from "../../datasets/corruptions/values.ts";
import { files, inspect, parseTokenizers, readTokenizer, tokenizerOf } from "../../datasets/mod.ts";
import { inFolder } from "../helpers/cli.ts";

const added = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** As BERT's, with a vocabulary of nine. */
const wordPiece = {
  version: "1.0",
  added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(added),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, play: 4, "##ing": 5, a: 6, "!": 7, cafe: 8 },
  },
};

/** As GPT-2's: bytes, spaces as Ġ, two merges. */
const bytes = {
  added_tokens: [added("<pad>", 6)],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  model: {
    type: "BPE",
    vocab: { a: 0, b: 1, "Ġ": 2, ab: 3, "Ġab": 4, "Ã": 5 },
    merges: ["a b", "Ġ ab"],
  },
};

Deno.test("WordPiece: words in pieces, case and accents folded, special tokens around", () => {
  const tokenizer = tokenizerOf(wordPiece, "t");
  assertEquals([tokenizer.vocabulary, tokenizer.padding], [9, 0]);
  assertEquals([...tokenizer.encode("Playing a Café!", 8)], [2, 4, 5, 6, 8, 7, 3, 0]);
  assertEquals([...tokenizer.encode("unheard", 4)], [2, 1, 3, 0]);
});

Deno.test("a longer text loses its end and keeps its special tokens, a shorter one is filled up behind", () => {
  const tokenizer = tokenizerOf(wordPiece, "t");
  assertEquals([...tokenizer.encode("Playing a Café!", 5)], [2, 4, 5, 6, 3]);
  assertEquals([...tokenizer.encode("Playing a Café!", 2)], [2, 3]);
  assertEquals([...tokenizer.encode("", 4)], [2, 3, 0, 0]);
  assertThrows(
    () => tokenizer.encode("a", 1),
    Refusal,
    'Cannot encode a text in 1 ids as they must hold the 2 special tokens of "t": found 1',
  );
});

Deno.test("byte-level BPE: merges in their order, spaces part of words, its own padding", () => {
  const tokenizer = tokenizerOf(bytes, "t");
  assertEquals([tokenizer.vocabulary, tokenizer.padding], [7, 6]);
  assertEquals([...tokenizer.encode("ab ab ba", 7)], [3, 4, 2, 1, 0, 6, 6]);
  assertEquals([...tokenizer.encode("ab ab ba", 2)], [3, 4]);
});

Deno.test("what is no tokenizer of these kinds is one refusal each", async () => {
  const refused = (json: unknown, found: string) => assertThrows(() => tokenizerOf(json, "t"), Refusal, found);
  refused({ ...wordPiece, model: { ...wordPiece.model, vocab: {} } }, "it must have a vocabulary: it has none");
  refused({ ...wordPiece, model: undefined }, "it must have a vocabulary: it has none");
  refused({}, "it must have a vocabulary: it has none");
  refused(null, "it must be a tokenizer.json: found null");
  refused(
    { ...wordPiece, model: { ...wordPiece.model, type: "Unigram" } },
    'must be WordPiece or BPE: found "Unigram"',
  );
  refused({ ...bytes, model: { ...bytes.model, vocab: { a: -1 } } }, 'whole numbers from 0: "a" has -1');
  refused({ ...bytes, added_tokens: [] }, "it must have an id for padding");
  refused({ ...wordPiece, normalizer: { type: "Nobody" } }, "its parts must be of known kinds");
  await inFolder(async (folder) => {
    await assertRejects(() => readTokenizer(`${folder}/absent.json`), Refusal, "it must exist: nothing is there");
    await Deno.writeTextFile(`${folder}/t.json`, "{");
    await assertRejects(() => readTokenizer(`${folder}/t.json`), Refusal, "it must be JSON");
    await Deno.writeTextFile(`${folder}/t.json`, JSON.stringify(wordPiece));
    assertEquals((await readTokenizer(`${folder}/t.json`)).vocabulary, 9);
  });
});

Deno.test("a column of texts becomes the ids of a tokenizer that is named for it", async () => {
  await inFolder(async (folder) => {
    const texts = ["playing a", "a cafe!", "play", ""];
    const rows = Array.from(
      { length: 40 },
      (_, n) => `${n % 2 === 0 ? "x" : "y"},${texts[n % 4]} ${n % 4 === 3 ? "" : "a"},${n}`,
    );
    const path = `${folder}/list.csv`;
    await Deno.writeTextFile(path, ["label,text,size", ...rows].join("\n"));
    await Deno.writeTextFile(`${folder}/t.json`, JSON.stringify(wordPiece));
    await Deno.writeTextFile(`${folder}/other.json`, JSON.stringify(bytes));
    const named = { text: `${folder}/t.json` };
    const { dataset, json } = await inspect(path, false, named);
    const { shape, dtype, vocabulary } = dataset.modalities.text;
    // The longest is [CLS] play ##ing a a [SEP].
    assertEquals([shape, dtype, vocabulary], [[6], "int32", 9]);
    const { inputs, present, labels } = dataset.splits.train;
    const found = new Set(Array.from(labels, (_, n) => [...inputs.text.subarray(6 * n, 6 * n + 6)].join(" ")));
    assertEquals([...found].sort(), ["0 0 0 0 0 0", "2 4 5 6 6 3", "2 4 6 3 0 0", "2 6 8 7 6 3"]);
    // An empty text is missing; modalities stand in sorted order.
    labels.forEach((_, n) => assertEquals(present![2 * n + 1], inputs.text[6 * n] === 0 ? 0 : 1));
    assertEquals(JSON.parse(json).modalities.text.tokenizer, "t.json");
    // As the option of a dataset, and as the description says it, it is the same data.
    const option = await files.load({ path, tokenizers: `text=${folder}/t.json` });
    assertEquals(option.fingerprint, dataset.fingerprint);
    await Deno.writeTextFile(`${folder}/list.dataset.json`, json);
    assertEquals((await files.load({ path })).fingerprint, dataset.fingerprint);

    const refused = (tokenizers: Record<string, string>, words: string) =>
      assertRejects(() => inspect(path, false, tokenizers), Refusal, words);
    await refused({ size: named.text }, 'Cannot use a tokenizer for "size" as it must be a modality of texts');
    await refused({ texts: named.text }, "those of texts are text; did you mean");
    await refused({ text: `${folder}/other.json` }, "its padding must be id 0, as in BERT's vocabularies: found 6");
    await refused({ text: `${folder}/absent.json` }, "it must exist: nothing is there");
  });
  assertEquals(parseTokenizers("a=x.json,b=y.json"), { a: "x.json", b: "y.json" });
  for (const bad of ["x.json", "a=", "=x.json", "a=x,a=y"]) {
    assertThrows(() => parseTokenizers(bad), Refusal, "it must name each modality once, with its file");
  }
});

Deno.test("mistyped texts are read anew by the tokenizer that is named for them, in the same number of ids", async () => {
  await inFolder(async (folder) => {
    const texts = ["playing a cafe", "a play!", ""];
    const rows = Array.from({ length: 60 }, (_, n) => `${n % 2 === 0 ? "x" : "y"},${texts[n % 3]},${n}`);
    const path = `${folder}/list.csv`;
    await Deno.writeTextFile(path, ["label,text,size", ...rows].join("\n"));
    await Deno.writeTextFile(`${folder}/t.json`, JSON.stringify(wordPiece));
    const dataset = await files.load({ path, tokenizers: `text=${folder}/t.json` });
    const changed = async (severity: number) => {
      const corrupt = [{ modality: "text", name: "letter-typos", severity }];
      return (await corrupted(dataset, { corrupt, splits: ["test"], seed: 0 })).splits;
    };
    const { test } = dataset.splits;
    assertEquals((await changed(0)).test.inputs, test.inputs);
    const { test: { inputs: { text: found }, present }, train } = await changed(1);
    assertEquals(train, dataset.splits.train);
    assertEquals(present, test.present);
    const random = new Random(0).split("corrupt", "test");
    const tokenizer = tokenizerOf(wordPiece, "t");
    const kinds = new Set<string>();
    test.texts!.text.forEach((given, n) => {
      const own = [...found.subarray(6 * n, 6 * n + 6)];
      kinds.add(given);
      // What is missing stays so.
      if (given === "") return assertEquals(own, [0, 0, 0, 0, 0, 0]);
      const text = mistype(given, 1, random.split(n, "text", "letter-typos"));
      assertNotEquals(text, given);
      assertEquals(own, [...tokenizer.encode(text, 6)]);
      // A longer word, all letters of which are mistyped, is none of those that the tokenizer knows.
      assertEquals(own[0], 2);
      assert(own.includes(1), `${text}: ${own}`);
    });
    assertEquals([...kinds].sort(), ["", "a play!", "playing a cafe"]);
  });
});
