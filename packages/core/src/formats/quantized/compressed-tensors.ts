import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { readPacked } from "./kernels/unpack-integers.ts";
import { checkPart, damaged, FLOATS, type PackedWeight } from "./packed-weight.ts";
import {
  createIntegerReader,
  createRowReader,
  describeGroups,
  type UnpackZeros,
  unpackColumns,
} from "./scaled-integers.ts";

/** Numbers of bits of packed integers. */
const PACKED_BITS: readonly number[] = [4, 8];

/** Sizes that the parts of a weight agree on. */
interface Sizes {
  readonly outputs: number;
  readonly inputs: number;
}

/**
 * Finds the integers of compressed-tensors in the form `pack-quantized`: `x.weight_packed`, i32 `[outputs,
 * words]` of 4 or 8 bits, `x.weight_scale`, `x.weight_shape`, and mostly no `x.weight_zero_point` and
 * `x.weight_g_idx`.
 *
 * Integers are stored plus half of their range. A number is (integer - zero) times scale, in the type of the
 * scales. Other packed forms, such as NVFP4 of type u8, are not changed.
 * @throws FormatError if parts are missing or contradict each other
 * @see https://github.com/vllm-project/compressed-tensors, `compressors/pack_quantized`
 */
export async function findPackedIntegers(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const read = createIntegerReader(checkpoint);
  const weights: PackedWeight[] = [];
  for (const [codes, { dtype }] of checkpoint.tensors) {
    if (!codes.endsWith(".weight_packed") || dtype !== "i32") continue;
    const name = codes.slice(0, -"_packed".length);
    const { inputs, outputs, bits, step } = await sizesOf(checkpoint, name);
    const offset = -(2 ** (bits - 1));
    const { isSingle, groupCount } = groupsOf(checkpoint, name, { outputs, inputs });
    const zeros = `${name}_zero_point`;
    const groups = `${name}_g_idx`;
    const form = { dtypes: ["i32"] as const, shape: [Math.ceil((outputs * bits) / 32), groupCount] };
    if (checkpoint.tensors.has(zeros)) checkPart(checkpoint, zeros, form);
    if (checkpoint.tensors.has(groups)) checkPart(checkpoint, groups, { dtypes: ["i32"], shape: [inputs] });
    const unpack: UnpackZeros = (words) => {
      const matrix = { rows: groupCount, columns: outputs, bits, offset };
      return transpose(unpackColumns(transpose(words as Int32Array, groupCount), matrix), outputs);
    };
    weights.push(
      read({
        name,
        codes,
        shape: [outputs, inputs],
        stored: describeGroups("compressed-tensors", bits, inputs, groupCount),
        scales: `${name}_scale`,
        groupCount,
        byOutput: true,
        isSingle,
        groups: checkpoint.tensors.has(groups) ? groups : undefined,
        zeros: checkpoint.tensors.has(zeros) ? { name: zeros, unpack } : undefined,
        others: [`${name}_shape`],
        async load(first, end) {
          const words = new Int32Array((end - first) * step);
          await checkpoint.readRangeInto(codes, first * step, words);
          return (input, output) => {
            const bit = input * bits;
            const word = (output - first) * step + (bit >>> 5);
            return readPacked(words, { word, step: 1, shift: bit & 31, bits }) + offset;
          };
        },
      }),
    );
  }
  return weights;
}

/**
 * Finds the integers of compressed-tensors in the form `int-quantized`: `x.weight`, i8, with
 * `x.weight_scale` and mostly no `x.weight_zero_point`.
 * @throws FormatError if parts contradict each other
 */
export async function findPlainIntegers(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const read = createIntegerReader(checkpoint);
  const weights: PackedWeight[] = [];
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const scales = `${name}_scale`;
    if (!name.endsWith(".weight") || dtype !== "i8" || !checkpoint.tensors.has(scales)) continue;
    const [outputs = 0, inputs = 0] = shape;
    checkPart(checkpoint, name, { dtypes: ["i8"], rank: 2 });
    const { isSingle, groupCount } = groupsOf(checkpoint, name, { outputs, inputs });
    const zeros = `${name}_zero_point`;
    const hasZeros = checkpoint.tensors.has(zeros);
    const zeroShape = checkPart(checkpoint, scales, { dtypes: FLOATS }).shape;
    if (hasZeros) checkPart(checkpoint, zeros, { dtypes: ["i8"], shape: zeroShape });
    const size = outputs * groupCount;
    const unpack: UnpackZeros = (stored) =>
      isSingle ? new Int16Array(size).fill(Number(stored[0])) : Int16Array.from(stored as Int8Array);
    weights.push(
      read({
        name,
        codes: name,
        shape: [outputs, inputs],
        stored: describeGroups("compressed-tensors", 8, inputs, groupCount),
        scales,
        groupCount,
        byOutput: true,
        isSingle,
        zeros: hasZeros ? { name: zeros, unpack } : undefined,
        load: createRowReader(checkpoint, name, inputs),
      }),
    );
  }
  return weights;
}

async function sizesOf(
  checkpoint: Checkpoint,
  name: string,
): Promise<Sizes & { readonly bits: number; readonly step: number }> {
  const codes = `${name}_packed`;
  checkPart(checkpoint, `${name}_shape`, { dtypes: ["i64", "i32"], shape: [2] });
  const [outputs = 0, inputs = 0] = Array.from((await checkpoint.read(`${name}_shape`)).data, Number);
  const [rows = 0, step = 0] = checkPart(checkpoint, codes, { dtypes: ["i32"], rank: 2 }).shape;
  const bits = PACKED_BITS.find((count) => Math.ceil((inputs * count) / 32) === step);
  if (bits !== undefined && rows === outputs && inputs > 0 && outputs > 0)
    return { outputs, inputs, bits, step };
  throw damaged(
    checkpoint.source,
    `"${codes}" must hold integers of ${PACKED_BITS.join(" or ")} bits for ${outputs} rows and ${inputs} columns, by "${name}_shape": it is ${rows} x ${step}`,
  );
}

/** Finds how many groups of columns have scales of their own. */
function groupsOf(
  checkpoint: Checkpoint,
  name: string,
  { outputs, inputs }: Sizes,
): { readonly isSingle: boolean; readonly groupCount: number } {
  const { shape } = checkPart(checkpoint, `${name}_scale`, { dtypes: FLOATS });
  if (sizeOf(shape) === 1) return { isSingle: true, groupCount: 1 };
  const [rows, groupCount = 1] = shape;
  if (shape.length <= 2 && rows === outputs && groupCount > 0 && inputs % groupCount === 0)
    return { isSingle: false, groupCount };
  throw damaged(
    checkpoint.source,
    `"${name}_scale" must have a row of scales for each of ${outputs} rows, which divide ${inputs} columns: it is ${shape.join(" x ")}`,
  );
}

/** Transposes a matrix of whole numbers. */
function transpose<T extends Int32Array | Int16Array>(matrix: T, columns: number): T {
  const rows = matrix.length / columns;
  const result = matrix.slice() as T;
  for (let i = 0; i < matrix.length; i++) {
    result[(i % columns) * rows + Math.floor(i / columns)] = matrix[i] as number;
  }
  return result;
}
