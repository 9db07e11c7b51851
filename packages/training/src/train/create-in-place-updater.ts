import {
  createTensor,
  entry,
  placeArrays,
  sizeOf,
  startKernels,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import { type Kernels, readCode } from "../../wasm/update.mjs";
import type { InPlaceUpdate } from "../optimizer/in-place-rule.ts";

/** Tensors in the memory of the kernels, and the update that changes them. */
export interface InPlaceUpdater {
  /** Tensors by name: parameters, their state, and gradients, which are to be written before an update. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Updates all parameters and their state from the gradients. */
  readonly update: (at: { readonly step: number; readonly learningRate: number }) => void;
}

const FLOAT_BYTES = 4;
/** Elements to whose multiples kernels need tensors to be padded: also a line of the cache. */
const PADDED_TO = 16;
/** Largest memory that tensors are held in: a WebAssembly memory ends at 4 GiB. */
const MOST_BYTES = 2 ** 32 - 2 ** 24;

const paddedSize = (shape: readonly number[]): number => Math.ceil(sizeOf(shape) / PADDED_TO) * PADDED_TO;

/**
 * Checks whether tensors can be updated in place.
 * @param tensorsEach - number of tensors that are held for each parameter: itself, its gradient, its state
 */
export function fitsInPlace(parameters: readonly TensorInfo[], tensorsEach: number): boolean {
  const elements = parameters.reduce((sum, { shape }) => sum + paddedSize(shape), 0);
  return (
    parameters.every(({ dtype }) => dtype === "f32") && elements * tensorsEach * FLOAT_BYTES <= MOST_BYTES
  );
}

/**
 * Allocates the tensors of an update in the memory of its kernels, all zeros. Elements do not depend on each
 * other, and the order of operations is fixed, so that every machine gets the same bits.
 * @param shapes - shape of each parameter by name
 */
export function createInPlaceUpdater(
  { rule, parameters }: InPlaceUpdate,
  shapes: ReadonlyMap<string, readonly number[]>,
): InPlaceUpdater {
  const kernels = startKernels<Kernels>(readCode);
  const kernel: (...addressesCountAndNumbers: number[]) => void = kernels[rule.kernel];
  const arrays = parameters.flatMap(({ input, gradient, states }) => {
    const shape = entry(shapes, input, "parameter");
    return [input, gradient, ...states].map((name) => ({ name, shape }));
  });
  const lengths = arrays.map(({ shape }) => paddedSize(shape) * FLOAT_BYTES);
  const addresses = placeArrays(kernels, lengths, "train in place");
  const tensors = new Map<string, Tensor>();
  for (const [i, { name, shape }] of arrays.entries()) {
    const data = new Float32Array(kernels.memory.buffer, addresses[i], sizeOf(shape));
    tensors.set(name, createTensor("f32", shape, data));
  }
  const work = parameters.map(({ input, gradient, states, decay }) => ({
    addresses: [input, gradient, ...states].map((name) => entry(tensors, name, "tensor").data.byteOffset),
    count: paddedSize(entry(shapes, input, "parameter")),
    decay,
  }));
  return {
    tensors,
    update(at) {
      for (const { addresses: places, count, decay } of work)
        kernel(...places, count, ...rule.numbersAt(at, decay));
    },
  };
}
