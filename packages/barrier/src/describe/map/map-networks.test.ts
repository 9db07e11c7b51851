import { describe, expect, it } from "vitest";
import { mapResult } from "../../../test/map-result.ts";
import { bracketsOf, orderOf, squareInOrder } from "./map-networks.ts";

describe("bracketsOf()", () => {
  it("bracketsOf() lays joins over the columns in their order, as shares of the tallest", () => {
    const { after } = mapResult();
    const brackets = bracketsOf(after, after.tree.order);
    expect(brackets[0]).toEqual({ left: 0, right: 1, leftHeight: 0, rightHeight: 0, height: 0 });
    expect(brackets.at(-1)).toMatchObject({ left: 0.5, height: 1 });
    expect(brackets.every(({ left, right }) => left < right)).toBe(true);
  });

  it("bracketsOf() draws no tree whose branches would cross", () => {
    const { tree, ...after } = mapResult().after;
    const [first = 0, second = 0, ...others] = tree.order;
    expect(bracketsOf({ ...after, tree }, [first, ...others, second])).toEqual([]);
  });
});

describe("squareInOrder()", () => {
  it("squareInOrder() is symmetric, and null on the diagonal", () => {
    const result = mapResult();
    const square = squareInOrder(result.before, orderOf(result), ({ loss }) => loss);
    expect(square.map((_, i) => square.map((row) => row[i]))).toEqual(square);
    expect(
      square.every((row, i) => row[i] === null && row.filter((value) => value === null).length === 1),
    ).toBe(true);
  });
});
