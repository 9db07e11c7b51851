import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import { toFloat32 } from "../../tensor/convert.ts";
import type { DType, TensorData } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { keepLast } from "../keep-last.ts";
import type { QuantizationSettings } from "./quantization-settings.ts";

/** A weight that a checkpoint holds as codes of few bits, with what its numbers are computed from. */
export interface PackedWeight {
  /** Name that the weight has in the unquantised model. */
  readonly name: string;
  /** Name of the tensor of codes, in whose place the weight is listed. */
  readonly codes: string;
  /** Names of the other tensors that belong to the weight, such as scales; none of them is listed. */
  readonly parts: readonly string[];
  /** Element type, shape and form of the weight once it is read. */
  readonly info: TensorInfo;
  /** Fills `out` with the numbers of the weight from element `begin` on, in row-major order. */
  readonly fill: (begin: number, out: Float32Array) => Promise<void>;
}

/**
 * Finds the weights of one scheme of quantisation among the tensors of a checkpoint, and checks the shapes
 * and the types of all their parts.
 */
export type FindPackedWeights = (
  checkpoint: Checkpoint,
  settings: QuantizationSettings,
) => Promise<readonly PackedWeight[]>;

/** Types of the elements that weights have once they are read. */
export type NumberType = "bf16" | "f16" | "f32";

/** Returns a type that weights may have once they are read, and bf16 in place of any other type. */
export function numberTypeOf(dtype: string | undefined): NumberType {
  return dtype === "f16" || dtype === "f32" ? dtype : "bf16";
}

/** Type and shape that a part of a packed weight must have. */
export interface PartForm {
  /** Element types that the part may have. */
  readonly dtypes: readonly DType[];
  /** Extents that the part must have. @defaultValue undefined: any extents of `rank` */
  readonly shape?: readonly number[] | undefined;
  /** Number of extents that the part must have. @defaultValue undefined: any number */
  readonly rank?: number;
}

/** Element types of scales. */
export const FLOATS: readonly DType[] = ["f32", "f16", "bf16"];

/**
 * Returns the type and the shape of a part of a packed weight.
 * @throws FormatError if the checkpoint lacks the part, or the part has another type or shape
 */
export function checkPart(
  { tensors, source }: Checkpoint,
  name: string,
  { dtypes, shape, rank }: PartForm,
): TensorInfo {
  const form = `${dtypes.join(" or ")}${shape === undefined ? "" : ` ${formatShape(shape)}`}`;
  const info = tensors.get(name);
  const fits =
    info !== undefined &&
    dtypes.includes(info.dtype) &&
    (shape === undefined || String(shape) === String(info.shape)) &&
    (rank === undefined || rank === info.shape.length);
  if (fits) return info;
  const extents = rank === undefined || shape !== undefined ? "" : ` of ${rank} axes`;
  const state = info === undefined ? "it is missing" : `it is ${info.dtype} ${formatShape(info.shape)}`;
  throw damaged(source, `"${name}" must be ${form}${extents}: ${state}`);
}

/** Creates the error for parts of packed weights that contradict each other. */
export function damaged(source: string, problem: string): FormatError {
  return new FormatError(`Cannot read the quantised weights of "${source}" as ${problem}`, {
    format: "quantised weights",
  });
}

/** Creates the error for packed weights of a form that cannot be read. */
export function unsupported(source: string, feature: string, problem: string): UnsupportedError {
  return new UnsupportedError(`Cannot read the quantised weights of "${source}" as ${problem}`, { feature });
}

/** Reads whole parts of packed weights, and keeps the one that was read last. */
export function keepPart(checkpoint: Checkpoint): (name: string) => Promise<TensorData> {
  return keepLast(async (name) => (await checkpoint.read(name)).data);
}

/**
 * Reads tensors of scales as numbers, and keeps the one that was read last.
 * @returns a function that throws FormatError if a scale is infinite or not a number
 */
export function keepScales(checkpoint: Checkpoint): (name: string) => Promise<Float32Array> {
  const read = keepLast(async (name) => {
    const scales = toFloat32(await checkpoint.read(name).then(({ data }) => data), dtypeOf(checkpoint, name));
    const bad = scales.findIndex((scale) => !Number.isFinite(scale));
    if (bad < 0) return scales;
    throw damaged(
      checkpoint.source,
      `all numbers of "${name}" must be finite: number ${bad} is ${scales[bad]}`,
    );
  });
  return async (name) => (await read(name)) as Float32Array;
}

function dtypeOf({ tensors }: Checkpoint, name: string): DType {
  return entry(tensors, name, "tensor").dtype;
}
