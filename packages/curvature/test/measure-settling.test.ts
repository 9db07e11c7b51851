import { measureCurvature, measureSettling } from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { limitExamples } from "@isthmus/graph";
import { measureExampleLosses } from "@isthmus/training";
import { describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallMlp();
const architecture = { graph, engine };
const network = randomNetwork(graph, 1);
const data = randomExamples([6], { size: 40, classes: 4, seed: 3 });

/** Repeats one example with each of some labels. */
const oneExample = (labels: readonly number[]) => {
  const data = Float32Array.from({ length: 6 * labels.length }, (_, i) => (i % 6) / 3 - 1);
  return createDataSet({ dtype: "f32", shape: [labels.length, 6], data }, Int32Array.from(labels));
};

describe("measureSettling()", () => {
  test("has the Hessian of the first examples, and the same for the same seed in any batches", async () => {
    const options = { sizes: [5, 20], samples: 3, steps: 60, traceProducts: 400 };
    const settling = await measureSettling(architecture, network, data, options);
    expect(settling).toMatchObject({ kind: "settling", examples: 40, samples: 3, deviation: 0.01, seed: 0 });
    expect(settling.points.map(({ size }) => size)).toEqual([5, 20]);
    for (const { size, loss, largest, trace } of settling.points) {
      const whole = { count: 1, traceProducts: 400, runs: 0, tolerance: 1e-6 };
      const alone = await measureCurvature(architecture, network, limitExamples("", data, size), whole);
      expect(loss).toBeCloseTo(alone.loss, 6);
      expect(largest.value / (alone.eigenvalues?.largest[0]?.value ?? Number.NaN)).toBeCloseTo(1, 3);
      expect(trace / (alone.trace?.trace ?? Number.NaN)).toBeCloseTo(1, 4);
    }
    const again = await measureSettling(architecture, network, data, { ...options, batchSize: 7 });
    again.points.forEach(({ change, trace }, i) => {
      expect(change / (settling.points[i]?.change ?? Number.NaN)).toBeCloseTo(1, 4);
      expect(trace / (settling.points[i]?.trace ?? Number.NaN)).toBeCloseTo(1, 4);
    });
    const nested = await measureCurvature(architecture, network, data, {
      ...{ count: 0, traceProducts: 0, runs: 0, settling: options },
    });
    expect(nested.settling).toEqual(settling);
  });

  test("changes by what the next loss is apart from the mean, over one more", async () => {
    const labels = Array.from({ length: 20 }, (_, i) => i % 2);
    const two = oneExample(labels);
    const [first = 0, second = 0] = await measureExampleLosses(architecture, network, two);
    const options = { sizes: [1, 2], samples: 4, deviation: 1e-9, steps: 5, traceProducts: 6 };
    const { points } = await measureSettling(architecture, network, two, options);
    // After one example, ten of the nineteen that are left have the other label.
    expect(points[0]?.change).toBeCloseTo(((Math.abs(first - second) / 2) * 10) / 19, 5);
    expect(points[0]?.changeError).toBeLessThan(1e-6);
    const same = await measureSettling(architecture, network, oneExample(labels.map(() => 1)), options);
    for (const { change } of same.points) expect(change).toBeLessThan(1e-6);
  });

  test("falls like one over the number of examples", async () => {
    const many = randomExamples([6], { size: 600, classes: 4, seed: 3 });
    const options = { samples: 4, steps: 5, traceProducts: 6 };
    const { exponent, points } = await measureSettling(architecture, network, many, options);
    expect(points.map(({ size }) => size)).toEqual([16, 32, 64, 128, 256, 512]);
    expect(exponent).toBeGreaterThan(-1.1);
    expect(exponent).toBeLessThan(-0.9);
  });

  test.each([
    [{ sizes: [10, 10] }, '"sizes" must be whole numbers that rise and are fewer than the 40 examples'],
    [{ sizes: [10, 40] }, "they are [10, 40]; choose others, or take more examples"],
    [{ sizes: [0.5] }, '"sizes[0]" must be a whole number of at least 1: it is 0.5'],
    [{ sizes: [] }, '"sizes" must be'],
    [{ examples: 16 }, "fewer than the 16 examples"],
    [{ deviation: 0 }, '"deviation" must be a number above 0: it is 0'],
    [{ samples: 1 }, '"samples"'],
    [{ traceProducts: 5 }, '"traceProducts"'],
  ])("refuses %j", async (options, message) => {
    await expect(measureSettling(architecture, network, data, options)).rejects.toThrow(message);
  });
});
