import { readFileSync } from "node:fs";
import { kernelMemory } from "@isthmus/core";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** Loops of kernels/task-vectors.ts: they take addresses of f32 and a count that is a multiple of 8. */
export interface Simd {
  subtract(network: number, base: number, out: number, count: number): void;
  subtractFromBfloat(network: number, base: number, out: number, count: number): void;
  weighAndVote(values: number, factor: number, weight: number, votes: number, count: number): void;
  weighAndCount(values: number, factor: number, weight: number, votes: number, count: number): void;
  addAgreeing(
    ...addressesWeightCount: [
      votes: number,
      values: number,
      weight: number,
      sums: number,
      divisors: number,
      count: number,
    ]
  ): void;
  divideByAtLeast(values: number, divisors: number, least: number, count: number): void;
  divideBy(values: number, divisors: number, least: number, count: number): void;
  addChanges(base: number, changes: number, factor: number, out: number, count: number): void;
  keepMagnitudes(values: number, patterns: number, least: number, below: number, count: number): void;
  listUpperBits(
    ...addressesBitsCount: [patterns: number, upper: number, shift: number, indices: number, count: number]
  ): number;
  randomBits(counter: number, high: number, out: number, count: number): void;
  keepBelow(values: number, bits: number, limit: number, count: number): void;
  product(left: number, right: number, sums: number, count: number): void;
  sizes(values: number, sums: number, count: number): void;
}

/** Elements that SIMD loops process at once. */
const GROUP = 8;

let loaded: { readonly simd: Simd; readonly buffer: ArrayBuffer } | undefined;
let isTried = false;

/** Returns the SIMD loops if all arrays lie in the memory that they compute in. */
export function simdFor(...arrays: readonly ArrayBufferView[]): Simd | undefined {
  if (!isTried) {
    loaded = load();
    isTried = true;
  }
  if (loaded === undefined) return undefined;
  for (const { buffer } of arrays) if (buffer !== loaded.buffer) return undefined;
  return loaded.simd;
}

/** Returns how many of some elements are in whole groups; plain loops do the others. */
export function wholeGroups(length: number): number {
  return length - (length % GROUP);
}

function load(): typeof loaded {
  const memory = kernelMemory();
  if (memory === undefined) return undefined;
  const code = readFileSync(new URL("../../wasm/task-vectors.wasm", import.meta.url));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  return { simd: exports as Simd, buffer: memory.buffer };
}
