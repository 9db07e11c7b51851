import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at, entry } from "../../invariant.ts";
import type { TensorData } from "../../tensor/dtype.ts";
import { keepLast } from "../keep-last.ts";
import { readPacked, scaleIntegers } from "./kernels/unpack-integers.ts";
import {
  checkPart,
  damaged,
  FLOATS,
  keepPart,
  keepScales,
  numberTypeOf,
  type PackedWeight,
} from "./packed-weight.ts";

/** Reads an integer of a weight by its column and its row. */
export type CodeAt = (input: number, output: number) => number;

/** Unpacks zeros into the order of the scales. */
export type UnpackZeros = (stored: TensorData) => Int16Array;

/** A matrix of integers whose groups have scales: of GPTQ, AWQ, compressed-tensors or bitsandbytes. */
export interface ScaledIntegers {
  /** Name of the weight in the unquantised model. */
  readonly name: string;
  /** Name of the tensor of integers. */
  readonly codes: string;
  /** Rows and columns of the weight. */
  readonly shape: readonly [outputs: number, inputs: number];
  /** Form of the weight in the file, for `stored`. */
  readonly stored: string;
  /** Name of the tensor of scales, `[groups, outputs]`, or `[outputs, groups]` if `byOutput`. */
  readonly scales: string;
  /** Number of groups of columns, each with its scale. */
  readonly groupCount: number;
  /** Whether the scales have a row for each row of the weight. @defaultValue false */
  readonly byOutput?: boolean;
  /** Whether one scale holds for the whole weight. @defaultValue false */
  readonly isSingle?: boolean;
  /** Name of the tensor with the group of each column. @defaultValue undefined: groups follow each other */
  readonly groups?: string | undefined;
  /** Name of the tensor of zeros and the function that unpacks them. @defaultValue undefined: zero is 0 */
  readonly zeros?: { readonly name: string; readonly unpack: UnpackZeros } | undefined;
  /** Names of further tensors that belong to the weight and are not needed to read it. @defaultValue none */
  readonly others?: readonly string[];
  /** Number by which each product is multiplied. @defaultValue 1 */
  readonly factor?: number;
  /** Prepares the integers of the rows `[first, end)`. */
  readonly load: (first: number, end: number) => Promise<CodeAt>;
}

/** Number of elements that are computed at once. */
const RANGE = 65_536;

/**
 * Creates the function that turns matrices of scaled integers into packed weights. Scales, zeros and groups
 * of the matrix that was read last stay in memory.
 */
export function createIntegerReader(checkpoint: Checkpoint): (matrix: ScaledIntegers) => PackedWeight {
  const readScales = keepScales(checkpoint);
  const unpackers = new Map<string, UnpackZeros>();
  const readZeros = keepLast(async (name) => {
    const { data } = await checkpoint.read(name);
    return entry(unpackers, name, "tensor of zeros")(data);
  });
  const readGroups = keepPart(checkpoint);
  const groupsOf = async ({ groups, groupCount, shape: [, inputs] }: ScaledIntegers): Promise<Int32Array> => {
    if (groups === undefined) {
      const size = Math.ceil(inputs / groupCount);
      return Int32Array.from({ length: inputs }, (_, input) => Math.floor(input / size));
    }
    const list = (await readGroups(groups)) as Int32Array;
    const bad = list.findIndex((group) => group < 0 || group >= groupCount);
    if (bad < 0) return list;
    throw damaged(
      checkpoint.source,
      `the groups in "${groups}" must be 0 to ${groupCount - 1}: that of column ${bad} is ${list[bad]}`,
    );
  };
  return (matrix) => {
    const { name, codes, shape, stored, scales: scaleName, groups, zeros, others = [] } = matrix;
    const [outputs, inputs] = shape;
    if (zeros !== undefined) unpackers.set(zeros.name, zeros.unpack);
    const { dtype } = checkPart(checkpoint, scaleName, { dtypes: FLOATS });
    return {
      name,
      codes,
      parts: [scaleName, groups, zeros?.name, ...others].filter((part) => part !== undefined),
      info: { dtype: numberTypeOf(dtype), shape, stored },
      async fill(begin, out) {
        const scales = await readScales(scaleName);
        const list = await groupsOf(matrix);
        const shifts = zeros && ((await readZeros(zeros.name)) as Int16Array);
        for (let done = 0; done < out.length; done += RANGE) {
          const part = out.subarray(done, done + RANGE);
          const first = Math.floor((begin + done) / inputs);
          const codeAt = await matrix.load(first, Math.ceil((begin + done + part.length) / inputs));
          const size = outputs * matrix.groupCount;
          scaleIntegers(
            {
              inputs,
              outputs,
              codeAt,
              groups: list,
              groupCount: matrix.groupCount,
              scales: matrix.isSingle === true ? new Float32Array(size).fill(at(scales, 0, "scale")) : scales,
              zeros: shifts,
              byOutput: matrix.byOutput ?? false,
              factor: matrix.factor ?? 1,
            },
            begin + done,
            part,
          );
        }
      },
    };
  };
}

/** Order of rows and columns, and number of bits, of a matrix of packed integers. */
export interface PackedMatrix {
  /** Number of rows of the matrix. */
  readonly rows: number;
  /** Number of columns of the matrix. */
  readonly columns: number;
  /** Number of bits of each integer. */
  readonly bits: number;
  /** Number added to each integer. */
  readonly offset: number;
}

/**
 * Unpacks a matrix whose rows of integers are packed into rows of 32-bit words, low bits first.
 * @param placeOf - position of the integer of a column in its row of words; by default the column itself
 */
export function unpackColumns(
  words: Int32Array,
  { rows, columns, bits, offset }: PackedMatrix,
  placeOf: (column: number) => number = (column) => column,
): Int16Array {
  const step = Math.ceil((columns * bits) / 32);
  const integers = new Int16Array(rows * columns);
  for (let i = 0; i < integers.length; i++) {
    const bit = placeOf(i % columns) * bits;
    const word = Math.floor(i / columns) * step + (bit >>> 5);
    integers[i] = readPacked(words, { word, step: 1, shift: bit & 31, bits }) + offset;
  }
  return integers;
}

/** Says how many bits the integers of a weight have and how many columns share a scale. */
export function describeGroups(scheme: string, bits: number, inputs: number, groupCount: number): string {
  const groups = groupCount === 1 ? "one group" : `groups of ${Math.ceil(inputs / groupCount)}`;
  return `${scheme} ${bits} bits, ${groups}`;
}

/** Creates the function that reads rows of a matrix of i8. */
export function createRowReader(
  checkpoint: Checkpoint,
  name: string,
  inputs: number,
): (first: number, end: number) => Promise<CodeAt> {
  return async (first, end) => {
    const rows = new Int8Array((end - first) * inputs);
    await checkpoint.readRangeInto(name, first * inputs, rows);
    return (input, output) => rows[(output - first) * inputs + input] as number;
  };
}
