import { describe, expect, it } from "vitest";
import { type Kernels, readCode } from "../../../wasm/elementwise.mjs";
import { OutOfRangeError } from "../../errors.ts";
import { growMemory, placeArrays, startKernels } from "./start-kernels.ts";

const start = () => startKernels<Kernels>(readCode);

describe("startKernels()", () => {
  it("gives each start a memory of its own", () => {
    const [first, second] = [start(), start()];
    const places = [first, second].map((kernels) => placeArrays(kernels, [64], "test")[0]);
    new Uint8Array(first.memory.buffer, places[0]).fill(1);
    expect(new Uint8Array(second.memory.buffer, places[1], 64)).toEqual(new Uint8Array(64));
  });
});

describe("placeArrays()", () => {
  it("places arrays behind each other from the base on, in a memory that holds them all", () => {
    const kernels = start();
    const [a, b, c] = placeArrays(kernels, [64, 1_000_000, 32], "test");
    const base = kernels.base.value;
    expect([a, b, c]).toEqual([base, base + 64, base + 1_000_064]);
    expect(kernels.memory.buffer.byteLength).toBeGreaterThanOrEqual(c + 32);
  });

  it("refuses more than kernels can address, and says what for", () => {
    const attempt = () => placeArrays(start(), [2 ** 31, 2 ** 31], "multiply matrices");
    expect(attempt).toThrow(OutOfRangeError);
    expect(attempt).toThrow(/Cannot multiply matrices as .* must grow to 4096 MiB, of at most 4096 MiB/);
  });
});

describe("growMemory()", () => {
  it("leaves a memory that is large enough, and its views", () => {
    const { memory } = start();
    const { buffer } = memory;
    growMemory(memory, buffer.byteLength, "test");
    expect(memory.buffer).toBe(buffer);
  });
});
