import { UnsupportedError, UsageError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { FileWriter } from "../../save/file-writer.ts";
import type { DType } from "../../tensor/dtype.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { ggufEncoder } from "./gguf-encoder.ts";
import { GGUF_ENCODINGS } from "./gguf-encodings.ts";
import { MAX_GGUF_RANK } from "./gguf-header.ts";
import { hasGgufMetadata } from "./gguf-metadata.ts";
import { GGUF_TYPES, ggufTypeOf } from "./gguf-types.ts";
import type { GgufLayout, GgufTarget } from "./lay-out-gguf.ts";
import { setEntries } from "./metadata-types.ts";

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

/** Writes a GGUF file from its beginning to its end. */
export async function writeGguf(layout: GgufLayout, writer: FileWriter): Promise<void> {
  const padTo = (position: number): Promise<void> =>
    writer.append(new Uint8Array(position - writer.position()));
  await writer.append(layout.header);
  for (const [name, tensor] of layout.tensors) {
    await padTo(tensor.begin);
    const { encode, ...stream } = await ggufEncoder(name, tensor);
    await writer.appendTensor({ name, ...stream }, encode);
  }
  await padTo(layout.size);
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
