import { basename, createHash, dirname } from "@isthmus/platform";
import { InputError, OutOfRangeError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import { MAX_SHARDS } from "../../io/limits.ts";
import type { FileForm } from "../../save/file-form.ts";
import { isDirectory, type OutputPlace, shardPaths } from "../../save/output-paths.ts";
import { planShards } from "../../save/safetensors-form.ts";
import type { DType } from "../../tensor/dtype.ts";
import { type GgufEncoding, isGgufEncoding } from "./gguf-encodings.ts";
import { ALIGNMENT_KEY, storedBytes } from "./gguf-header.ts";
import { withoutSplit, withSplit } from "./gguf-shards.ts";
import { type GgufLayout, type GgufTarget, layOutGguf } from "./lay-out-gguf.ts";
import { setEntries } from "./metadata-types.ts";
import { planQuantized } from "./plan-quantized.ts";
import type { Importance } from "./read-importance.ts";
import { ggufTarget, withFileType } from "./write-gguf.ts";

/** Options of {@link ggufForm}. */
export interface GgufFormOptions {
  /**
   * Element type of all floating-point tensors, or a quantised encoding such as `q4_k_m`.
   * @defaultValue the types of the input, if GGUF has them
   */
  readonly dtype?: DType | GgufEncoding | undefined;
  /** Importance of columns, for a quantised encoding. @defaultValue all columns count as much */
  readonly importance?: Importance | undefined;
  /**
   * Called once with a sentence for each thing that is not as the encoding asks. @defaultValue not told
   */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Returns the form of GGUF files: one file, or shards as `llama-gguf-split` makes them, the first of which
 * has the metadata.
 */
export function ggufForm({ dtype, importance, onNote }: GgufFormOptions = {}): FileForm<GgufLayout> {
  let tell = onNote;
  return {
    identity: `GGUF, ${dtype ?? "as it is"}, ${importance === undefined ? "" : digestOf(importance)}`,
    placeOf: placeOfGguf,
    layOut(infos, place, { metadata: stored, maxShardBytes }) {
      const ofNetwork = withoutSplit(stored);
      const quantized = isGgufEncoding(dtype)
        ? planQuantized(infos, ofNetwork, { encoding: dtype, importance, onNote: tell })
        : undefined;
      tell = undefined;
      const targets = quantized?.tensors ?? new Map<string, GgufTarget>();
      if (!isGgufEncoding(dtype))
        for (const [name, info] of infos) targets.set(name, ggufTarget(name, info, dtype));
      const metadata = withFileType(quantized?.metadata ?? ofNetwork, targets, quantized?.fileType);
      const bytesOf = (name: string): number => storedBytes(entry(targets, name, "tensor"));
      const parts = planShards(targets, maxShardBytes, bytesOf);
      const paths = shardPaths(place, assertCount(parts.length, place));
      const alignment = setEntries({}, "u32", { [ALIGNMENT_KEY]: metadata[ALIGNMENT_KEY] });
      const shards = paths.map((path, number) => {
        const tensors = new Map(
          [...at(parts, number, "shard").keys()].map((name) => [name, entry(targets, name, "tensor")]),
        );
        const split = { number, count: parts.length, tensors: targets.size };
        return { path, layout: layOutGguf(tensors, withSplit(number === 0 ? metadata : alignment, split)) };
      });
      return { shards, index: undefined };
    },
  };
}

async function placeOfGguf(path: string): Promise<OutputPlace> {
  if (await isDirectory(path))
    throw new InputError(`Cannot save to "${path}" as it must be a file: it is a folder`, { input: path });
  const [extension = ""] = /\.gguf$/i.exec(path) ?? [];
  return { folder: dirname(path), stem: basename(path, extension), extension };
}

/**
 * Checks the number of shards, and that others find them by their names.
 * @throws OutOfRangeError if there are too many
 * @throws InputError if their names would not end in .gguf
 */
function assertCount(count: number, { stem, extension }: OutputPlace): number {
  if (count > MAX_SHARDS)
    throw new OutOfRangeError(
      `Cannot write "${stem}${extension}" as there may be ${MAX_SHARDS} shards: there would be ${count}; allow larger ones`,
    );
  if (count === 1 || extension === ".gguf") return count;
  throw new InputError(
    `Cannot write "${stem}${extension}" in ${count} shards as names of GGUF shards must end in .gguf, by which programs find them: name a file ending so`,
    { input: stem },
  );
}

/** Computes a digest of the numbers of an importance matrix, which decide how blocks are rounded. */
function digestOf({ columns, ...origin }: Importance): string {
  const hash = createHash("sha256").update(JSON.stringify(origin));
  for (const [name, numbers] of columns) hash.update(name).update(new Uint8Array(numbers.buffer));
  return hash.digest("hex");
}
