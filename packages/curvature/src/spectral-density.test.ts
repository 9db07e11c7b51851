import { OutOfRangeError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { matrixOfSpectrum } from "../../../test/helpers/matrix-operator.ts";
import { smoothNodes, spectralDensity } from "./spectral-density.ts";

const SIZE = 200;
const spectrum = Array.from({ length: SIZE }, (_, i) => (i < 20 ? 8 + i / 20 : -1 + (3 * i) / SIZE));
const operator = matrixOfSpectrum(spectrum, 5);

const integral = ({
  range: [begin, end],
  density,
}: {
  range: readonly [number, number];
  density: readonly number[];
}) => (density.reduce((sum, y) => sum + y, 0) * (end - begin)) / (density.length - 1);

describe("spectralDensity()", () => {
  test("is the histogram of all eigenvalues, smoothed", async () => {
    const width = 0.4;
    const result = await spectralDensity(operator, { runs: 30, width, points: 400 });
    const [begin, end] = result.range;
    const distance = result.density.map((y, i) => {
      const x = begin + (i / 399) * (end - begin);
      const exact = spectrum.reduce((sum, value) => sum + Math.exp(-0.5 * ((x - value) / width) ** 2), 0);
      return Math.abs(y - exact / (SIZE * width * Math.sqrt(2 * Math.PI)));
    });
    expect(integral({ range: result.range, density: distance })).toBeLessThan(0.05);
    expect(integral(result)).toBeCloseTo(1, 4);
  });

  test("has nodes whose moments are the operator's", async () => {
    const { nodes } = await spectralDensity(operator, { runs: 40 });
    const moment = (power: number) =>
      nodes.values.reduce((sum, value, i) => sum + value ** power * (nodes.weights[i] as number), 0);
    expect(moment(0)).toBeCloseTo(1, 10);
    for (const power of [1, 2, 3]) {
      const exact = spectrum.reduce((sum, value) => sum + value ** power, 0) / SIZE;
      expect(Math.abs(moment(power) / exact - 1)).toBeLessThan(0.05);
    }
    expect(nodes.values).toEqual([...nodes.values].sort((x, y) => x - y));
  });

  test("has a width by the range, and another grid from the same nodes", async () => {
    const result = await spectralDensity(operator, { runs: 2, steps: 30 });
    const { values } = result.nodes;
    expect(values).toHaveLength(60);
    expect(result.width).toBeCloseTo(0.01 * ((values.at(-1) ?? 0) - (values[0] ?? 0)), 12);
    expect(result.density).toHaveLength(1000);
    const { density, range } = smoothNodes(result.nodes, { points: 1000, width: 0 });
    expect({ density, range }).toEqual({ density: result.density, range: result.range });
    expect(integral(smoothNodes(result.nodes, { points: 10_000, width: 0.5 }))).toBeCloseTo(1, 4);
  });

  test("is one Gaussian where all eigenvalues are equal", async () => {
    const { nodes, range } = await spectralDensity(matrixOfSpectrum(Array<number>(40).fill(2), 0), {
      runs: 3,
    });
    expect(nodes.values.every((value) => Math.abs(value - 2) < 1e-10)).toBe(true);
    expect(range[0]).toBeLessThan(2);
    expect(range[1]).toBeGreaterThan(2);
  });

  test("refuses options out of range", async () => {
    await expect(spectralDensity(operator, { points: 1 })).rejects.toThrow(OutOfRangeError);
    await expect(spectralDensity(operator, { width: -1 })).rejects.toThrow(OutOfRangeError);
  });
});
