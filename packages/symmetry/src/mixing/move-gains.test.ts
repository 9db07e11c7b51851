import { UnsupportedError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import type { DiagonalSymmetry } from "../linear/linear-symmetries.ts";
import type { MixingSymmetries } from "./mixing-symmetries.ts";
import { moveGainsInPlace, readGains } from "./move-gains.ts";

const layout = (variables: number[], origin = 0) => ({
  shape: [variables.length],
  view: [variables.length],
  fields: [{ axes: [0], variables: Int32Array.from(variables) }],
  origin,
});

/** Scales of two elements of `gain`, and of two of `offset`, which divide it and to which the graph adds 1. */
const SCALES: DiagonalSymmetry = {
  kind: "scale",
  variables: 5,
  values: new Map(),
  weights: new Map([
    ["gain", layout([1, 2])],
    ["reader", layout([-1, -2, 0])],
    ["offset", layout([-4, -5], -1)],
    ["writer", layout([4, 5, 3])],
    ["elsewhere", layout([1])],
  ]),
};
const gain = (name: string, variables: number[], rest: { origin: number; isInverse: boolean }) => ({
  gain: name,
  variables: Int32Array.from(variables),
  space: 0,
  ...rest,
});
const MIXING: MixingSymmetries = {
  spaces: [],
  weights: new Map(),
  values: new Map(),
  unpredictable: new Set(),
  norms: [],
  fixed: [],
  shifts: [],
  gains: [
    gain("gain", [0, 1], { origin: 0, isInverse: false }),
    gain("offset", [3, 4], { origin: -1, isInverse: true }),
  ],
};

const weightsOf = () =>
  new Map(
    Object.entries({ gain: [2, -4], reader: [3, 5, 7], offset: [1, 3], writer: [8, 12, 6], other: [9] }).map(
      ([name, values]) => [name, Float64Array.from(values)],
    ),
  );
const plain = (weights: ReadonlyMap<string, Float64Array>) =>
  Object.fromEntries([...weights].map(([name, values]) => [name, [...values]]));

describe("readGains()", () => {
  test("adds what the graph adds", () => {
    expect(plain(readGains(weightsOf(), MIXING))).toEqual({ gain: [2, -4], offset: [2, 4] });
  });
});

describe("moveGainsInPlace()", () => {
  test("makes gains 1, and moves them into the weights that read or write", () => {
    const weights = weightsOf();
    moveGainsInPlace(weights, SCALES, MIXING, new Map());
    expect(plain(weights)).toEqual({
      gain: [1, 1],
      reader: [6, -20, 7],
      // The graph adds 1.
      offset: [0, 0],
      writer: [16, 48, 6],
      other: [9],
    });
  });

  test("gives gains the values of another network, and takes them back", () => {
    const weights = weightsOf();
    moveGainsInPlace(weights, SCALES, MIXING, new Map([["gain", Float64Array.of(4, 8)]]));
    expect(plain(readGains(weights, MIXING))).toEqual({ gain: [4, 8], offset: [1, 1] });
    expect([...(weights.get("reader") ?? [])]).toEqual([1.5, -2.5, 7]);
    moveGainsInPlace(weights, SCALES, MIXING, readGains(weightsOf(), MIXING));
    expect(plain(weights)).toEqual(plain(weightsOf()));
  });

  test.each([
    ["is 0", [2, 0], new Map(), "element 1 is 0"],
    ["becomes 0", [2, -4], new Map([["gain", Float64Array.of(0, 1)]]), "element 0 is 2"],
  ])("refuses a gain that %s", (_, values, gains, what) => {
    const weights = weightsOf().set("gain", Float64Array.from(values));
    const moving = () => moveGainsInPlace(weights, SCALES, MIXING, gains);
    expect(moving).toThrow(UnsupportedError);
    expect(moving).toThrow(expect.objectContaining({ feature: "gain" }));
    expect(moving).toThrow(
      `Cannot move the gain "gain" into the weights beside it as no element may be 0: ${what}; permutations alone still work`,
    );
  });
});
