import { FormatError, InputError, readJsonFile } from "@isthmus/core";
import { join, stat } from "@isthmus/platform";
import { type Encode, encodeInPieces } from "./encode-in-pieces.ts";

const TOKENIZER = "tokenizer.json";
const SETTINGS = "tokenizer_config.json";

/**
 * Opens the tokenizer of a model's folder, a `tokenizer.json` of Hugging Face form, with
 * `tokenizer_config.json` if there is one: byte-level BPE as in GPT-2 and Llama 3, BPE with byte fallback as
 * in Llama 2, WordPiece as in BERT, or Unigram as in T5. It uses the library `@huggingface/tokenizers`, and
 * adds no tokens around the text.
 *
 * @returns a function that encodes a text
 * @throws InputError if there is no `tokenizer.json`
 * @throws FormatError if the tokenizer cannot be read
 */
export async function openTokenizer(folder: string): Promise<Encode> {
  const path = join(folder, TOKENIZER);
  if (!(await isFile(path))) {
    throw new InputError(
      `Cannot encode a text for the model in "${folder}" as it must have a ${TOKENIZER}: there is none; save its tokenizer with the library transformers, or encode the text there and give the ids as tokens:FILE`,
      { input: path },
    );
  }
  const document = await readJsonFile(path);
  const settingsPath = join(folder, SETTINGS);
  const settings = (await isFile(settingsPath)) ? await readJsonFile(settingsPath) : {};
  // The library is loaded only here, as most runs encode no text.
  const { Tokenizer } = await import("@huggingface/tokenizers");
  try {
    const tokenizer = new Tokenizer(document as object, settings as object);
    const encode: Encode = (text) =>
      Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids);
    return (text) => encodeInPieces(encode, text);
  } catch (cause) {
    throw new FormatError(
      `Cannot read "${path}" as it must be a tokenizer of Hugging Face form: ${(cause as Error).message}`,
      { format: "tokenizer", cause },
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
