import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at } from "../../invariant.ts";
import { parseJson } from "../../json/parse-json.ts";
import { toFloat32 } from "../../tensor/convert.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { keepLast } from "../keep-last.ts";
import {
  checkPart,
  damaged,
  keepScales,
  numberTypeOf,
  type PackedWeight,
  unsupported,
} from "./packed-weight.ts";
import { createIntegerReader, createRowReader } from "./scaled-integers.ts";

/** Ending of the tensor that describes a weight of 4 bits, followed by the kind of 4-bit numbers. */
const STATE = /\.quant_state\.bitsandbytes__(nf4|fp4)$/;

/** Most bytes that the description of a weight may have; bitsandbytes writes about 200. */
const MAX_STATE_BYTES = 4096;

/** Names of the element types in descriptions, and the types that the numbers get. */
const TYPES: Readonly<Record<string, string>> = { float16: "f16", float32: "f32", bfloat16: "bf16" };

/** Description of a weight of 4 bits. */
interface QuantState {
  readonly blockSize: number;
  readonly dtype: string | undefined;
  readonly shape: readonly number[];
  /** Scales that are quantised to 8 bits themselves; undefined if they are floats. */
  readonly nested: { readonly blockSize: number; readonly offset: number } | undefined;
}

/**
 * Finds the weights that bitsandbytes quantised to 4 bits, nf4 or fp4: `x.weight` has two codes a byte, the
 * first in the high bits, and each block of 64 or so shares a scale, `x.weight.absmax`.
 *
 * A number is the entry of `x.weight.quant_map` times the scale, in the type that the weight had before. With
 * double quantisation, scales are themselves codes of 8 bits: entry of `nested_quant_map` times
 * `nested_absmax`, plus an offset.
 * @throws FormatError if parts are missing or contradict the description of the weight
 * @throws UnsupportedError if codes are stored as another type than u8 (`bnb_4bit_quant_storage`)
 * @see https://github.com/bitsandbytes-foundation/bitsandbytes, `functional.py`, `QuantState`
 */
export async function findFourBits(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const weights: PackedWeight[] = [];
  const states = new Map<string, QuantState>();
  const scalesOf = createScaleReader(checkpoint, states);
  const readMap = keepScales(checkpoint);
  for (const stateName of checkpoint.tensors.keys()) {
    const kind = STATE.exec(stateName)?.[1];
    if (kind === undefined) continue;
    const name = stateName.replace(STATE, "");
    const state = await readState(checkpoint, stateName);
    const parts = checkParts(checkpoint, name, state);
    states.set(name, state);
    const isDouble = state.nested !== undefined;
    weights.push({
      name,
      codes: name,
      parts: [stateName, ...parts],
      info: {
        dtype: numberTypeOf(state.dtype),
        shape: state.shape,
        stored: `${kind}, blocks of ${state.blockSize}${isDouble ? ", scales of 8 bits" : ""}`,
      },
      async fill(begin, out) {
        const map = await readMap(`${name}.quant_map`);
        const scales = await scalesOf(name);
        const from = begin >> 1;
        const bytes = new Uint8Array(((begin + out.length + 1) >> 1) - from);
        await checkpoint.readRangeInto(name, from, bytes);
        for (let i = 0; i < out.length; i++) {
          const place = begin + i;
          const byte = bytes[(place >> 1) - from] as number;
          const code = (place & 1) === 0 ? byte >> 4 : byte & 15;
          out[i] = (map[code] as number) * (scales[Math.floor(place / state.blockSize)] as number);
        }
      },
    });
  }
  return weights;
}

/** Checks the parts of a weight, and returns the names of all but the codes and the description. */
function checkParts(
  checkpoint: Checkpoint,
  name: string,
  { shape, blockSize, nested }: QuantState,
): string[] {
  const elements = sizeOf(shape);
  const codes = checkPart(checkpoint, name, { dtypes: ["u8", "bf16", "f16", "f32", "i8"] });
  if (codes.dtype !== "u8") {
    throw unsupported(
      checkpoint.source,
      "bnb_4bit_quant_storage",
      `codes of 4 bits must be stored as u8: "${name}" is ${codes.dtype}; save the model with bnb_4bit_quant_storage=uint8`,
    );
  }
  const bytes = sizeOf(codes.shape);
  if (bytes !== Math.ceil(elements / 2)) {
    throw damaged(
      checkpoint.source,
      `"${name}" must have a byte for two of ${elements} numbers: it has ${bytes}`,
    );
  }
  const blocks = Math.ceil(elements / blockSize);
  const floats = { dtypes: ["f32"] as const };
  checkPart(checkpoint, `${name}.quant_map`, { ...floats, shape: [16] });
  checkPart(
    checkpoint,
    `${name}.absmax`,
    nested ? { dtypes: ["u8"], shape: [blocks] } : { ...floats, shape: [blocks] },
  );
  const parts = ["quant_map", "absmax"];
  if (nested !== undefined) {
    checkPart(checkpoint, `${name}.nested_absmax`, {
      ...floats,
      shape: [Math.ceil(blocks / nested.blockSize)],
    });
    checkPart(checkpoint, `${name}.nested_quant_map`, { ...floats, shape: [256] });
    parts.push("nested_absmax", "nested_quant_map");
  }
  return parts.map((part) => `${name}.${part}`);
}

