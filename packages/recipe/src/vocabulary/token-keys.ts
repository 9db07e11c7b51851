import { encodeUtf8 } from "@isthmus/platform";
import { isRecord } from "../models/model-parts.ts";
import type { Vocabulary } from "../models/read-vocabulary.ts";

/** The text of a token in a form that is the same for tokenizers of all kinds. */
export interface TokenKey {
  /** Bytes of the text in UTF-8, a character for each byte; special tokens begin with a mark. */
  readonly key: string;
  /** Whether the token stands for a byte that no other token has, such as `<0x0A>`. */
  readonly isByte: boolean;
}

/** Mark before the content of special tokens, which match no ordinary token. */
const SPECIAL = "special:";

/** Mark of the beginning of a word in the tokens of SentencePiece. */
const WORD_START = "\u2581";

/**
 * Reads the texts of all tokens of a vocabulary as bytes: tokens of byte-level BPE (`Ġthe`), of SentencePiece
 * (`▁the`, `<0x0A>`) and others with the same text get the same key, so that vocabularies of different kinds
 * can be matched.
 *
 * Differs from mergekit 0.1.5, which translates the mark of a word's beginning only: tokens with letters
 * beyond ASCII or line ends do not match there between byte-level BPE and SentencePiece.
 *
 * @returns keys by token
 */
export function keysOfTokens(vocabulary: Vocabulary): ReadonlyMap<string, TokenKey> {
  const { ids, added } = vocabulary;
  const style = styleOf(vocabulary);
  const addedTokens = new Map(added.map((token) => [token.content, token]));
  const keys = new Map<string, TokenKey>();
  for (const token of ids.keys()) {
    const addedToken = addedTokens.get(token);
    if (addedToken !== undefined) {
      keys.set(token, { key: `${addedToken.special ? SPECIAL : ""}${bytesOf(token)}`, isByte: false });
    } else keys.set(token, keyOfOrdinary(token, style));
  }
  return keys;
}

/**
 * Returns the bytes of a token as text.
 * @returns undefined if they are a part of a character only
 */
export function textOfKey({ key }: TokenKey): string | undefined {
  const content = key.startsWith(SPECIAL) ? key.slice(SPECIAL.length) : key;
  try {
    const bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Form in which a tokenizer writes its tokens. */
type TokenStyle = "bytes" | "pieces" | "plain";

function styleOf({ document, ids }: Vocabulary): TokenStyle {
  const parts = [document?.["decoder"], document?.["pre_tokenizer"]];
  if (parts.some((part) => hasPart(part, "ByteLevel"))) return "bytes";
  if (document === undefined && ids.has("Ġthe")) return "bytes";
  for (const token of ids.keys()) if (token.startsWith(WORD_START)) return "pieces";
  return "plain";
}

/** Number of levels of parts of a tokenizer, such as a sequence of decoders, that are searched. */
const MOST_LEVELS = 4;

function hasPart(part: unknown, type: string, level = 0): boolean {
  if (!isRecord(part) || level > MOST_LEVELS) return false;
  if (part["type"] === type) return true;
  const inner = [part["decoders"], part["pretokenizers"]].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  return inner.some((one) => hasPart(one, type, level + 1));
}

function keyOfOrdinary(token: string, style: TokenStyle): TokenKey {
  if (style === "bytes") {
    const bytes = Array.from(token, (character) => BYTES.get(character));
    // Tokens that were added by hand may have characters outside the table of bytes.
    if (bytes.every((byte) => byte !== undefined)) {
      return { key: String.fromCharCode(...bytes), isByte: false };
    }
  }
  const hex = style === "pieces" ? /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1] : undefined;
  if (hex !== undefined) return { key: String.fromCharCode(Number.parseInt(hex, 16)), isByte: true };
  return { key: bytesOf(style === "pieces" ? token.replaceAll(WORD_START, " ") : token), isByte: false };
}

function bytesOf(text: string): string {
  return Array.from(encodeUtf8(text), (byte) => String.fromCharCode(byte)).join("");
}

/** Bytes by the characters that byte-level BPE writes for them (Radford et al., GPT-2, 2019). */
const BYTES: ReadonlyMap<string, number> = createByteTable();

function createByteTable(): ReadonlyMap<string, number> {
  const isVisible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  const table = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    table.set(String.fromCharCode(isVisible(byte) ? byte : next++), byte);
  }
  return table;
}
