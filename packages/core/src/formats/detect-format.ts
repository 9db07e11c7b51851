import { InputError } from "../errors.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { decodeLatin1 } from "../io/decode-latin1.ts";
import { RECOGNIZED_BYTES, recognizeFile } from "./recognize.ts";
import { LEGACY_MAGIC } from "./torch/open-torch-legacy.ts";

/** Formats of a checkpoint in one file, and the index of one in several. */
export type FileFormat = "safetensors" | "torch-zip" | "torch-legacy" | "index";

const BRACE = 0x7b;

/** Advice for a graph that was given in place of weights. */
const SWAPPED = "an ONNX graph; give it as the graph (--graph), and name a file of weights here";

/**
 * Detects the format of a file from its first bytes, whatever its name.
 * @throws InputError if it is empty, or has no format that is handled.
 */
export async function detectFormat(source: ByteSource): Promise<FileFormat> {
  const { name, size } = source;
  if (size === 0) throw unknown(name, "it is empty");
  const head = await source.read(0, Math.min(RECOGNIZED_BYTES, size));
  const text = decodeLatin1(head);
  if (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06")) return "torch-zip";
  if (head[0] === 0x80 && startsWith(head.subarray(2), LEGACY_MAGIC)) return "torch-legacy";
  // The length of the header, then the brace of its JSON. An index begins with the brace itself.
  if (head[8] === BRACE && !/^\s*\{\s*"/.test(text)) return "safetensors";
  if (/^\s*\{/.test(text)) return "index";
  const otherFormat = recognizeFile(head);
  if (otherFormat !== undefined) {
    throw unknown(name, `it is ${otherFormat === "an ONNX graph" ? SWAPPED : otherFormat}`);
  }
  // Damaged or cut short: the reader of the format explains how.
  if (size < 8 || name.endsWith(".safetensors")) return "safetensors";
  throw unknown(name, `it begins with bytes ${hex(head.subarray(0, 8))}`);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function unknown(name: string, problem: string): InputError {
  return new InputError(
    `Cannot open "${name}" as a checkpoint must be safetensors (a file, an index or a folder) or a file of torch.save: ${problem}`,
    { input: name },
  );
}
