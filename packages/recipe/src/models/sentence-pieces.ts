import { readFileBytes } from "@isthmus/core";
import { compareBytes, join } from "@isthmus/platform";
import { exists, readExactJson, readPlainJson } from "./exact-json.ts";
import { isRecord } from "./model-parts.ts";

/** Names of SentencePiece files, whose tokens this package does not read. */
const PIECES = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"] as const;
/** Names of the files from which this package reads tokens. */
const READABLE = ["tokenizer.json", "vocab.json", "vocab.txt"] as const;
const MAX_PIECES_BYTES = 2 ** 26;

/** Finds the name of the SentencePiece file in a directory; undefined if it has none. */
export async function findPieces(directory: string): Promise<string | undefined> {
  for (const name of PIECES) if (await exists(join(directory, name))) return name;
  return undefined;
}

/** Checks whether the tokens of a directory are in a SentencePiece file only. */
export async function hasPiecesOnly(directory: string): Promise<boolean> {
  for (const name of READABLE) if (await exists(join(directory, name))) return false;
  return (await findPieces(directory)) !== undefined;
}

/**
 * Checks whether all directories have the same tokens with the same ids, without reading the tokens: the
 * SentencePiece files must be equal byte for byte, and added tokens must not contradict each other.
 */
export async function haveSamePieces(directories: readonly string[]): Promise<boolean> {
  const contents = await Promise.all(directories.map(readPieces));
  const [first, ...others] = contents;
  if (
    first === undefined ||
    !others.every((other) => other !== undefined && compareBytes(first, other) === 0)
  )
    return false;
  const tokens = new Map<number, string>();
  const ids = new Map<string, number>();
  for (const directory of directories) {
    for (const [content, id] of await readAddedTokens(directory)) {
      if ((tokens.get(id) ?? content) !== content || (ids.get(content) ?? id) !== id) return false;
      tokens.set(id, content);
      ids.set(content, id);
    }
  }
  return true;
}

async function readPieces(directory: string): Promise<Uint8Array | undefined> {
  const name = await findPieces(directory);
  return name === undefined ? undefined : readFileBytes(join(directory, name), MAX_PIECES_BYTES, directory);
}

/** Lists the added tokens that the files of a directory name, with their ids. */
async function readAddedTokens(directory: string): Promise<readonly (readonly [string, number])[]> {
  const older = Object.entries((await readExactJson(join(directory, "added_tokens.json"))) ?? {});
  const decoder = (await readExactJson(join(directory, "tokenizer_config.json")))?.["added_tokens_decoder"];
  const listed = (await readPlainJson(join(directory, "tokenizer.json")))?.["added_tokens"];
  const newer = isRecord(decoder)
    ? Object.entries(decoder).map(([id, token]) => [isRecord(token) ? token["content"] : token, Number(id)])
    : [];
  const listedTokens = (Array.isArray(listed) ? listed : [])
    .filter(isRecord)
    .map((token) => [token["content"], token["id"]]);
  return [...older, ...newer, ...listedTokens].filter(
    (pair): pair is [string, number] => typeof pair[0] === "string" && typeof pair[1] === "number",
  );
}
