/**
 * Texts as token ids, by a `tokenizer.json` of Hugging Face.
 *
 * @module
 */
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { Refusal } from "../../core/refusal.ts";

/** Texts to ids of one length. */
export interface Tokenizer {
  /** Number of ids: what an encoder's `vocabulary` must hold. */
  readonly vocabulary: number;
  /** The id that is no token: what an encoder's `padding` must be. */
  readonly padding: number;
  /**
   * Ids of a text. Longer ones lose tokens at their end, never the special ones around them (`[CLS]`, `[SEP]`); shorter
   * ones are filled up with `padding` behind.
   *
   * @param length Number of ids; must hold the special ones.
   */
  encode(text: string, length: number): Int32Array;
}

/** What is read of a `tokenizer.json`. */
interface TokenizerFile {
  readonly model?: { readonly type?: unknown; readonly vocab?: unknown };
  readonly added_tokens?: readonly { readonly id?: unknown; readonly content?: unknown }[];
  readonly padding?: { readonly pad_id?: unknown } | null;
}

/** Parts that a file may leave out. */
const absent = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

/** The library's tokenizer. @throws {Refusal} If a part of the file is of a kind that it does not know. */
function built(json: object, what: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(json, {});
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new Refusal({ what, must: "its parts must be of known kinds", found }, { cause: error });
  }
}

/** Names under which vocabularies keep what is no token. */
const paddingNames = ["[PAD]", "<pad>", "<|padding|>"];

/** Ids by token: the model's vocabulary and what was added to it. @throws {Refusal} If there is none, or the model is another. */
function vocabularyOf({ model, added_tokens: added = [] }: TokenizerFile, what: string): Map<string, number> {
  const refuse = (must: string, found: string, hint?: string) => new Refusal({ what, must, found, hint });
  const vocab = model?.vocab;
  if (typeof vocab !== "object" || vocab === null || Object.keys(vocab).length === 0) {
    throw refuse("it must have a vocabulary", "it has none", "save it by tokenizer.save_pretrained");
  }
  // Files of before types were written say it by what they have.
  const type = model?.type ?? ("merges" in model! ? "BPE" : "WordPiece");
  if ((type !== "WordPiece" && type !== "BPE") || Array.isArray(vocab)) {
    throw refuse("its model must be WordPiece or BPE", `found ${JSON.stringify(type)}`);
  }
  const ids = new Map<string, number>(Object.entries(vocab as Record<string, number>));
  for (const { content, id } of added) ids.set(String(content), id as number);
  const bad = [...ids].find(([, id]) => !Number.isInteger(id) || id < 0);
  if (bad !== undefined) {
    throw refuse("its ids must be whole numbers from 0", `${JSON.stringify(bad[0])} has ${bad[1]}`);
  }
  return ids;
}

/**
 * A tokenizer of a parsed `tokenizer.json`: WordPiece or (byte-level) BPE, with its own normaliser, splitter and special
 * tokens. Its own truncation and padding are left aside for those of `encode`.
 *
 * @param path Where it is from, for messages.
 * @throws {Refusal} If it has no vocabulary, is of another kind, or has no token for padding.
 */
export function tokenizerOf(json: unknown, path: string): Tokenizer {
  const what = `use tokenizer "${path}"`;
  if (typeof json !== "object" || json === null) {
    throw new Refusal({ what, must: "it must be a tokenizer.json", found: `found ${JSON.stringify(json)}` });
  }
  const file = json as TokenizerFile;
  const ids = vocabularyOf(file, what);
  const padding = file.padding?.pad_id ?? paddingNames.map((name) => ids.get(name)).find((id) => id !== undefined);
  if (typeof padding !== "number") {
    throw new Refusal({
      what,
      must: "it must have an id for padding",
      found: `none of ${paddingNames.join(", ")} is in its vocabulary`,
      hint: "add one before saving: tokenizer.add_special_tokens({'pad_token': '[PAD]'})",
    });
  }
  const tokenizer = built({ ...absent, ...json }, what);
  return {
    vocabulary: Math.max(...ids.values()) + 1,
    padding,
    encode(text, length) {
      const whole = tokenizer.encode(text).ids;
      const content = tokenizer.encode(text, { add_special_tokens: false }).ids;
      const special = whole.length - content.length;
      if (length < special || length < 1) {
        throw new Refusal({
          what: `encode a text in ${length} ids`,
          must: `they must hold the ${special} special tokens of "${path}"`,
          found: `found ${length}`,
        });
      }
      // Special tokens before the text are those before its own begin.
      const before = whole.findIndex((_, k) => content.every((id, i) => whole[k + i] === id));
      const kept = content.slice(0, length - special);
      const found = [...whole.slice(0, before), ...kept, ...whole.slice(before + content.length)];
      return Int32Array.from({ length }, (_, k) => found[k] ?? padding);
    },
  };
}

/** Reads a `tokenizer.json`. @throws {Refusal} If it is not there, no JSON, or no tokenizer of these kinds. */
export async function readTokenizer(path: string): Promise<Tokenizer> {
  const what = `use tokenizer "${path}"`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Refusal({ what, must: "it must exist", found: "nothing is there", hint: "name a tokenizer.json" });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Refusal({ what, must: "it must be JSON", found: (error as Error).message }, { cause: error });
  }
  return tokenizerOf(json, path);
}
