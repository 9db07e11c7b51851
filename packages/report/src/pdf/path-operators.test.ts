import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { circlePath, pathOperators } from "./draw-figure.ts";

const coordinate = fc.integer({ min: -500, max: 500 });

/** Cubic curves of operators, as the four points of each. */
function curvesOf(operators: string): (readonly [number, number])[][] {
  let at: readonly [number, number] = [0, 0];
  return operators.split("\n").flatMap((operator) => {
    const numbers = operator.split(" ").slice(0, -1).map(Number);
    const points = numbers.flatMap((x, index) =>
      index % 2 === 0 ? [[x, numbers[index + 1] ?? 0] as const] : [],
    );
    const curve = operator.endsWith("c") ? [[at, ...points]] : [];
    at = points.at(-1) ?? at;
    return curve;
  });
}

function pointOn(points: readonly (readonly [number, number])[], t: number): [number, number] {
  const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
  const sum = (axis: 0 | 1) => points.reduce((total, point, k) => total + (weights[k] ?? 0) * point[axis], 0);
  return [sum(0), sum(1)];
}

describe("pathOperators()", () => {
  it("pathOperators() writes lines with absolute coordinates", () => {
    expect(pathOperators("M1,2l3,0v-2H0L5,5Z")).toBe("1 2 m\n4 2 l\n4 0 l\n0 0 l\n5 5 l\nh");
    expect(pathOperators("M0,0C1,2,3,4,5,6")).toBe("0 0 m\n1 2 3 4 5 6 c");
  });

  it("pathOperators() writes circles whose every point has the distance of the radius", () => {
    fc.assert(
      fc.property(coordinate, coordinate, fc.integer({ min: 1, max: 100 }), (x, y, radius) => {
        const curves = curvesOf(pathOperators(circlePath(x, y, radius)));
        expect(curves.length).toBeGreaterThanOrEqual(4);
        for (const curve of curves) {
          for (const t of [0, 0.25, 0.5, 0.75, 1]) {
            const [px, py] = pointOn(curve, t);
            // Four cubic curves are within 3e-4 of a circle of radius 1; coordinates have 3 decimals.
            expect(Math.abs(Math.hypot(px - x, py - y) - radius)).toBeLessThan(3e-4 * radius + 2e-3);
          }
        }
      }),
    );
  });

  it("pathOperators() writes quadratic curves as the cubic ones that are the same", () => {
    fc.assert(
      fc.property(fc.array(coordinate, { minLength: 6, maxLength: 6 }), (numbers) => {
        const [x = 0, y = 0, cx = 0, cy = 0, ex = 0, ey = 0] = numbers;
        const [curve = []] = curvesOf(pathOperators(`M${x},${y}Q${cx},${cy},${ex},${ey}`));
        const [px, py] = pointOn(curve, 0.5);
        expect(px).toBeCloseTo((x + 2 * cx + ex) / 4, 2);
        expect(py).toBeCloseTo((y + 2 * cy + ey) / 4, 2);
      }),
    );
  });
});
