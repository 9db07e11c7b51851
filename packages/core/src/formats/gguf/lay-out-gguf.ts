import { concatBytes, encodeUtf8 } from "@isthmus/platform";
import { InputError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { FileLayout, PlacedTensor, TensorEncoding } from "../../save/file-form.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { encodeMetadata, encodeText, encodeU32, encodeU64 } from "./encode-metadata.ts";
import type { EncodedTensor } from "./gguf-encoder.ts";
import { ALIGNMENT_KEY, DEFAULT_ALIGNMENT, storedBytes } from "./gguf-header.ts";
import type { GgufType } from "./gguf-types.ts";

/** Bytes of a GGUF file before its tensors, and the place and type of each tensor. */
export type GgufLayout = FileLayout<PlacedTensor & EncodedTensor>;

/** A tensor of a file that is to be written. */
export interface GgufTarget extends TensorInfo, TensorEncoding {
  /** Type by which the elements are encoded. */
  readonly type: GgufType;
}

/** Version of the format that is written. */
const VERSION = 3;

/**
 * Lays out a GGUF file of version 3: the bytes before its tensors, and the place of each tensor.
 * @throws InputError if metadata do not fit their types, or name an alignment that no file has
 */
export function layOutGguf(
  tensors: ReadonlyMap<string, GgufTarget>,
  metadata: Readonly<Record<string, string>>,
): GgufLayout {
  const alignment = Number(metadata[ALIGNMENT_KEY] ?? DEFAULT_ALIGNMENT);
  if (!Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    throw new InputError(
      `Cannot write a GGUF file as ${ALIGNMENT_KEY} must be a whole number from 1 to 2^20: it is ${metadata[ALIGNMENT_KEY]}`,
      { input: ALIGNMENT_KEY },
    );
  const aligned = (position: number): number => Math.ceil(position / alignment) * alignment;
  const { bytes, count } = encodeMetadata(metadata);
  const parts: Uint8Array[] = [encodeUtf8("GGUF"), encodeU32(VERSION), encodeU64(tensors.size)];
  parts.push(encodeU64(count), bytes);
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const [name, target] of tensors) {
    const { shape, number } = target;
    parts.push(encodeText(name), encodeU32(shape.length), ...shape.toReversed().map(encodeU64));
    parts.push(encodeU32(number), encodeU64(offset));
    offsets.set(name, offset);
    offset = aligned(offset + storedBytes(target));
  }
  const header = concatBytes(parts);
  const origin = aligned(header.length);
  const placed = new Map<string, PlacedTensor & EncodedTensor>();
  for (const [name, { dtype, shape, number, importance }] of tensors) {
    const begin = origin + entry(offsets, name, "tensor");
    placed.set(name, { dtype, shape, begin, encoding: { number, importance } });
  }
  return { header, tensors: placed, size: origin + offset };
}
