import { DTYPES, FormatError, formatShape, InputError, openCheckpoint, type Tensor } from "@isthmus/core";
import type { Tokens } from "./create-token-data-set.ts";
import { readDataFile } from "./read-data-file.ts";
import { readNpy } from "./read-npy.ts";
import { openNpz, storedNamesOf } from "./read-npz.ts";
import type { Split } from "./splits.ts";

/** Types of the numbers in a file that contains only numbers. */
export const TOKEN_WIDTHS = ["u16", "u32"] as const;

/** A type of numbers, see {@link TOKEN_WIDTHS}. */
export type TokenWidth = (typeof TOKEN_WIDTHS)[number];

/** A file of tokens, and settings for reading it. */
export interface TokensFile {
  /** Path of the file. */
  readonly file: string;
  /** Split, which decides between arrays that are named after splits. */
  readonly split: Split;
  /** Type of the numbers; undefined to detect it. */
  readonly width: TokenWidth | undefined;
}

/** Usual names of arrays of tokens. */
const NAMES: readonly string[] = ["tokens", "input_ids", "ids", "x"];

/** First number of files with a header, as in llm.c, by the type of the numbers after the header. */
const MAGIC: Readonly<Record<TokenWidth, number>> = { u16: 20240520, u32: 20240801 };
/** Bytes of that header: 256 integers, of which the third is the number of tokens. */
const HEADER_BYTES = 1024;

/** Number of bytes of a number. */
const BYTES: Readonly<Record<TokenWidth, number>> = { u16: 2, u32: 4 };

/** Largest vocabulary whose token ids are u16. */
const SHORT_IDS = 2 ** 16;

/**
 * Reads the token ids of a file: an array of integers of a `.npz`, `.npy` or `.safetensors` file, else plain
 * little-endian numbers, as nanoGPT writes them, or numbers after a header, as llm.c does. Without a header,
 * their type is the one in the name, else u16, or u32 if the vocabulary has more than 65,536 tokens.
 * @returns tokens one after the other, or a matrix `[n, length]` of examples
 * @throws InputError if the file or array does not exist, or the numbers seem to have another type
 * @throws FormatError if the file is damaged, or the array does not contain integers
 */
export async function readTokens(name: TokensFile, vocabularySize: number): Promise<Tokens | Tensor> {
  const { file } = name;
  const path = file.toLowerCase();
  if (path.endsWith(".npy")) return tokensOf(await readNpy(file), file);
  if (path.endsWith(".npz")) {
    const { names, read } = await openNpz(file);
    return tokensOf(await read(pickTokens(names, name)), file);
  }
  if (!path.endsWith(".safetensors")) return readNumbers(await readDataFile(file), name, vocabularySize);
  const checkpoint = await openCheckpoint(file);
  try {
    return tokensOf(await checkpoint.read(pickTokens([...checkpoint.tensors.keys()], name)), file);
  } finally {
    await checkpoint.close();
  }
}

/** Picks the array of tokens: one with a usual name, with or without the split, or the only array. */
function pickTokens(names: readonly string[], { file, split }: TokensFile): string {
  const stored = storedNamesOf(names, split);
  const usual = NAMES.find((name) => stored.has(name));
  const name = stored.get(usual ?? "") ?? (stored.size === 1 ? [...stored.values()][0] : undefined);
  if (name !== undefined) return name;
  throw new InputError(
    `Cannot find the tokens in "${file}" as one of its arrays must be named ${NAMES.join(", ")}, or there must be only one: it has ${names.join(", ") || "none"}`,
    { input: file },
  );
}

/** Converts an array of integers `[n]` to tokens; returns `[n, length]` as i64. */
function tokensOf({ dtype, shape, data }: Tensor, file: string): Tokens | Tensor {
  if (DTYPES[dtype].float || dtype === "bool" || shape.length < 1 || shape.length > 2) {
    throw new FormatError(
      `Cannot read "${file}" as tokens must be integers, one after the other or [N, length]: they are ${dtype} ${formatShape(shape)}`,
      { format: "data set" },
    );
  }
  if (shape.length === 2) {
    return { dtype: "i64", shape, data: BigInt64Array.from(data as Iterable<number>, (id) => BigInt(id)) };
  }
  if (data instanceof Uint16Array || data instanceof Uint32Array || data instanceof Int32Array) return data;
  // Ids of more than 32 bits are in no vocabulary: they become -1, which is refused when the data set is
  // made.
  return Int32Array.from(data as Iterable<number>, (id) => {
    const value = Number(id);
    return value === (value | 0) ? value : -1;
  });
}

/** Reads plain numbers, or numbers after a header. */
function readNumbers(bytes: Uint8Array, { file, width }: TokensFile, vocabularySize: number): Tokens {
  const header = readHeader(bytes);
  const type = width ?? header?.width ?? (vocabularySize > SHORT_IDS ? "u32" : "u16");
  const body = header === undefined ? bytes : bytes.subarray(HEADER_BYTES);
  const count = body.length / BYTES[type];
  if (!Number.isInteger(count) || (header !== undefined && header.count !== count)) {
    const claim = header === undefined ? "" : `, of which its header claims ${header.count}`;
    throw new FormatError(
      `Cannot read "${file}" as it must hold whole numbers of type ${type}${claim}: it has ${body.length} bytes of them`,
      { format: "tokens" },
    );
  }
  // The bytes are copied, as the numbers may begin at any byte.
  const { buffer } = body.slice();
  const tokens = type === "u16" ? new Uint16Array(buffer) : new Uint32Array(buffer);
  if (width === undefined && header === undefined && type === "u16") assertShort(tokens, file);
  return tokens;
}

function readHeader(bytes: Uint8Array): { readonly width: TokenWidth; readonly count: number } | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const width = TOKEN_WIDTHS.find((type) => view.getInt32(0, true) === MAGIC[type]);
  return width === undefined ? undefined : { width, count: view.getInt32(8, true) };
}

/** Number of numbers from which on it is no coincidence that every second one is 0. */
const ENOUGH = 16;

/** Checks that numbers are not the halves of wider numbers. @throws InputError if they seem to be */
function assertShort(tokens: Tokens, file: string): void {
  if (tokens.length < ENOUGH || tokens.some((id, place) => place % 2 === 1 && id !== 0)) return;
  throw new InputError(
    `Cannot read "${file}" as its numbers must be u16 unless its name says else: every second one is 0, as if they were u32; add ,u32 to the path, or ,u16 if they are u16`,
    { input: file },
  );
}