/**
 * Creates the function that gives the scales of a weight's blocks. The nested scales of the weight that was
 * read last stay in memory.
 */
function createScaleReader(
  checkpoint: Checkpoint,
  states: ReadonlyMap<string, QuantState>,
): (name: string) => Promise<Float32Array> {
  const readScales = keepScales(checkpoint);
  const readNestedMap = keepScales(checkpoint);
  const readNestedScales = keepScales(checkpoint);
  const readNested = keepLast(async (name) => {
    const nested = states.get(name)?.nested ?? { blockSize: 1, offset: 0 };
    const codes = (await checkpoint.read(`${name}.absmax`)).data as Uint8Array;
    const map = await readNestedMap(`${name}.nested_quant_map`);
    const scales = await readNestedScales(`${name}.nested_absmax`);
    return Float32Array.from(codes, (code, i) => {
      const product = (map[code] as number) * (scales[Math.floor(i / nested.blockSize)] as number);
      return Math.fround(product) + Math.fround(nested.offset);
    });
  });
  return async (name) => {
    const isNested = states.get(name)?.nested !== undefined;
    return isNested ? ((await readNested(name)) as Float32Array) : readScales(`${name}.absmax`);
  };
}

async function readState(checkpoint: Checkpoint, name: string): Promise<QuantState> {
  const { source } = checkpoint;
  const { shape } = checkPart(checkpoint, name, { dtypes: ["u8"], rank: 1 });
  if (sizeOf(shape) > MAX_STATE_BYTES)
    throw damaged(source, `"${name}" may have at most ${MAX_STATE_BYTES} bytes: it has ${sizeOf(shape)}`);
  const { data } = await checkpoint.read(name);
  const json = parseJson(data as Uint8Array, {
    attempt: `read "${name}" of "${source}"`,
    rule: "the description of a weight must be JSON in UTF-8",
    format: "quantised weights",
  });
  const values: Readonly<Record<string, unknown>> =
    typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  const { blocksize, dtype, shape: sizes, nested_offset: offset } = values;
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  if (!isSize(blocksize))
    throw damaged(source, `"${name}" must have a block size: it has ${JSON.stringify(blocksize)}`);
  if (
    !Array.isArray(sizes) ||
    sizes.length > 8 ||
    !sizes.every(isSize) ||
    !Number.isSafeInteger(sizeOf(sizes))
  )
    throw damaged(source, `"${name}" must have a shape of positive sizes: it has ${JSON.stringify(sizes)}`);
  const type = typeof dtype === "string" && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  const state = { blockSize: blocksize, dtype: type, shape: sizes };
  if (offset === undefined) return { ...state, nested: undefined };
  const nestedSize = values["nested_blocksize"];
  if (!isSize(nestedSize) || typeof offset !== "number" || !Number.isFinite(Math.fround(offset)))
    throw damaged(
      source,
      `"${name}" must have nested_blocksize and nested_offset: it has ${JSON.stringify([nestedSize, offset])}`,
    );
  return { ...state, nested: { blockSize: nestedSize, offset } };
}

/**
 * Finds the weights that bitsandbytes quantised to 8 bits: a row of `x.weight`, i8, times its `x.SCB`, over
 * 127, in bf16.
 * @throws FormatError if `x.SCB` does not have a number for each row
 * @throws UnsupportedError if rows are in an order of the GPU (`x.weight_format` other than 0)
 */
export async function findEightBits(checkpoint: Checkpoint): Promise<readonly PackedWeight[]> {
  const read = createIntegerReader(checkpoint);
  const weights: PackedWeight[] = [];
  for (const scales of checkpoint.tensors.keys()) {
    if (!scales.endsWith(".SCB")) continue;
    const stem = scales.slice(0, -".SCB".length);
    const [name, format] = [`${stem}.weight`, `${stem}.weight_format`];
    const [outputs = 0, inputs = 0] = checkPart(checkpoint, name, { dtypes: ["i8"], rank: 2 }).shape;
    checkPart(checkpoint, scales, { dtypes: ["f32"], shape: [outputs] });
    await assertRows(checkpoint, format);
    const weight = read({
      name,
      codes: name,
      shape: [outputs, inputs],
      stored: "int8 with a scale a row (bitsandbytes)",
      scales,
      groupCount: 1,
      byOutput: true,
      others: checkpoint.tensors.has(format) ? [format] : [],
      // bitsandbytes multiplies by this float in place of dividing by 127.
      factor: Math.fround(1 / 127),
      load: createRowReader(checkpoint, name, inputs),
    });
    weights.push({ ...weight, info: { ...weight.info, dtype: "bf16" } });
  }
  return weights;
}

async function assertRows(checkpoint: Checkpoint, name: string): Promise<void> {
  if (!checkpoint.tensors.has(name)) return;
  const { shape, dtype } = checkPart(checkpoint, name, { dtypes: ["u8"] });
  const order =
    sizeOf(shape) === 1 ? at([...toFloat32((await checkpoint.read(name)).data, dtype)], 0, "format") : -1;
  if (order === 0) return;
  throw unsupported(
    checkpoint.source,
    "weight_format",
    `"${name}" must be 0, rows one after another: it is ${order}`,
  );
}
