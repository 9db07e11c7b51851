import { concatBytes, encodeUtf8 } from "@isthmus/platform";
import { InputError, UnsupportedError, UsageError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { FileWriter } from "../../save/file-writer.ts";
import type { DType } from "../../tensor/dtype.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { type TensorInfo, viewBytes } from "../../tensor/tensor.ts";
import { encodeMetadata, encodeText, encodeU32, encodeU64 } from "./encode-metadata.ts";
import { GGUF_ENCODINGS } from "./gguf-encodings.ts";
import { ALIGNMENT_KEY, DEFAULT_ALIGNMENT, MAX_GGUF_RANK, storedBytes } from "./gguf-header.ts";
import { hasGgufMetadata } from "./gguf-metadata.ts";
import { GGUF_TYPES, type GgufType, ggufTypeOf } from "./gguf-types.ts";
import { setEntries } from "./metadata-types.ts";

/** Version of the format that is written. */
const VERSION = 3;

/** Types that hold all values of types which GGUF lacks. */
const WIDER: Readonly<Partial<Record<DType, DType>>> = {
  bool: "i8",
  u8: "i16",
  u16: "i32",
  u32: "i64",
  f8e4m3: "f16",
  f8e5m2: "f16",
};

/** Numbers of types that are written without conversion, by element type. */
const NUMBER_OF: ReadonlyMap<DType, number> = new Map(
  [...GGUF_TYPES]
    .filter(([, { decoder }]) => decoder === undefined)
    .map(([number, { dtype }]) => [dtype, number]),
);

/** Types of floats that GGUF has; networks with others get wider ones, unless they are asked for. */
const GGUF_FLOATS: readonly DType[] = [...NUMBER_OF.keys()].filter((dtype) => DTYPES[dtype].float);

/**
 * Checks that GGUF has the element type that is asked for.
 * @throws UsageError if not; the message lists the types and encodings
 */
export function assertGgufFloat(output: string, dtype: DType): void {
  if (GGUF_FLOATS.includes(dtype)) return;
  throw new UsageError(
    `Cannot write "${output}" as GGUF must have the element type: it has no ${dtype}; choose one of ${[...GGUF_FLOATS, ...GGUF_ENCODINGS].join(", ")}`,
  );
}

/** Metadata keys by which llama.cpp shows the type of most tensors of a file, and the layout of blocks. */
const FILE_TYPE_KEY = "general.file_type";
const LAYOUT_KEY = "general.quantization_version";

/** Version of the layout of blocks, which has not changed since 2023. */
const LAYOUT = "2";

/** Numbers of files whose tensors are floats of one type, by that type. */
const FILE_TYPES: ReadonlyMap<string, number> = new Map([
  ["F32", 0],
  ["F16", 1],
  ["BF16", 32],
]);

/** A tensor of a file that is to be written. */
export interface GgufTarget extends TensorInfo {
  /** Number of the type in GGUF, such as 8 for Q8_0. */
  readonly number: number;
  /** Type by which the elements are encoded. */
  readonly type: GgufType;
  /** Weight of each column of each matrix for the rounding, `[matrices * columns]`; undefined without. */
  readonly importance?: Float32Array | undefined;
}

/**
 * Chooses how a tensor is stored in a GGUF file.
 *
 * Floats are converted to `target` if it is set; with a narrower one than f32, tensors of one axis or none,
 * which llama.cpp needs in f32, become f32. Types that GGUF lacks become a wider one.
 * @param target - element type, or number of a quantised type in a file
 * @throws UnsupportedError if the tensor has more than 4 axes, or 64-bit integers without sign
 */
export function ggufTarget(
  name: string,
  { dtype, shape }: TensorInfo,
  target: DType | number | undefined,
): GgufTarget {
  if (shape.length > MAX_GGUF_RANK) {
    throw new UnsupportedError(
      `Cannot write "${name}" as a tensor in GGUF may have ${MAX_GGUF_RANK} axes: it is ${formatShape(shape)}`,
      { feature: `rank ${shape.length} in GGUF` },
    );
  }
  const number = numberOf(name, { dtype, shape }, target);
  const type = ggufTypeOf(number);
  return { number, type, dtype: type.dtype, shape };
}

function numberOf(name: string, info: TensorInfo, target: DType | number | undefined): number {
  const isFloat = DTYPES[info.dtype].float;
  const type = target === undefined || !isFloat ? info.dtype : floatType(info, target);
  if (typeof type === "number") return type;
  const number = NUMBER_OF.get(WIDER[type] ?? type);
  if (number !== undefined) return number;
  throw new UnsupportedError(
    `Cannot write "${name}" as GGUF has no type for its elements: they are ${info.dtype}; write safetensors or npz`,
    { feature: `${info.dtype} in GGUF` },
  );
}

function floatType({ shape }: TensorInfo, target: DType | number): DType | number {
  return target === "f32" || target === "f64" || shape.length >= 2 ? target : "f32";
}

/** Estimates the size of a GGUF file in bytes. */
export function ggufBytes(
  tensors: ReadonlyMap<string, GgufTarget>,
  metadata: Readonly<Record<string, string>>,
): number {
  let bytes = 64;
  for (const [key, text] of Object.entries(metadata)) bytes += 24 + 3 * (key.length + text.length);
  for (const [name, target] of tensors)
    bytes += 64 + 3 * name.length + storedBytes(target) + DEFAULT_ALIGNMENT;
  return bytes;
}

/**
 * Writes tensors and metadata as a GGUF file of version 3.
 * @throws InputError if a number is too large for the scales of blocks, or metadata do not fit their types
 */
export async function writeGguf(
  tensors: ReadonlyMap<string, GgufTarget>,
  metadata: Readonly<Record<string, string>>,
  writer: FileWriter,
): Promise<void> {
  const alignment = Number(metadata[ALIGNMENT_KEY] ?? DEFAULT_ALIGNMENT);
  if (!Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    throw new InputError(
      `Cannot write a GGUF file as ${ALIGNMENT_KEY} must be a whole number from 1 to 2^20: it is ${metadata[ALIGNMENT_KEY]}`,
      { input: ALIGNMENT_KEY },
    );
  const pad = (): Promise<void> =>
    writer.append(new Uint8Array((alignment - (writer.position() % alignment)) % alignment));
  await writer.append(encodeHeader(tensors, metadata, alignment));
  await pad();
  for (const [name, target] of tensors) {
    const { dtype } = target;
    if (target.type.decoder === undefined) await writer.appendTensor({ name, dtype }, viewBytes);
    else await appendBlocks(name, target, writer);
    await pad();
  }
}

/** Writes a tensor as quantised blocks; with importance, which is by columns, whole rows at a time. */
async function appendBlocks(name: string, target: GgufTarget, writer: FileWriter): Promise<void> {
  const { dtype, type, number, shape, importance } = target;
  const { quantizeRows } = await import("./kernels/quantize-rows.ts");
  const columns = shape.at(-1) ?? 1;
  const matrix = columns * (shape.at(-2) ?? 1);
  let done = 0;
  // A range has rows of one matrix alone, as each matrix of a stack has an importance of its own.
  const range = importance && { unit: columns, within: matrix };
  await writer.appendTensor({ name, dtype, ...(range && { range }) }, (data) => {
    const first = Math.floor(done / matrix) * columns;
    done += data.length;
    const ofColumns = importance?.subarray(first, first + columns);
    const blocks = quantizeRows({ number, type, columns, data: data as Float32Array, importance: ofColumns });
    if (blocks !== undefined) return blocks;
    throw new InputError(
      `Cannot write "${name}" as ${type.name.toLowerCase()} as its numbers must be finite, and small enough for scales of 16 bits, below 5e5: some are not; choose f32 or bf16`,
      { input: name },
    );
  });
}

function encodeHeader(
  tensors: ReadonlyMap<string, GgufTarget>,
  metadata: Readonly<Record<string, string>>,
  alignment: number,
): Uint8Array {
  const { bytes, count } = encodeMetadata(metadata);
  const parts: Uint8Array[] = [
    encodeUtf8("GGUF"),
    encodeU32(VERSION),
    encodeU64(tensors.size),
    encodeU64(count),
    bytes,
  ];
  let offset = 0;
  for (const [name, target] of tensors) {
    const { shape, number } = target;
    parts.push(encodeText(name), encodeU32(shape.length), ...shape.toReversed().map(encodeU64));
    parts.push(encodeU32(number), encodeU64(offset));
    offset = Math.ceil((offset + storedBytes(target)) / alignment) * alignment;
  }
  return concatBytes(parts);
}

/**
 * Returns the metadata of a file with these tensors: entries of llama.cpp that state the type of most
 * numbers are corrected, other metadata are unchanged.
 * @param fileType - number of an encoding; undefined for a file of floats
 */
export function withFileType(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, GgufTarget>,
  fileType: number | undefined,
): Readonly<Record<string, string>> {
  if (!hasGgufMetadata(metadata)) return metadata;
  const counts = new Map<string, number>();
  for (const { type, shape } of tensors.values())
    counts.set(type.name, (counts.get(type.name) ?? 0) + sizeOf(shape));
  const [most] = [...counts.keys()].sort((a, b) => entry(counts, b, "type") - entry(counts, a, "type"));
  const number = fileType ?? (metadata[FILE_TYPE_KEY] && FILE_TYPES.get(most ?? ""));
  const numbers = {
    ...(typeof number === "number" && { [FILE_TYPE_KEY]: String(number) }),
    ...(fileType !== undefined && { [LAYOUT_KEY]: LAYOUT }),
  };
  return setEntries(metadata, "u32", numbers);
}
