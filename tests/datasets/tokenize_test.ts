import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { readTokenizer, tokenizerOf } from "../../datasets/mod.ts";
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
