import { createCheckpoint, EngineError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type Engine, randomWeights, withLoad } from "@isthmus/graph";
import { train } from "@isthmus/training";
import fc from "fast-check";
import { expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";

const processor = createOnnxRuntimeEngine();
const graph = smallMlp();
const weights = createCheckpoint(randomWeights(graph, 0));

/** An engine whose memory holds so many examples of six numbers; `sizes` are the batches that it computed. */
function engineFor(most: number) {
  const [sizes, notes]: [number[], string[]] = [[], []];
  const loading = withLoad(processor, async (inner, loaded, options) => {
    const session = await inner.load(loaded, options);
    return {
      async run(feeds, out) {
        const rows = feeds.get("x")?.shape[0] ?? 0;
        if (options?.optimize !== false && rows > most)
          throw new EngineError("Cannot run: memory is full", { engine: "fake", lacksMemory: true });
        sizes.push(rows);
        return session.run(feeds, out);
      },
      release: () => session.release(),
    };
  });
  const engine: Engine = { name: "fake", load: loading.load, note: (text) => notes.push(text) };
  return { engine, sizes, notes };
}

it("an evaluation goes on by smaller batches if memory is too small, to the same result, and says so", async () => {
  const sizes = fc.record({
    examples: fc.integer({ min: 1, max: 40 }),
    batchSize: fc.integer({ min: 1, max: 40 }),
    most: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ examples, batchSize, most }) => {
      const data = randomExamples([6], { size: examples, classes: 4 });
      const evaluate = async (engine: Engine) => {
        const evaluator = await createEvaluator({ graph, engine }, data, { batchSize });
        const results = [await evaluator.evaluate(weights), await evaluator.evaluate(weights)];
        await evaluator.release();
        return results;
      };
      const { engine, sizes: run, notes } = engineFor(most);
      const [there, here] = [await evaluate(engine), await evaluate(processor)];
      for (const [i, { loss, error }] of here.entries()) {
        expect(there[i]?.loss).toBeCloseTo(loss, 6);
        expect(there[i]?.error).toBe(error);
      }
      const counted = run.reduce((sum, size) => sum + size, 0);
      expect(counted).toBeGreaterThanOrEqual(2 * examples);
      expect(notes.length > 0).toBe(Math.min(batchSize, examples) > most);
      expect(new Set(notes).size).toBe(notes.length);
    }),
    { numRuns: 20 },
  );
});

it("an evaluation fails if memory is too small for one example, or for another reason", async () => {
  const data = randomExamples([6], { size: 8, classes: 4 });
  const evaluator = await createEvaluator({ graph, engine: engineFor(0).engine }, data);
  await expect(evaluator.evaluate(weights)).rejects.toThrow("memory is full");
  const failing = withLoad(processor, async () => ({
    run: () => Promise.reject(new EngineError("Cannot run: it is lost", { engine: "fake" })),
    async release() {},
  }));
  const other = await createEvaluator({ graph, engine: failing }, data).catch((error: unknown) => error);
  const lost = other instanceof Error ? Promise.reject(other) : (other as typeof evaluator).evaluate(weights);
  await expect(lost).rejects.toThrow("it is lost");
});

it("a training whose batch does not fit names the batch, and what to set", async () => {
  const data = randomExamples([6], { size: 16, classes: 4 });
  const { engine } = engineFor(4);
  const training = train({ graph, engine }, weights, data, { seed: 0, epochs: 1, batch: 8 });
  await expect(training).rejects.toThrow(
    "Cannot train by batches of 8 examples as the memory of fake must hold their values: Cannot run: memory is full; set the batch to 4 or less, which changes the result",
  );
});
