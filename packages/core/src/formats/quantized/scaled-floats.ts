import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import { convertInto, toFloat32 } from "../../tensor/convert.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { allocateData } from "../../tensor/tensor.ts";
import { keepLast } from "../keep-last.ts";
import { scaleRows } from "../kernels/scale-rows.ts";
import { assertScaledFloats, listBeside, listMarks } from "./comfy-settings.ts";
import type { PackedWeight } from "./packed-weight.ts";

/** Patterns of the end of the name of a tensor of 8-bit floats, and the end of the name of its scales. */
const SCALES: readonly (readonly [RegExp, string])[] = [
  [/$/, "_scale_inv"],
  [/$/, "_scale"],
  [/(?<=^|\.)weight$/, "scale_weight"],
];

/** Number of rows and columns of a block that shares a scale. */
const BLOCK = 128;

/** Scaling of a tensor of 8-bit floats: one scale for each block of rows and columns. */
interface Scaling {
  /** Name of the tensor of scales. */
  readonly name: string;
  readonly rowsPerScale: number;
  readonly columnsPerScale: number;
}

/**
 * Finds 8-bit floats with scales, which are read as bf16: each stored float times its scale.
 *
 * The scales of `x.weight` are in `x.weight_scale_inv` (DeepSeek, which multiplies by it in spite of its
 * name), `x.weight_scale` (compressed-tensors and ComfyUI) or `x.scale_weight` (ComfyUI before its version
 * 0.4), one for the tensor, for each row, or for each block of 128 x 128. Scales of activations, settings and
 * marks of ComfyUI belong to the weights, and are not listed.
 * @throws UnsupportedError if the scales have another shape, or settings of ComfyUI belong to other elements
 * @see https://github.com/deepseek-ai/DeepSeek-V3, `inference/fp8_cast_bf16.py`
 */
export async function findScaledFloats(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const readScales = keepLast(async (name) => {
    const { data, dtype } = await checkpoint.read(name);
    return toFloat32(data, dtype);
  });
  const scalings = findScalings(checkpoint);
  assertScaledFloats(checkpoint, scalings);
  const marks = listMarks(checkpoint);
  return [...scalings].map(([name, scaling], i) => {
    const { dtype, shape } = entry(checkpoint.tensors, name, "tensor");
    return {
      name,
      codes: name,
      parts: [scaling.name, ...listBeside(name), ...(i === 0 ? marks : [])],
      info: { dtype: "bf16", shape, stored: `${dtype} with scales` },
      async fill(begin, out) {
        const scales = (await readScales(scaling.name)) as Float32Array;
        const stored = allocateData(dtype, out.length);
        await checkpoint.readRangeInto(name, begin, stored);
        convertInto({ dtype, data: stored }, { dtype: "f32", data: out });
        scaleRows(out, begin, { ...scaling, ...rowsOf(shape), scales });
      },
    };
  });
}

function findScalings({ tensors, source }: Checkpoint): Map<string, Scaling> {
  const scalings = new Map<string, Scaling>();
  for (const [name, info] of tensors) {
    if (info.dtype !== "f8e4m3" && info.dtype !== "f8e5m2") continue;
    const scaleName = SCALES.map(([end, ending]) => name.replace(end, ending)).find(
      (candidate) => candidate !== name && tensors.has(candidate),
    );
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
