import { OutOfRangeError } from "../../errors.ts";
import type { KernelMemory } from "./floats.ts";

/** The part of WebAssembly that is used here; Node's own types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** A memory of kernels that can grow, which detaches all views of it. */
export interface GrowingMemory extends KernelMemory {
  /** Adds pages of 64 KiB; returns how many there were. */
  grow(pages: number): number;
}

/** Kernels that have a memory of their own, and leave the part of it from an address on to their caller. */
export interface KernelsWithMemory {
  /** Memory that the kernels compute in. */
  readonly memory: GrowingMemory;
  /** First address that the kernels do not use themselves, aligned to at least 16 bytes. */
  readonly base: { readonly value: number };
}

/** Bytes by which a memory of WebAssembly grows. */
const PAGE_BYTES = 2 ** 16;

const compiled = new Map<() => Uint8Array, object>();

function compile(readCode: () => Uint8Array): object {
  const module = compiled.get(readCode) ?? new WebAssembly.Module(readCode());
  compiled.set(readCode, module);
  return module;
}

/** Checks whether the runtime can start kernels: it has WebAssembly, with the instructions that they use. */
export function canStartKernels(readCode: () => Uint8Array): boolean {
  if (!("WebAssembly" in globalThis)) return false;
  try {
    compile(readCode);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts kernels, each time with state and memory of their own; their code is compiled once. Building a
 * package writes the type of the exports beside the code, so that TypeScript refuses a kernel that the code
 * lacks.
 * @param readCode - function of a module `wasm/NAME.mjs`
 * @param imports - what the kernels import: a memory, or functions that they call
 */
export function startKernels<Kernels extends object>(
  readCode: () => Uint8Array,
  imports: Readonly<Record<string, object>> = {},
): Kernels {
  return new WebAssembly.Instance(compile(readCode), { env: { abort() {}, ...imports } }).exports as Kernels;
}

/**
 * Makes room for arrays in the memory of kernels, one after the other from their base on; returns their
 * addresses. Call it once for all arrays, before any view of the memory is made: the memory may grow, which
 * detaches views.
 * @param byteLengths - bytes of each array, multiples of the alignment that the kernels need
 * @param attempt - what the memory is for, as in "multiply matrices"
 * @throws OutOfRangeError if the system does not have that much memory, or the kernels cannot address it
 */
export function placeArrays<const Lengths extends readonly number[]>(
  { memory, base }: KernelsWithMemory,
  byteLengths: Lengths,
  attempt: string,
): { readonly [Index in keyof Lengths]: number } {
  let end = base.value;
  const addresses = byteLengths.map((bytes) => {
    end += bytes;
    return end - bytes;
  });
  growMemory(memory, end, attempt);
  return addresses as { readonly [Index in keyof Lengths]: number };
}

/**
 * Grows the memory of kernels to at least `bytes`; views of it are detached if it grows. Pages that nothing
 * is written to take no memory of the machine.
 * @param attempt - what the memory is for, as in "multiply matrices"
 * @throws OutOfRangeError if the system does not have that much memory, or the kernels cannot address it
 */
export function growMemory(memory: GrowingMemory, bytes: number, attempt: string): void {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (pages <= 0) return;
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as the memory of its kernels must grow to ${(bytes / 2 ** 20).toFixed(0)} MiB, of at most 4096 MiB: the system refused`,
      { cause },
    );
  }
}
