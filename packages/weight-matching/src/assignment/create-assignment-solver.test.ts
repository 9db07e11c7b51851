import { isIsthmusError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { createCosts } from "../../bench/cost-matrices.ts";
import { certifyAssignment } from "./certify-assignment.ts";
import { createAssignmentSolver } from "./create-assignment-solver.ts";
import { solveAssignment } from "./solve-assignment.ts";

describe("createAssignmentSolver()", () => {
  test.each([
    [200, 200],
    [256, 256],
    [60, 75],
    [75, 60],
  ])("createAssignmentSolver() solves costs of %i x %i written straight into its memory", (rows, columns) => {
    const solver = createAssignmentSolver(256, 256);
    const data = createCosts("independent", 256, 3).slice(0, rows * columns);
    const expected = solveAssignment({ data, rows, columns });
    // Twice: what the first solve leaves behind must not matter.
    for (let round = 0; round < 2; ++round) {
      const view = solver.costs(rows, columns);
      expect(view.length).toBe(rows * columns);
      view.set(data);
      expect(solver.solve({ data: view, rows, columns })).toEqual(expected);
    }
  });

  test("createAssignmentSolver() solves problems of all sizes one after the other", () => {
    const solver = createAssignmentSolver(200, 150);
    const source = createCosts("uniform", 200, 4);
    for (const [rows, columns] of [
      [200, 150],
      [1, 1],
      [150, 150],
      [20, 150],
      [0, 7],
      [200, 3],
      [140, 140],
    ] as const) {
      const cost = { data: source.slice(0, rows * columns), rows, columns };
      const result = solver.solve(cost);
      expect(certifyAssignment(cost, result).gap).toBeLessThan(1e-12);
      expect(result).toEqual(solveAssignment(cost));
    }
  });

  test("createAssignmentSolver() does not let one result change with the next solve", () => {
    const solver = createAssignmentSolver(150, 150);
    const first = solver.solve({ data: createCosts("uniform", 150, 1), rows: 150, columns: 150 });
    const copy = structuredClone(first);
    solver.solve({ data: createCosts("uniform", 150, 2), rows: 150, columns: 150 });
    expect(first).toEqual(copy);
  });

  test("createAssignmentSolver() works on after an error", () => {
    const solver = createAssignmentSolver(40, 40);
    const data = createCosts("uniform", 40, 1);
    const cost = { data, rows: 40, columns: 40 };
    const expected = solver.solve(cost);
    data[41] = Number.NaN;
    let caught: unknown;
    try {
      solver.solve(cost);
    } catch (error) {
      caught = error;
    }
    expect(isIsthmusError(caught, "InputError")).toBe(true);
    expect(String(caught)).toContain("row 1, column 1 is NaN");
    const again = createCosts("uniform", 40, 1);
    expect(solver.solve({ ...cost, data: again })).toEqual(expected);
  });

  test("createAssignmentSolver() refuses problems larger than it was made for", () => {
    const solver = createAssignmentSolver(10, 20);
    expect(() => solver.costs(11, 5)).toThrow(/11 x 5 as this solver was made for at most 10 x 20/);
    expect(() => solver.solve({ data: new Float32Array(210), rows: 10, columns: 21 })).toThrow(RangeError);
  });

  test("createAssignmentSolver() refuses sizes that are not sizes or do not fit", () => {
    expect(() => createAssignmentSolver(-1, 5)).toThrow(/maxRows is -1/);
    expect(() => createAssignmentSolver(5, 1.5)).toThrow(/maxColumns is 1.5/);
    expect(() => createAssignmentSolver(32_768, 32_768)).toThrow(/must fit 4 GiB/);
  });
});
