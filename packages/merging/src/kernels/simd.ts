import { readFileSync } from "node:fs";
import { kernelMemory } from "@isthmus/core";

/** Declaration of the part of WebAssembly that is used here, which Node's types lack. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/**
 * Loops of kernels/*.ts. Their arguments are addresses of arrays, numbers, and last a count that is a
 * multiple of 8.
 */
export interface Simd {
  readonly subtract: Loop;
  readonly subtractFromBfloat: Loop;
  readonly mixAll: Loop;
  readonly mixElected: Loop;
  readonly addChanges: Loop;
  readonly keepMagnitudes: Loop;
  readonly listMagnitudes: (...addressesAndNumbers: readonly number[]) => bigint;
  readonly decideByBits: (...addressesAndNumbers: readonly number[]) => number;
  readonly randomBits: Loop;
  readonly keepBelow: Loop;
  readonly product: Loop;
  readonly sizes: Loop;
  readonly stepTowards: Loop;
  readonly countLarger: Loop;
  readonly addContributions: Loop;
  readonly countShared: (...addressesAndNumbers: readonly number[]) => bigint;
  readonly variances: Loop;
  readonly addScaled: Loop;
  readonly sizesTimes: Loop;
  readonly keepImportant: Loop;
  readonly takeLargestChange: Loop;
  readonly largestOf: (...addressesAndNumbers: readonly number[]) => number;
  readonly exponentials: Loop;
  readonly divergences: Loop;
}

type Loop = (...addressesAndNumbers: readonly number[]) => void;

/** Number of elements that SIMD loops process at once. */
const GROUP = 8;

let loaded: { readonly simd: Simd; readonly buffer: ArrayBuffer } | undefined;
let isTried = false;

/** Returns the SIMD loops if all arrays lie in the memory in which they compute; otherwise undefined. */
export function simdFor(...arrays: readonly ArrayBufferView[]): Simd | undefined {
  if (!isTried) {
    loaded = load();
    isTried = true;
  }
  if (loaded === undefined) return undefined;
  for (const { buffer } of arrays) if (buffer !== loaded.buffer) return undefined;
  return loaded.simd;
}

/** Returns the number of elements in complete groups; plain loops process the rest. */
export function wholeGroups(length: number): number {
  return length - (length % GROUP);
}

function load(): typeof loaded {
  const memory = kernelMemory();
  if (memory === undefined) return undefined;
  const exportsOf = (name: string): object => {
    const code = readFileSync(new URL(`../../wasm/${name}.wasm`, import.meta.url));
    return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports;
  };
  const names = ["task-vectors", "mixtures", "elementwise", "softmax"];
  const simd: object = Object.assign({}, ...names.map(exportsOf));
  return { simd: simd as Simd, buffer: memory.buffer };
}
