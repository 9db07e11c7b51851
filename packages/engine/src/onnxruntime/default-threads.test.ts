import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { GraphBuilder, matMul } from "@isthmus/graph/builder";
import { describe, expect, it, vi } from "vitest";
import { defaultThreads } from "./default-threads.ts";

const VARIABLE = "ISTHMUS_ENGINE_THREADS";
const SIZE = 300;

/** Multiplies two matrices that are large enough to be shared out among threads. */
async function multiply(threads?: number) {
  const builder = new GraphBuilder("product", 17);
  const x = builder.input("x", { dtype: "f32", shape: [SIZE, SIZE] });
  const graph = builder.build([builder.rename(matMul(x, x), "y")]);
  const session = await createOnnxRuntimeEngine().load(graph, threads === undefined ? {} : { threads });
  const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 7) - 3);
  try {
    return (await session.run(new Map([["x", { dtype: "f32", shape: [SIZE, SIZE], data }]]))).get("y")?.data;
  } finally {
    await session.release();
  }
}

describe("defaultThreads()", () => {
  it.each([
    ["", 0],
    ["0", 0],
    ["1", 1],
    ["16", 16],
  ])("reads %j as %d", (text, threads) => {
    vi.stubEnv(VARIABLE, text);
    expect(defaultThreads()).toBe(threads);
  });

  it("lets onnxruntime choose if the variable is not set", () => {
    vi.stubEnv(VARIABLE, undefined);
    expect(defaultThreads()).toBe(0);
  });

  it.each(["two", "-1", "1.5", "1e3", " "])("refuses %j", (text) => {
    vi.stubEnv(VARIABLE, text);
    expect(defaultThreads).toThrow(`as ${VARIABLE} must be a whole number from 0 to 9999: it is "${text}"`);
  });

  it("is used by a run that names no threads, which gives the same numbers with any", async () => {
    const expected = await multiply(1);
    vi.stubEnv(VARIABLE, "two");
    await expect(multiply()).rejects.toThrow(VARIABLE);
    expect(await multiply(2)).toEqual(expected);
    for (const text of ["", "1", "2"]) {
      vi.stubEnv(VARIABLE, text);
      expect(await multiply()).toEqual(expected);
    }
  });
});
