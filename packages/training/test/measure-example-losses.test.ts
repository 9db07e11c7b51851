import { createCheckpoint, createTensor } from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { GraphBuilder, type Value } from "@isthmus/graph/builder";
import { measureExampleLosses } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { stripes } from "../../../test/helpers/stripes.ts";

const engine = createOnnxRuntimeEngine();

/** Logits of five classes at each of four positions, by the token there. */
function tagger(batch: number | "N" = "N"): Graph {
  const builder = new GraphBuilder("tagger", 21);
  const rows = batch === "N" ? 2 : batch;
  const ids = builder.input("ids", { dtype: "i64", shape: [rows, 4] });
  const table = builder.weight("table", { dtype: "f32", shape: [7, 5] });
  const [logits] = builder.emit("Gather", [table, ids], [{ dtype: "f32", shape: [rows, 4, 5] }]) as [Value];
  return builder.build([logits], batch === "N" ? { batchName: "N" } : {});
}

const tokens = createTensor(
  "i64",
  [5, 4],
  BigInt64Array.from({ length: 20 }, (_, i) => BigInt((i * i) % 7)),
);

const meanOf = (losses: Float64Array): number => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;

describe("measureExampleLosses()", () => {
  it.each<[string, () => DataSet]>([
    ["mlp:8", () => stripes(23)],
    ["resnet8:w0.25", () => stripes(23)],
    ["gpt:d1:w16:h2", () => createTextDataSet(markovText(300, 0), { context: 12 })],
  ])(
    "measureExampleLosses() of %s has the evaluation's loss as its mean, in any batches",
    async (name, open) => {
      const data = open();
      const { graph, initialize } = parseNetwork(name, data);
      const evaluator = await createEvaluator({ graph, engine }, data);
      const { loss } = await evaluator.evaluate(initialize(1));
      await evaluator.release();
      const [large, small] = [
        await measureExampleLosses({ graph, engine }, initialize(1), data),
        await measureExampleLosses({ graph, engine }, initialize(1), data, { batch: 5 }),
      ];
      expect(large).toHaveLength(data.size);
      expect(meanOf(large)).toBeCloseTo(loss, 5);
      large.forEach((value, i) => {
        expect(small[i]).toBeCloseTo(value, 5);
      });
      expect(new Set(large).size).toBeGreaterThan(1);
    },
  );

  it("measureExampleLosses() leaves out positions that do not count; 0 if none does", async () => {
    const labels = (skips: (i: number) => boolean) =>
      createTensor(
        "i64",
        [5, 4],
        BigInt64Array.from({ length: 20 }, (_, i) => (skips(i) ? -100n : BigInt(i % 5))),
      );
    const graph = tagger();
    const weights = createCheckpoint(randomWeights(graph, 1));
    const table = randomWeights(graph, 1).get("table")?.data as Float32Array;
    const lossAt = (i: number) => {
      const row = table.subarray(5 * ((i * i) % 7), 5 * ((i * i) % 7) + 5);
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[i % 5] ?? Number.NaN);
    };
    const skips = (i: number) => i < 4 || i % 3 === 0;
    const losses = await measureExampleLosses(
      { graph, engine },
      weights,
      createDataSet(tokens, labels(skips)),
      { batch: 3 },
    );
    for (let example = 0; example < 5; example++) {
      const counted = [0, 1, 2, 3].map((k) => 4 * example + k).filter((i) => !skips(i));
      const expected = counted.reduce((sum, i) => sum + lossAt(i), 0) / Math.max(1, counted.length);
      expect(losses[example]).toBeCloseTo(expected, 5);
    }
    expect(losses[0]).toBe(0);
    const whole = await measureExampleLosses(
      { graph, engine },
      weights,
      createDataSet(
        tokens,
        labels(() => false),
      ),
    );
    expect(whole[0]).toBeCloseTo((lossAt(0) + lossAt(1) + lossAt(2) + lossAt(3)) / 4, 5);
  });

  it("measureExampleLosses() takes the mean of squared errors over an example", async () => {
    const data = stripes(9);
    const { graph, initialize } = parseNetwork("mlp:8", data);
    const kind = "mean-squared-error";
    const losses = await measureExampleLosses({ graph, engine }, initialize(1), data, {
      loss: { kind },
      batch: 4,
    });
    expect(losses.every((loss) => loss > 0)).toBe(true);
    const alone = await measureExampleLosses({ graph, engine }, initialize(1), data, {
      loss: { kind },
      batch: 1,
    });
    losses.forEach((loss, i) => {
      expect(alone[i]).toBeCloseTo(loss, 6);
    });
  });

  it("measureExampleLosses() refuses a loss of whole batches, and batches that are not there", async () => {
    const data = createDataSet(tokens, createTensor("i64", [5, 4], new BigInt64Array(20)));
    const builder = new GraphBuilder("summed", 21);
    const x = builder.input("x", { dtype: "f32", shape: [1, 2] });
    const w = builder.weight("w", { dtype: "f32", shape: [2, 1] });
    const [y] = builder.emit("MatMul", [x, w], [{ dtype: "f32", shape: [1, 1] }]) as [Value];
    const summed = builder.build([y]);
    const rows = createDataSet(createTensor("f32", [3, 2], new Float32Array(6)), new Int32Array(3));
    const of = (graph: Graph) => createCheckpoint(randomWeights(graph, 1));
    const measure = measureExampleLosses({ graph: summed, engine }, of(summed), rows, {
      loss: { kind: "output", output: y.name },
    });
    await expect(measure).rejects.toThrow(
      /the graph computes it as one number for a whole batch; name another loss/,
    );
    const fixed = measureExampleLosses({ graph: tagger(8), engine }, of(tagger(8)), data);
    await expect(fixed).rejects.toThrow(
      /takes batches of 8 examples only: there are 5; free its batch by freeBatch/,
    );
    const aborted = { signal: AbortSignal.abort() };
    await expect(
      measureExampleLosses({ graph: tagger(), engine }, of(tagger()), data, aborted),
    ).rejects.toThrow(/abort/i);
  });
});
