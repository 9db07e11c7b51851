import { createTensor, entry, sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { readCode } from "../../wasm/update.mjs";
import type { InPlaceUpdate, UpdateKernel } from "../optimizer/in-place-rule.ts";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

type Exports = Readonly<Record<UpdateKernel, (...addressesCountAndNumbers: number[]) => void>> & {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly base: { readonly value: number };
};

/** Tensors in the memory of the kernels, and the update that changes them. */
export interface InPlaceUpdater {
  /** Tensors by name: parameters, their state, and gradients, which are to be written before an update. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Updates all parameters and their state from the gradients. */
  readonly update: (at: { readonly step: number; readonly learningRate: number }) => void;
}

const PAGE_BYTES = 65536;
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

let compiled: object | undefined;

/**
 * Allocates the tensors of an update in the memory of its kernels, all zeros. Elements do not depend on each
 * other, and the order of operations is fixed, so that every machine gets the same bits.
 * @param shapes - shape of each parameter by name
 */
export function createInPlaceUpdater(
  { rule, parameters }: InPlaceUpdate,
  shapes: ReadonlyMap<string, readonly number[]>,
): InPlaceUpdater {
  compiled ??= new WebAssembly.Module(readCode());
  const { exports } = new WebAssembly.Instance(compiled, { env: { abort() {} } });
  const { memory, base, [rule.kernel]: kernel } = exports as Exports;
  const addresses = new Map<string, number>();
  let end = base.value;
  for (const { input, gradient, states } of parameters) {
    for (const name of [input, gradient, ...states]) {
      addresses.set(name, end);
      end += paddedSize(entry(shapes, input, "parameter")) * FLOAT_BYTES;
    }
  }
  // The memory is grown once, here: growing it later would detach the tensors.
  memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES)));
  const tensors = new Map<string, Tensor>();
  for (const { input, gradient, states } of parameters) {
    const shape = entry(shapes, input, "parameter");
    for (const name of [input, gradient, ...states]) {
      const data = new Float32Array(memory.buffer, entry(addresses, name, "address"), sizeOf(shape));
      tensors.set(name, createTensor("f32", shape, data));
    }
  }
  const work = parameters.map(({ input, gradient, states, decay }) => ({
    addresses: [input, gradient, ...states].map((name) => entry(addresses, name, "address")),
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
