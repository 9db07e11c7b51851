import { barrierValues, type MeasureBarrierOptions, measureBarrier } from "@isthmus/barrier";
import { type Checkpoint, createCheckpoint, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, createTemperedEvaluator, type DataSet, type Graph } from "@isthmus/graph";
import { lerp } from "@isthmus/interpolation";
import { recalibrateBatchNorm } from "@isthmus/statistics";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const graph = smallMlp();
const [a, b] = [randomNetwork(graph, 1), randomNetwork(graph, 2)];
const examples = (seed: number) =>
  randomExamples([6], { size: 50, classes: 4, seed, name: `random ${seed}` });

const measure = (options: MeasureBarrierOptions = {}, data = examples(3), ends = [a, b] as const) =>
  measureBarrier({ graph, engine }, ends, data, { points: 5, temperature: true, ...options });

/** The network with logits so many times as large. */
async function surer(network: Checkpoint, factor: number): Promise<Checkpoint> {
  const weights = [...(await bindWeights(graph, network))].map(([name, tensor]): [string, Tensor] => [
    name,
    name.startsWith("l2.")
      ? { ...tensor, data: (tensor.data as Float32Array).map((value) => factor * value) }
      : tensor,
  ]);
  return createCheckpoint(new Map(weights));
}

async function evaluateTempered(own: Graph, network: Checkpoint, data: DataSet) {
  const evaluator = await createTemperedEvaluator({ graph: own, engine }, { data });
  try {
    return (await evaluator.evaluate(network)).tempered;
  } finally {
    await evaluator.release();
  }
}

describe("measureBarrier() with temperatures", () => {
  test("has nowhere a loss above that without, and the rest as without", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 99 }), async (seed) => {
        const { tempered, ...result } = await measure({ bootstrap: 20 }, examples(seed));
        expect(result).toEqual(await measure({ bootstrap: 20, temperature: false }, examples(seed)));
        expect(tempered?.points.map(({ t }) => t)).toEqual(result.points.map(({ t }) => t));
        for (const [index, { loss, temperature }] of (tempered?.points ?? []).entries()) {
          expect(loss).toBeLessThanOrEqual((result.points[index]?.loss ?? 0) + 1e-12);
          expect(temperature).toBeGreaterThan(0);
        }
        expect(tempered).toMatchObject({ data: `random ${seed}`, examples: 50 });
      }),
      { numRuns: 4 },
    );
  });

  test("is the barrier of the losses with temperatures, and has an interval of its own", async () => {
    const { tempered, interval } = await measure({ bootstrap: 50 });
    const points = tempered?.points ?? [];
    const places = points.map(({ t }) => t);
    expect(tempered?.barrier).toEqual(
      barrierValues(
        places,
        points.map(({ loss }) => loss),
      ),
    );
    for (const [index, t] of places.entries()) {
      const network = t === 0 ? a : t === 1 ? b : lerp(a, b, t);
      const { loss, temperature } = await evaluateTempered(graph, network, examples(3));
      expect(points[index]).toEqual({ t, temperature, loss });
    }
    expect(tempered?.interval?.high).toBeGreaterThan(tempered?.barrier.chord ?? Number.NaN);
    expect(tempered?.interval).not.toEqual(interval?.loss);
    expect((await measure()).tempered).not.toHaveProperty("interval");
  });

  test("does not see how sure a network is", async () => {
    const ends = [await surer(a, 8), await surer(b, 8)] as const;
    // Labels for which no temperature is at an end of the range.
    const data = examples(6);
    const [plain, sure] = [await measure({}, data), await measure({}, data, ends)];
    for (const [index, { loss, temperature }] of (sure.tempered?.points ?? []).entries()) {
      const point = plain.tempered?.points[index];
      expect(loss).toBeCloseTo(point?.loss ?? Number.NaN, 6);
      expect(temperature / (8 * (point?.temperature ?? 0))).toBeCloseTo(1, 4);
    }
    expect(sure.points[0]?.loss).toBeGreaterThan(1.2 * (plain.points[0]?.loss ?? Number.NaN));
    expect(sure.tempered?.barrier.chord).toBeCloseTo(plain.tempered?.barrier.chord ?? Number.NaN, 6);
  });

  test("fits to the examples that statistics are measured on, after they are corrected", async () => {
    const normed = smallCnn();
    const ends = [randomNetwork(normed, 1), randomNetwork(normed, 2)] as const;
    const images = (seed: number) =>
      randomExamples([2, 4, 4], { size: 30, classes: 3, seed, name: `images ${seed}` });
    const [data, statisticsData] = [images(1), images(2)];
    const options = { points: 3, statistics: "recalibrate", statisticsData, temperature: true } as const;
    const { tempered } = await measureBarrier({ graph: normed, engine }, ends, data, options);
    const middle = await recalibrateBatchNorm({ graph: normed, engine }, lerp(...ends, 0.5), statisticsData);
    const { temperature } = await evaluateTempered(normed, middle, statisticsData);
    expect(tempered).toMatchObject({ data: "images 2", examples: 30 });
    expect(tempered?.points[1]?.temperature).toBe(temperature);
  });
});
