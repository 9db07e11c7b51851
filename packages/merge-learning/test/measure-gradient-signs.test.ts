import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { measureGradientSigns } from "@isthmus/merge-learning";
import { mlp } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";

const engine = createOnnxRuntimeEngine();
const { graph, initialize } = mlp({ widths: [6], activation: "tanh" }, { exampleShape: [4], classes: 3 });
const architecture = { graph, engine };
const [base, a, b] = [initialize(0), initialize(1), initialize(2)];

/** Makes examples whose labels follow from their numbers, or contradict them. */
function examplesOf(shift: number): DataSet {
  const inputs = Float32Array.from({ length: 48 }, (_, i) => Math.sin(3 * i + 1));
  const labels = Int32Array.from({ length: 12 }, (_, i) =>
    (inputs[4 * i] ?? 0) > 0 ? shift : (shift + 1) % 3,
  );
  return createDataSet(createTensor("f32", [12, 4], inputs), labels, { classes: 3 });
}

describe("measureGradientSigns()", () => {
  test("measures the slope that differences of the loss show", async () => {
    const data = examplesOf(0);
    const { slope, alignment } = await measureGradientSigns(architecture, [a, b], [data], { base });
    expect(alignment).toBeNull();
    const mean = lerp(a, b, 0.5);
    const evaluator = await createEvaluator(architecture, data);
    const lossAt = async (t: number) => (await evaluator.evaluate(lerp(base, mean, t))).loss;
    const step = 1e-2;
    const difference = ((await lossAt(1 + step)) - (await lossAt(1 - step))) / (2 * step);
    await evaluator.release();
    expect(slope).toBeCloseTo(difference, 3);
  });

  test("finds that one task pulls one way, and tasks that contradict each other do not", async () => {
    const same = await measureGradientSigns(architecture, [a, b], [examplesOf(0), examplesOf(0)]);
    expect(same.alignment).toBeCloseTo(1, 5);
    expect(same.slope).toBeNull();
    const other = await measureGradientSigns(architecture, [a, b], [examplesOf(0), examplesOf(1)]);
    expect(other.alignment).toBeLessThan(0.9);
  });

  test("takes one data set, or one for each network, and the first examples", async () => {
    const data = examplesOf(0);
    await expect(measureGradientSigns(architecture, [a, b], [])).rejects.toThrow(/got 0/);
    await expect(measureGradientSigns(architecture, [a, b], [data], { examples: 0 })).rejects.toThrow(
      /examples/,
    );
    const few = await measureGradientSigns(architecture, [a, b], [data], { base, examples: 3 });
    expect(few.slope).not.toBeCloseTo(
      (await measureGradientSigns(architecture, [a, b], [data], { base })).slope ?? 0,
      6,
    );
  });
});
