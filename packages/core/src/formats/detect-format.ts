import { decodeLatin1 } from "@isthmus/platform";
import { InputError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import type { FileFormat } from "./file-formats.ts";
import { HDF5_SIGNATURE } from "./hdf5/open-hdf5.ts";
import { LEGACY_MAGIC } from "./torch/open-torch-legacy.ts";

const BRACE = 0x7b;

/**
 * Detects the format of a file from its first bytes, rather than from its name; JSON counts as an index of
 * files.
 * @throws InputError if the file is empty, or has no supported format.
 */
export async function detectFormat(source: ByteSource): Promise<FileFormat | "index"> {
  const { name, size } = source;
  const head = await source.read(0, Math.min(RECOGNIZED_BYTES, size));
  const text = decodeLatin1(head);
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) return "zip";
  if (text.startsWith("GGUF")) return "gguf";
  if (text.startsWith(HDF5_SIGNATURE)) return "hdf5";
  if (head[0] === 0x80 && startsWith(head.subarray(2), LEGACY_MAGIC)) return "torch-legacy";
  // A safetensors file has the length of the header, then the brace of its JSON; an index begins with the
  // brace.
  if (head[8] === BRACE && !/^\s*\{\s*"/.test(text)) return "safetensors";
  if (/^\s*\{/.test(text)) return "index";
  if (isOnnx(head)) return "onnx";
  if (isMap(head)) return "flax";
  const otherFormat = recognizeFile(head);
  if (otherFormat !== undefined) throw unknown(name, `it is ${otherFormat}`);
  // The file is damaged or cut short: the reader of safetensors explains how.
  if (size < 8 || name.endsWith(".safetensors")) return "safetensors";
  throw unknown(name, `it begins with bytes ${hex(head.subarray(0, 8))}`);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function unknown(name: string, problem: string): InputError {
  return new InputError(
    `Cannot open "${name}" as a checkpoint must be safetensors (a file, an index or a folder), a file of torch.save, .npz, GGUF, ONNX, Flax, Keras, or a model.json: ${problem}`,
    { input: name },
  );
}

/** First bytes of files that are not supported as checkpoints, with a description and advice. */
interface KnownStart {
  /** The first bytes, in Latin-1. */
  readonly start: string;
  readonly what: string;
}

const KNOWN: readonly KnownStart[] = [
  { start: "GGUF", what: "a GGUF checkpoint" },
  {
    start: "\x89HDF",
    what: "HDF5, as Keras writes it",
  },
  {
    start: "\x93NUMPY",
    what: "a NumPy array, which has no names; save named arrays with numpy.savez",
  },
  { start: "\x1f\x8b", what: "compressed with gzip; decompress it first" },
  {
    start: "version https://git-lfs",
    what: "a pointer of Git LFS, not the file itself; fetch it with git lfs pull",
  },
  { start: "<!DOCTYPE", what: "a web page, not the file itself; download it again" },
  { start: "<html", what: "a web page, not the file itself; download it again" },
  { start: "PK\x03\x04", what: "a zip archive, as torch.save and NumPy write them" },
  { start: "PK\x05\x06", what: "an empty zip archive" },
];

/** Number of bytes at the beginning that {@link recognizeFile} reads. */
const RECOGNIZED_BYTES = 64;

/**
 * Recognizes the kind of a file from its first bytes, and returns a description for the end of a message
 * about a file of the wrong kind.
 * @param bytes - the first {@link RECOGNIZED_BYTES} bytes or more, or all bytes of a shorter file
 * @returns undefined if the kind is not recognized
 */
export function recognizeFile(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, RECOGNIZED_BYTES);
  if (head.length === 0) return "empty";
  const latin = decodeLatin1(head);
  const match = KNOWN.find(({ start }) => latin.startsWith(start));
  if (match !== undefined) return match.what;
  if (isSafetensors(head)) return "a safetensors checkpoint";
  if (isPickle(head)) return "a pickle, as torch.save wrote it before PyTorch 1.6";
  if (isOnnx(head)) return "an ONNX graph";
  return isText(head) ? "text" : undefined;
}

/**
 * Checks for 8 bytes with the length of a header, of which the last three are 0 in any real file, followed by
 * the brace of its JSON.
 */
function isSafetensors(head: Uint8Array): boolean {
  return head[8] === BRACE && head.subarray(5, 8).every((byte) => byte === 0);
}

/**
 * Checks for a pickle protocol followed by the first operation of PyTorch's files, which pushes a long
 * integer.
 */
function isPickle(head: Uint8Array): boolean {
  const [first, protocol = 0, operation] = head;
  return first === 0x80 && protocol >= 2 && protocol <= 5 && operation === 0x8a;
}

/**
 * Checks for the version of the format, a small number, followed by the tag of a field of a ModelProto that
 * may come next.
 */
function isOnnx(head: Uint8Array): boolean {
  const [first, version = 0, next = 0] = head;
  return first === 0x08 && version > 0 && version < 64 && MODEL_TAGS.has(next);
}

/** Checks for a dictionary of MessagePack whose first key is text, as Flax writes it. */
function isMap(head: Uint8Array): boolean {
  const [first = 0] = head;
  const [key = 0] = head.subarray(first === 0xde ? 3 : first === 0xdf ? 5 : 1);
  const isText = (key > 0xa0 && key < 0xc0) || (key >= 0xd9 && key <= 0xdb);
  return ((first > 0x80 && first < 0x90) || first === 0xde || first === 0xdf) && isText;
}

/**
 * Tags of `producer_name` and its version, `domain`, `model_version`, `doc_string`, `graph`, `opset_import`,
 * `metadata_props`.
 */
const MODEL_TAGS: ReadonlySet<number> = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

/** Checks for UTF-8 without control characters; the last character may be cut off by the end of the bytes. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: text has none of them, other bytes have.
    return !/[\0-\x08\x0e-\x1f\x7f]/.test(text);
  } catch {
    return false;
  }
}
