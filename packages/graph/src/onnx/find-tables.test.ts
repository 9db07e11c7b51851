import { createTensor, type Tensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { findTables } from "./find-tables.ts";

const [TOKENS, PAIRS] = [8, 4];

/** A table `[tokens, pairs]` of a function of the angle. */
function table(of: (angle: number) => number): Tensor {
  const numbers = Array.from({ length: TOKENS * PAIRS }, (_, i) =>
    of(Math.floor(i / PAIRS) * 0.3 ** (i % PAIRS)),
  );
  return createTensor("f32", [TOKENS, PAIRS], Float32Array.from(numbers));
}

const filled = (value: number) => createTensor("f32", [TOKENS, PAIRS], new Float32Array(32).fill(value));

describe("findTables()", () => {
  test("finds cosines and sines of the same angles, however long, among weights of their shape", () => {
    const tensors = new Map([
      ["weight", table((angle) => angle + 0.1)],
      ["cos", table((angle) => 1.2 * Math.cos(angle))],
      ["other", table((angle) => Math.tan(angle))],
      ["sin", table((angle) => 1.2 * Math.sin(angle))],
    ]);
    expect([...findTables(tensors)].sort()).toEqual(["cos", "sin"]);
  });

  test("finds a table of which one half of each row is sines and the other cosines", () => {
    const [sines, cosines] = [table(Math.sin), table(Math.cos)];
    const both = Float32Array.from({ length: 2 * TOKENS * PAIRS }, (_, i) => {
      const [row, column] = [Math.floor(i / (2 * PAIRS)), i % (2 * PAIRS)];
      const { data } = column < PAIRS ? sines : cosines;
      return Number(data[row * PAIRS + (column % PAIRS)]);
    });
    const tensors = new Map([["both", createTensor("f32", [TOKENS, 2 * PAIRS], both)]]);
    expect([...findTables(tensors)]).toEqual(["both"]);
  });

  test("takes weights for weights: sines alone, sines of other angles, and gains and offsets as they are made", () => {
    const cosines = table(Math.cos);
    expect(findTables(new Map([["cos", cosines]])).size).toBe(0);
    expect(
      findTables(
        new Map([
          ["cos", cosines],
          ["sin", table((angle) => Math.sin(1.5 * angle))],
        ]),
      ).size,
    ).toBe(0);
    expect(
      findTables(
        new Map([
          ["gain", filled(1)],
          ["offset", filled(0)],
        ]),
      ).size,
    ).toBe(0);
  });

  test("finds masks, and none that hold zeros alone or numbers of another size", () => {
    const mask = (value: number) =>
      createTensor(
        "f32",
        [4, 4],
        Float32Array.from({ length: 16 }, (_, i) => (i % 4 > i / 4 ? value : 0)),
      );
    const tensors = new Map([
      ["infinite", mask(Number.NEGATIVE_INFINITY)],
      ["finite", mask(-3.4e38)],
      ["zeros", mask(0)],
      ["weight", mask(-1)],
    ]);
    expect([...findTables(tensors)]).toEqual(["infinite", "finite"]);
  });
});
