/** What a file is known by that is no checkpoint, or one that is not handled, and what to do about it. */
interface KnownStart {
  /** The first bytes, in Latin-1. */
  readonly start: string;
  readonly what: string;
}

const KNOWN: readonly KnownStart[] = [
  { start: "GGUF", what: "GGUF, which is not handled; convert it to safetensors" },
  {
    start: "\x89HDF",
    what: "HDF5, as Keras writes it, which is not handled; convert it to safetensors",
  },
  {
    start: "\x93NUMPY",
    what: "a NumPy array, which has no names; save named tensors as safetensors",
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

/** Bytes at the beginning that {@link recognizeFile} looks at. */
export const RECOGNIZED_BYTES = 64;

/**
 * Tells what a file is from its first bytes, as the end of a message that says that it is not what was
 * needed.
 * @param bytes - the first {@link RECOGNIZED_BYTES} bytes or more, or all of a shorter file
 * @returns undefined if it is nothing that is known
 */
export function recognizeFile(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, RECOGNIZED_BYTES);
  if (head.length === 0) return "empty";
  const latin = new TextDecoder("latin1").decode(head);
  const known = KNOWN.find(({ start }) => latin.startsWith(start));
  if (known !== undefined) return known.what;
  if (isSafetensors(head)) return "a safetensors checkpoint";
  if (isPickle(head)) return "a pickle, as torch.save wrote it before PyTorch 1.6";
  if (isOnnx(head)) return "an ONNX graph";
  return isText(head) ? "text" : undefined;
}

const BRACE = 0x7b;

/**
 * Looks for the length of a header in 8 bytes, of which real ones leave the last three empty, then the brace
 * of its JSON.
 */
function isSafetensors(head: Uint8Array): boolean {
  return head[8] === BRACE && head.subarray(5, 8).every((byte) => byte === 0);
}

/** Looks for a protocol of pickle and the first step of what PyTorch writes, a long integer. */
function isPickle(head: Uint8Array): boolean {
  return head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5 && head[2] === 0x8a;
}

/**
 * Looks for the version of the format, a small number, then the tag of one of the fields that may follow it
 * in a ModelProto.
 */
function isOnnx(head: Uint8Array): boolean {
  const [first, version = 0, next = 0] = head;
  return first === 0x08 && version > 0 && version < 64 && MODEL_TAGS.has(next);
}

/**
 * Tags of `producer_name` and its version, `domain`, `model_version`, `doc_string`, `graph`, `opset_import`,
 * `metadata_props`.
 */
const MODEL_TAGS: ReadonlySet<number> = new Set([0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]);

/** Looks for UTF-8 without control characters; a character that the head cuts off counts as whole. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells text from other bytes.
    return !/[\0-\x08\x0e-\x1f\x7f]/.test(text);
  } catch {
    return false;
  }
}
