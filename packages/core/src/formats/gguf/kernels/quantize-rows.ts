import { type Kernels, readCode } from "../../../../wasm/quantize.mjs";
import { growMemory, startKernels } from "../../../tensor/kernels/start-kernels.ts";
import type { GgufType } from "../gguf-types.ts";

let started: Kernels | undefined;

/** Rows of a tensor that are quantised, and how. */
export interface RowsToQuantize {
  /** Number of the type in a file. */
  readonly number: number;
  /** Type of the blocks. */
  readonly type: GgufType;
  /** Elements of one or several whole rows, or without importance of whole blocks. */
  readonly data: Float32Array;
  /** Elements of a row. */
  readonly columns: number;
  /** Weight of each column in the error that is kept small, `[columns]`; undefined without. */
  readonly importance: Float32Array | undefined;
}

/**
 * Quantises rows of f32 to blocks, bit for bit as llama.cpp's reference does.
 * @returns the blocks; undefined if a number is not finite, or a scale does not fit into 16 bits
 */
export function quantizeRows({
  number,
  type,
  data,
  columns,
  importance,
}: RowsToQuantize): Uint8Array | undefined {
  started ??= startKernels<Kernels>(readCode);
  const { memory, base, quantize } = started;
  const bytes = (data.length / type.blockElements) * type.blockBytes;
  const ofImportance = base.value + data.byteLength;
  const out = ofImportance + (importance?.byteLength ?? 0);
  growMemory(memory, out + bytes, "quantise rows");
  new Float32Array(memory.buffer, base.value, data.length).set(data);
  if (importance !== undefined) new Float32Array(memory.buffer, ofImportance, columns).set(importance);
  const rows = importance === undefined ? 1 : data.length / columns;
  const count = importance === undefined ? data.length : columns;
  const place = importance === undefined ? 0 : ofImportance;
  if (quantize(number, base.value, place, rows, count, type.blockBytes, out) === 0) return undefined;
  return new Uint8Array(memory.buffer, out, bytes).slice();
}
