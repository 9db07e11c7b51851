import { type Checkpoint, createCheckpoint, defineCheckpoint, kernelMemory } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { combine, scanTensor, withRanges } from "./combine.ts";

/** A checkpoint of so many zeros, which are never stored, and a counter. */
const zeros = (size: number): Checkpoint =>
  defineCheckpoint({
    source: "zeros",
    tensors: new Map([
      ["w", { dtype: "f32", shape: [size] }],
      ["steps", { dtype: "i64", shape: [] }],
    ]),
    async readInto(_name, _begin, out) {
      out.fill(0 as never);
    },
  });

describe("combine()", () => {
  it("surveys a tensor once, before its first range, however many are read", async () => {
    const surveyed: string[] = [];
    const input = createCheckpoint({
      v: { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) },
      w: { dtype: "f32", shape: [2], data: Float32Array.of(3, 4) },
    });
    const combined = combine<number>({
      source: "surveyed(input)",
      inputs: [input],
      integersFrom: input,
      survey(name) {
        surveyed.push(name);
        return surveyed.length * 10;
      },
      blend: ({ begin }, _parts, out, survey) => {
        out.data.fill((survey + begin) as never);
      },
    });
    const first = await Promise.all([combined.readRange("w", 0, 1), combined.readRange("w", 1, 2)]);
    expect(first.map(([value]) => value)).toEqual([10, 11]);
    expect([...(await combined.read("w")).data]).toEqual([10, 10]);
    expect([...(await combined.read("v")).data]).toEqual([20, 20]);
    expect(surveyed).toEqual(["w", "v"]);
  });

  it("says what it makes, without what of, if it is not given checkpoints", () => {
    const input = zeros(1);
    const inputs = [input, Promise.resolve(input) as unknown as Checkpoint] as const;
    for (const source of ["mean(a (first),\nb)", "mean"]) {
      expect(() => combine({ source, inputs, integersFrom: input, blend() {} })).toThrow(
        "Cannot make mean of checkpoints as it needs a checkpoint: got a promise",
      );
    }
  });
});

describe("scanTensor()", () => {
  it.each([
    [1, 2 ** 18],
    [32, 2 ** 17],
    [100, 41_943],
    [600, 2 ** 13],
  ])("reads %i checkpoints in ranges of %i elements, which memory has room for", async (count, step) => {
    const size = 2 * step + 5;
    const checkpoints = new Array<Checkpoint>(count).fill(zeros(size)) as [Checkpoint, ...Checkpoint[]];
    const ranges: number[][] = [];
    await scanTensor(checkpoints, "w", (parts, begin) => {
      ranges.push([begin, ...new Set(parts.map(({ data }) => data.length))]);
    });
    expect(ranges).toEqual([
      [0, step],
      [step, step],
      [2 * step, 5],
    ]);
  });
});

describe("withRanges()", () => {
  const range = { name: "w", begin: 0, length: 2 ** 18 };

  it("gives memory back, so that later ranges lie where kernels compute", async () => {
    for (let read = 0; read < 40; read++) {
      await withRanges([zeros(range.length)], range, ([part]) => {
        const memory = kernelMemory();
        if (memory !== undefined) expect(part?.data.buffer).toBe(memory.buffer);
      });
    }
  });

  it("fails as the checkpoint does that cannot be read, without using any part", async () => {
    const failing: Checkpoint = {
      ...zeros(range.length),
      readRangeInto: () => Promise.reject(new RangeError("torn")),
    };
    const using = withRanges([zeros(range.length), failing], range, () => {
      throw new TypeError("used");
    });
    await expect(using).rejects.toThrow("torn");
  });
});
