/**
 * Texts as the ids of a tokenizer that a pretrained encoder was trained with.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { didYouMean } from "../../core/suggest.ts";
import { Refusal } from "../../core/refusal.ts";
import { readTokenizer } from "../transforms/tokenize.ts";
import type { MediaValues } from "./media.ts";
import type { FilesModality, FilesSpec } from "./spec.ts";

/** Ids of a text that are read, special ones included. */
const MAX_TOKENS = 128;

/**
 * Texts as ids of one length: that of the longest text, or what `words` says. Longer ones lose tokens at their end; empty
 * ones are missing.
 *
 * @param root Folder that the tokenizer's path is relative to.
 * @throws {Refusal} If there is no such tokenizer, or 0 is not its padding, which datasets take for no token.
 */
export async function tokenizedTexts(
  { from, tokenizer: path, words: most = MAX_TOKENS }: FilesModality,
  given: readonly string[],
  root: string,
): Promise<MediaValues> {
  const full = resolve(root, path!);
  const tokenizer = await readTokenizer(full);
  if (tokenizer.padding !== 0) {
    throw new Refusal({
      what: `use tokenizer "${full}"`,
      must: "its padding must be id 0, as in BERT's vocabularies",
      found: `found ${tokenizer.padding}`,
      hint: "tokenize the texts yourself, with 0 for padding, and give the ids",
    });
  }
  const present = Uint8Array.from(given, (text) => text.trim() === "" ? 0 : 1);
  const encoded = given.map((text, n) => present[n] === 1 ? tokenizer.encode(text, most) : new Int32Array());
  const length = Math.max(1, ...encoded.map((ids) => ids.findLastIndex((id) => id !== 0) + 1));
  const data = new Int32Array(given.length * length);
  encoded.forEach((ids, n) => data.set(ids.subarray(0, length), n * length));
  const about = `tokens of ${from}, 0 is padding`;
  return {
    data,
    present,
    texts: given,
    read(text) {
      const ids = new Int32Array(length);
      ids.set(tokenizer.encode(text, length));
      return ids;
    },
    broken: [],
    info: { shape: [length], dtype: "int32", vocabulary: tokenizer.vocabulary, about },
  };
}

/** `text=tokenizer.json,title=other.json` by modality. @throws {Refusal} If a part is no pair, or names a modality twice. */
export function parseTokenizers(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const pair of text === "" ? [] : text.split(",")) {
    const equals = pair.indexOf("=");
    const [modality, path] = [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    if (equals < 1 || modality === "" || path === "" || Object.hasOwn(found, modality)) {
      throw new Refusal({
        what: `use tokenizer ${JSON.stringify(pair.slice(0, 80))}`,
        must: "it must name each modality once, with its file",
        hint: "write it as text=tokenizer.json",
      });
    }
    Object.defineProperty(found, modality, { value: path, enumerable: true });
  }
  return found;
}

/** A description with tokenizers for some of its texts. @throws {Refusal} If a modality is not there, or holds no texts. */
export function withTokenizers(spec: FilesSpec, tokenizers: Readonly<Record<string, string>>, root: string): FilesSpec {
  const modalities: Record<string, FilesModality> = { ...spec.modalities };
  for (const [name, path] of Object.entries(tokenizers)) {
    const own = Object.hasOwn(modalities, name) ? modalities[name] : undefined;
    if (own?.kind !== "text") {
      const texts = Object.keys(modalities).filter((other) => modalities[other].kind === "text");
      throw new Refusal({
        what: `use a tokenizer for "${name}"`,
        must: "it must be a modality of texts",
        found: own === undefined ? `those of texts are ${texts.join(", ") || "none"}` : `it is of kind ${own.kind}`,
        hint: own === undefined ? didYouMean(name, texts) : undefined,
      });
    }
    const inside = relative(root, path);
    modalities[name] = { ...own, tokenizer: inside.startsWith("..") ? path : inside };
  }
  return { ...spec, modalities };
}
