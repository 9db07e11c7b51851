import type { Tensor } from "@isthmus/core";
import { averagePredictions } from "@isthmus/ensemble";
import { bindWeights } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { smallArchitecture, testData, trained } from "./small-task.ts";

const { graph, engine } = smallArchitecture();
const anchors = [await trained(0), await trained(1), await trained(2)];

describe("averagePredictions()", () => {
  it("averagePredictions() is the mean over networks of the softmax of their logits", async () => {
    const bound = await Promise.all(anchors.map((anchor) => bindWeights(graph, anchor)));
    const [mean] = await averagePredictions({ graph, engine, data: [testData] }, anchors, { batchSize: 7 });
    const session = await engine.load(graph, { threads: 1 });
    const expected = new Float64Array(40 * 3);
    for (const weights of bound) {
      const feeds = new Map<string, Tensor>(weights).set("x", testData.read(0, 40).inputs);
      const logits = [...(await session.run(feeds)).values()][0]?.data as Float32Array;
      for (let i = 0; i < 40; i++) {
        const powers = [0, 1, 2].map((c) => Math.exp(logits[3 * i + c] ?? 0));
        const total = powers.reduce((a, b) => a + b);
        powers.forEach((power, c) => {
          expected[3 * i + c] = (expected[3 * i + c] ?? 0) + power / total / 3;
        });
      }
    }
    await session.release();
    // Batches of another size may round logits differently.
    mean?.probabilities.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? 0, 5);
    });
    await expect(averagePredictions({ graph, engine, data: [testData] }, [])).rejects.toThrow(
      /at least one network/,
    );
  });
});
