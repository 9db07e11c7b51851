/** Joins the parts of a pickle, text as Latin-1. */
export function pickle(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

/** Names a class or function, as GLOBAL does. */
export const global = (module: string, name: string): string => `c${module}\n${name}\n`;

/** Writes a string of at most 255 bytes. */
const short = (text: string): string => `\x8c${String.fromCharCode(text.length)}${text}`;

/** A storage of four bytes, as its persistent id. */
const STORAGE = `(${short("storage")}${global("torch", "FloatStorage")}${short("0")}${short("cpu")}K\x01tQ`;

const LIST_LENGTH = 100_000;
const COPIES = 1000;

/**
 * Keeps a function as value 0 and a long list as value 1, then calls the function with the list again and
 * again.
 */
const copyAgain = (name: string, item: string): Buffer =>
  pickle(
    `\x80\x02${name}q\x000]q\x01(`,
    item.repeat(LIST_LENGTH),
    "e0",
    "h\x00h\x01\x85R".repeat(COPIES),
    "N.",
  );

const ones = (rank: number): string => `(${"K\x01".repeat(rank)}t`;
const nest = (open: string, close: string, levels: number): Buffer =>
  pickle(`\x80\x02${open.repeat(levels)}N${close.repeat(levels)}.`);

/** Small pickles that would take memory, time or stack without end, if what they make were not counted. */
export const PICKLE_BOMBS: Readonly<Record<string, Buffer>> = {
  "dictionaries copied": pickle(
    `\x80\x02${global("collections", "OrderedDict")}q\x000}q\x01(`,
    ...Array.from({ length: 20_000 }, (_, i) => `M${String.fromCharCode(i & 255, i >> 8)}N`),
    "u0",
    "h\x00h\x01\x85R".repeat(COPIES),
    "N.",
  ),
  "pairs copied": copyAgain(global("collections", "OrderedDict"), "NN\x86"),
  "sets copied": copyAgain(global("builtins", "set"), "N"),
  "empty dictionaries": pickle("\x80\x02", "}".repeat(1_000_000), "."),
  "empty ordered dictionaries": pickle(
    `\x80\x02${global("collections", "OrderedDict")}q\x000`,
    "h\x00)R".repeat(300_000),
    ".",
  ),
  marks: pickle("\x80\x02", "(".repeat(1_000_000), "."),
  "tensors of many axes": pickle(
    `\x80\x02${global("torch._utils", "_rebuild_tensor_v2")}q\x000(${STORAGE}K\x00${ones(60)}${ones(60)}tq\x010`,
    "h\x00h\x01R".repeat(100_000),
    ".",
  ),
  "tensors rebuilt from rebuilt ones": pickle(
    `\x80\x02${global("torch._tensor", "_rebuild_from_type_v2")}q\x000`,
    `h\x00h\x00N`.repeat(20_000),
    "N",
    "\x87".repeat(20_000),
    "R.",
  ),
  "lists in lists": nest("(", "l", 40_000),
  "tuples in tuples": nest("", "\x85", 40_000),
  "dictionaries in dictionaries": nest("}K\x01", "s", 10_000),
};
