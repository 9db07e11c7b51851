import { FormatError, readJsonFile } from "@isthmus/core";
import { join, stat } from "@isthmus/platform";

/** Files and tables by which texts of a model become token ids; both are absent if none were found. */
export interface TextEncoding {
  /** Token ids by character, if the model's tokens are characters. */
  readonly vocabulary?: ReadonlyMap<string, number>;
  /** Folder of another kind of tokenizer of the model; absent if there is none. */
  readonly tokenizerFolder?: string;
}

/** Names of files that describe a model's tokenizer. */
const TOKENIZERS: readonly string[] = [
  "tokenizer.json",
  "tokenizer.model",
  "vocab.txt",
  "merges.txt",
  "vocab.json",
];

/** Pattern of special tokens, which represent no text, such as `<pad>` and `[UNK]`. */
const SPECIAL = /^[<[].+[>\]]$/;

/**
 * Reads the encoding of a model's texts: from its `vocab.json` if all tokens except special ones are single
 * characters.
 * @throws FormatError if that file is not a JSON object of token ids
 */
export async function readTextEncoding(folder: string): Promise<TextEncoding> {
  const vocabulary = await readVocabulary(join(folder, "vocab.json"));
  const characters = vocabulary && [...vocabulary].filter(([token]) => !SPECIAL.test(token));
  if (
    characters !== undefined &&
    characters.length > 0 &&
    characters.every(([token]) => isCharacter(token))
  ) {
    return { vocabulary: new Map(characters) };
  }
  const tokenizers = await Promise.all(
    TOKENIZERS.map((name) => stat(join(folder, name)).catch(() => undefined)),
  );
  return tokenizers.some((stats) => stats?.isFile()) ? { tokenizerFolder: folder } : {};
}

function isCharacter(token: string): boolean {
  const [first] = token;
  return first !== undefined && first.length === token.length;
}

async function readVocabulary(path: string): Promise<ReadonlyMap<string, number> | undefined> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  const parsed = await readJsonFile(path);
  const entries = typeof parsed === "object" && parsed !== null ? Object.entries(parsed) : [];
  const wrong = entries.find(([, id]) => !(Number.isSafeInteger(id) && id >= 0));
  if (wrong !== undefined)
    throw wrongVocabulary(path, `${JSON.stringify(wrong[0])} is ${JSON.stringify(wrong[1])}`);
  return new Map(entries);
}

function wrongVocabulary(path: string, value: string): FormatError {
  return new FormatError(`Cannot read "${path}" as it must be a JSON object of token ids: ${value}`, {
    format: "vocabulary",
  });
}
