import { describe, expect, test } from "vitest";
import { createCosts } from "../../bench/cost-matrices.ts";
import { certifyAssignment } from "./certify-assignment.ts";
import { solveAssignment } from "./solve-assignment.ts";

const square = { data: Float32Array.of(1, 2, 3, 5), rows: 2, columns: 2 };

function result(assignment: number[], rowDuals: number[], columnDuals: number[]) {
  return {
    assignment: Int32Array.from(assignment),
    rowDuals: Float64Array.from(rowDuals),
    columnDuals: Float64Array.from(columnDuals),
  };
}

describe("certifyAssignment()", () => {
  test("certifyAssignment() finds no gap at the optimum", () => {
    // 2 + 3 = 5 against 1 + 5 = 6: v = (-1, 0) makes both crossed edges tight.
    expect(certifyAssignment(square, result([1, 0], [2, 4], [-1, 0]))).toEqual({
      objective: 5,
      bound: 5,
      gap: 0,
    });
  });

  test("certifyAssignment() shows how far the duals leave the optimum open", () => {
    const certificate = certifyAssignment(square, result([0, 1], [0, 0], [0, 0]));
    expect(certificate).toEqual({ objective: 6, bound: 4, gap: 2 });
  });

  test("certifyAssignment() certifies a greatest sum", () => {
    const best = solveAssignment(square, { maximize: true });
    expect(certifyAssignment(square, best, { maximize: true })).toEqual({ objective: 6, bound: 6, gap: 0 });
  });

  test("certifyAssignment() counts the price of what a rectangle leaves free", () => {
    const wide = { data: Float32Array.of(5, 1), rows: 1, columns: 2 };
    expect(certifyAssignment(wide, result([0], [0], [0, -4])).gap).toBe(4);
    expect(certifyAssignment(wide, result([0], [0], [4, 0])).gap).toBe(4);
    expect(certifyAssignment(wide, result([1], [0], [0, 0])).gap).toBe(0);
    const tall = { data: Float32Array.of(5, 1), rows: 2, columns: 1 };
    expect(certifyAssignment(tall, result([0, -1], [0, -4], [0])).gap).toBe(4);
    expect(certifyAssignment(tall, result([-1, 0], [0, 0], [0])).gap).toBe(0);
  });

  test("certifyAssignment() notices when two columns of an optimum change places", () => {
    const cost = { data: createCosts("uniform", 60, 1), rows: 60, columns: 60 };
    const best = solveAssignment(cost);
    const worse = best.assignment.slice();
    [worse[3], worse[4]] = [worse[4]!, worse[3]!];
    expect(certifyAssignment(cost, { ...best, assignment: worse }).gap).toBeGreaterThan(1e-4);
  });

  test("certifyAssignment() refuses what is no complete matching of allowed edges", () => {
    const none = [0, 0];
    expect(() => certifyAssignment(square, result([1, 1], none, none))).toThrow(/number 1 is matched with 1/);
    expect(() => certifyAssignment(square, result([1, -1], none, none))).toThrow(/matched with -1/);
    expect(() => certifyAssignment(square, result([2, 0], none, none))).toThrow(/matched with 2/);
    const tall = { data: new Float32Array(3), rows: 3, columns: 1 };
    expect(() => certifyAssignment(tall, result([0, 0, -1], [0, 0, 0], [0]))).toThrow(/row 1 has column 0/);
    expect(() => certifyAssignment(tall, result([-1, -1, -1], [0, 0, 0], [0]))).toThrow(/matched with -1/);
    const forbidden = { ...square, data: Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 5) };
    expect(() => certifyAssignment(forbidden, result([1, 0], none, none))).toThrow(/\(1, 0\) is Infinity/);
  });

  test("certifyAssignment() refuses lengths that do not agree", () => {
    expect(() => certifyAssignment(square, result([0], [0, 0], [0, 0]))).toThrow(RangeError);
    expect(() => certifyAssignment(square, result([0, 1], [0], [0, 0]))).toThrow(/rowDuals must have 2/);
    expect(() => certifyAssignment(square, result([0, 1], [0, 0], [0]))).toThrow(/columnDuals must have 2/);
  });
});
