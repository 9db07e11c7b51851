import { describe, expect, it } from "vitest";
import { DTYPES, type TensorData } from "../dtype.ts";
import { viewBytes } from "../tensor.ts";
import { floatKernels } from "./float-kernels.ts";
import type { Floats } from "./floats.ts";
import { scalarKernels } from "./scalar-kernels.ts";
import { loadWasmKernels } from "./wasm-kernels.ts";

const TYPES = ["f32", "f16", "bf16", "f8e4m3", "f8e5m2"] as const;
type FloatType = (typeof TYPES)[number];

/** Bits of every kind: uniform patterns, so NaN, infinities, subnormals and both zeros all occur. */
function randomFloats(dtype: FloatType, length: number, seed: number): Floats {
  const bytes = new Uint8Array(length * DTYPES[dtype].bytes);
  let state = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  const { array } = DTYPES[dtype];
  return { dtype, data: new array(bytes.buffer, 0, length) as Floats["data"] };
}

/** The same, but finite and of ordinary size. */
function ordinaryFloats(dtype: FloatType, length: number, seed: number): Floats {
  const data = Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.7) * 2 ** ((i % 9) - 6));
  return converted({ dtype: "f32", data }, dtype);
}

function emptyFloats(dtype: FloatType, length: number): Floats {
  return { dtype, data: new DTYPES[dtype].array(length) as Floats["data"] };
}

function converted(source: Floats, dtype: FloatType): Floats {
  const out = emptyFloats(dtype, source.data.length);
  scalarKernels.convert(source, out);
  return out;
}

function bytesOf(data: TensorData): string {
  return Buffer.from(viewBytes(data)).toString("base64");
}

describe("floatKernels()", () => {
  const wasm = loadWasmKernels();
  if (wasm === undefined) throw new TypeError("Cannot test the kernels as WebAssembly SIMD is needed");
  const kernels = { wasm, scalar: scalarKernels };

  /** Runs both implementations and compares the bytes they write. */
  function expectSameBytes(
    dtype: FloatType,
    length: number,
    run: (k: typeof wasm & {}, out: Floats) => void,
  ): void {
    const outs = Object.values(kernels).map((kernel) => {
      const out = emptyFloats(dtype, length);
      run(kernel, out);
      return bytesOf(out.data);
    });
    expect(outs[0]).toBe(outs[1]);
  }

  it("chooses WebAssembly where there is SIMD", () => {
    expect(floatKernels().constructor.name).toBe(wasm.constructor.name);
  });

  for (const from of TYPES) {
    for (const to of TYPES) {
      it(`gives the same bits either way: ${from} to ${to}`, () => {
        for (const length of [0, 1, 7, 8, 9, 1000, 40_001]) {
          const sources = [randomFloats(from, length, 1), ordinaryFloats(from, length, 2)];
          const [a, b] = [randomFloats(to, length, 3), ordinaryFloats(to, length, 4)];
          for (const x of sources) {
            expectSameBytes(to, length, (k, out) => k.convert(x, out));
            for (const y of [a, b, x]) {
              expectSameBytes(to, length, (k, out) => k.step(x, y, 0.3, out));
              expectSameBytes(from, length, (k, out) => k.step(x, y, 0.125, out));
              expectSameBytes(to, length, (k, out) => k.approach([x, y, x, y], [0, 0.3, 0.8, 1], out));
              expectSameBytes(from, length, (k, out) => k.approach([y, x, y], [0, 0.6, 0.1], out));
              expectSameBytes(to, length, (k, out) =>
                k.blend([x, y, x], Float32Array.of(0.3, 0.9, -0.2), out),
              );
              expect(kernels.wasm.dot(x, y)).toBe(kernels.scalar.dot(x, y));
            }
            expect(kernels.wasm.findNonFinite(x)).toBe(kernels.scalar.findNonFinite(x));
          }
        }
      });
    }
  }

  it("gives the same bits either way for all patterns of all narrow types", () => {
    for (const dtype of ["f16", "bf16"] as const) {
      const all: Floats = { dtype, data: Uint16Array.from({ length: 65536 }, (_, i) => i) };
      const turned: Floats = { dtype, data: Uint16Array.from({ length: 65536 }, (_, i) => i * 40503) };
      for (const to of TYPES) {
        expectSameBytes(to, 65536, (k, out) => k.convert(all, out));
        expectSameBytes(to, 65536, (k, out) => k.step(all, turned, 0.7, out));
        expectSameBytes(to, 65536, (k, out) => k.blend([all, turned], Float32Array.of(0.5, 0.5), out));
      }
    }
    for (const dtype of ["f8e4m3", "f8e5m2"] as const) {
      const all: Floats = { dtype, data: Uint8Array.from({ length: 65536 }, (_, i) => i) };
      const other: Floats = { dtype, data: Uint8Array.from({ length: 65536 }, (_, i) => i >> 8) };
      for (const to of TYPES) {
        expectSameBytes(to, 65536, (k, out) => k.convert(all, out));
        expectSameBytes(to, 65536, (k, out) => k.step(all, other, 0.7, out));
        expectSameBytes(to, 65536, (k, out) => k.blend([all, other], Float32Array.of(0.5, 0.5), out));
      }
    }
  });

  it("finds a NaN or an infinity wherever it is", () => {
    for (const kernel of Object.values(kernels)) {
      for (const at of [0, 5, 8, 16_384, 20_002]) {
        const data = new Float32Array(20_003);
        data[at] = Number.NaN;
        data[20_002] = Number.POSITIVE_INFINITY;
        expect(kernel.findNonFinite({ dtype: "f32", data })).toBe(at);
      }
    }
  });

  it("writes over a source if told to", () => {
    for (const kernel of Object.values(kernels)) {
      const a = ordinaryFloats("bf16", 20_000, 1);
      const b = ordinaryFloats("bf16", 20_000, 2);
      const apart = emptyFloats("bf16", 20_000);
      kernel.step(a, b, 0.25, apart);
      kernel.step(a, b, 0.25, a);
      expect(bytesOf(a.data)).toBe(bytesOf(apart.data));
    }
  });
});
