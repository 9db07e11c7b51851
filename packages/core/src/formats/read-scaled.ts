import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../checkpoint/define-checkpoint.ts";
import { UnsupportedError } from "../errors.ts";
import { entry } from "../invariant.ts";
import { convertInto, fromFloat32Into, toFloat32 } from "../tensor/convert.ts";
import type { TensorData } from "../tensor/dtype.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { allocateData, type TensorInfo } from "../tensor/tensor.ts";
import { keepLast } from "./keep-last.ts";
import { scaleRows } from "./kernels/scale-rows.ts";

/** Suffixes that turn the name of a tensor of 8-bit floats into the name of its tensor of scales. */
const SCALES = ["_scale_inv", "_scale"] as const;

/** Number of rows and columns of a block that shares a scale. */
const BLOCK = 128;

/** Number of elements that are multiplied at once. */
const RANGE = 65_536;

/** Scaling of a tensor of 8-bit floats: one scale for each block of rows and columns. */
interface Scaling {
  /** Name of the tensor of scales. */
  readonly name: string;
  readonly rowsPerScale: number;
  readonly columnsPerScale: number;
}

/**
 * Returns a checkpoint in which 8-bit floats with scales are dequantised to bf16: each stored float times its
 * scale.
 *
 * The scales of `x.weight` are in `x.weight_scale_inv` (DeepSeek, which multiplies by it in spite of its
 * name) or `x.weight_scale` (compressed-tensors), one for the tensor, for each row, or for each block of 128
 * x 128; the result does not contain the scales as tensors. All other tensors are unchanged. A checkpoint
 * without scales is returned itself.
 * @param checkpoint - checkpoint to read from; the result owns and closes it
 * @throws UnsupportedError if the scales have another shape
 * @see https://github.com/deepseek-ai/DeepSeek-V3, `inference/fp8_cast_bf16.py`
 */
export function readScaled(checkpoint: Checkpoint): Checkpoint {
  const scalings = findScalings(checkpoint);
  if (scalings.size === 0) return checkpoint;
  const scaleNames = new Set([...scalings.values()].map(({ name }) => name));
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    if (scaleNames.has(name)) continue;
    const stored = `${info.dtype} with scales`;
    tensors.set(name, scalings.has(name) ? { dtype: "bf16", shape: info.shape, stored } : info);
  }
  const readScales = keepLast(async (name) => {
    const { data, dtype } = await checkpoint.read(name);
    return toFloat32(data, dtype);
  });
  return defineCheckpoint({
    source: checkpoint.source,
    tensors,
    metadata: checkpoint.metadata,
    files: checkpoint.files,
    async readInto(name, begin, out) {
      const scaling = scalings.get(name);
      if (scaling === undefined) return checkpoint.readRangeInto(name, begin, out);
      const scales = (await readScales(scaling.name)) as Float32Array;
      for (let at = 0; at < out.length; at += RANGE) {
        const part = out.subarray(at, at + RANGE);
        await readPart(checkpoint, { name, begin: begin + at, scaling, scales }, part);
      }
    },
    close: () => checkpoint.close(),
  });
}

interface ScaledRange {
  readonly name: string;
  readonly begin: number;
  readonly scaling: Scaling;
  readonly scales: Float32Array;
}

async function readPart(
  checkpoint: Checkpoint,
  { name, begin, scaling, scales }: ScaledRange,
  out: TensorData,
): Promise<void> {
  const { dtype, shape } = entry(checkpoint.tensors, name, "tensor");
  const stored = allocateData(dtype, out.length);
  await checkpoint.readRangeInto(name, begin, stored);
  const numbers = new Float32Array(out.length);
  convertInto({ dtype, data: stored }, { dtype: "f32", data: numbers });
  scaleRows(numbers, begin, { ...scaling, ...rowsOf(shape), scales });
  fromFloat32Into(numbers, "bf16", out);
}

function findScalings({ tensors, source }: Checkpoint): Map<string, Scaling> {
  const scalings = new Map<string, Scaling>();
  for (const [name, info] of tensors) {
    if (info.dtype !== "f8e4m3" && info.dtype !== "f8e5m2") continue;
    const scaleName = SCALES.map((ending) => name + ending).find((candidate) => tensors.has(candidate));
    if (scaleName === undefined) continue;
    const { shape, dtype } = entry(tensors, scaleName, "tensor of scales");
    const steps = stepsOf(info.shape, shape);
    if (steps === undefined || !/^b?f\d+$/.test(dtype)) {
      throw new UnsupportedError(
        `Cannot read "${name}" ${formatShape(info.shape)} of "${source}" as its scales must be one float, one for each row, or one for each block of ${BLOCK} x ${BLOCK}: "${scaleName}" is ${dtype} ${formatShape(shape)}`,
        { feature: "scales of 8-bit floats" },
      );
    }
    scalings.set(name, { name: scaleName, ...steps });
  }
  return scalings;
}

/**
 * Returns the number of rows and columns that share a scale; undefined if the shape of the scales fits no
 * scheme.
 */
function stepsOf(shape: readonly number[], scales: readonly number[]): Omit<Scaling, "name"> | undefined {
  const { rows, columns, rowsOfMatrix } = rowsOf(shape);
  if (sizeOf(scales) === 1) return { rowsPerScale: Math.max(rows, 1), columnsPerScale: Math.max(columns, 1) };
  const leading = shape.slice(0, -1);
  const isPerRow = [leading, [...leading, 1]].some((form) => String(form) === String(scales));
  if (isPerRow && shape.length > 1) return { rowsPerScale: 1, columnsPerScale: Math.max(columns, 1) };
  const blocks = [...shape.slice(0, -2), Math.ceil(rowsOfMatrix / BLOCK), Math.ceil(columns / BLOCK)];
  const isPerBlock = shape.length > 1 && String(blocks) === String(scales);
  return isPerBlock ? { rowsPerScale: BLOCK, columnsPerScale: BLOCK } : undefined;
}

/** Counts the rows of a tensor of any rank, which is seen as a sequence of matrices. */
function rowsOf(shape: readonly number[]): {
  readonly rows: number;
  readonly columns: number;
  readonly rowsOfMatrix: number;
} {
  const columns = shape.at(-1) ?? 1;
  return { rows: sizeOf(shape.slice(0, -1)), columns, rowsOfMatrix: shape.at(-2) ?? 1 };
}
