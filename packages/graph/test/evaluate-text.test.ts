import { measureBarrier } from "@isthmus/barrier";
import { createTensor } from "@isthmus/core";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, createEvaluator, type DataSet, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { matchWeights } from "@isthmus/weight-matching";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it, test } from "vitest";
import { evaluateNetwork } from "../../../test/helpers/evaluate-network.ts";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";

const engine = createOnnxRuntimeEngine();
const CONTEXT = 12;
const text = createTextDataSet(markovText(300, 0), { context: CONTEXT });
const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
const a = initialize(0);

/** Loss and share right of each example: plain means over its tokens but the first. */
async function plainly(): Promise<{ losses: number[]; right: number[] }> {
  const session = await engine.load(graph);
  const { inputs } = text.read(0, text.size);
  const feeds = (await bindWeights(graph, a)).set(graph.inputs[0]?.name ?? "", inputs);
  const [logits] = [...(await session.run(feeds)).values()];
  await session.release();
  const values = logits?.data as Float32Array;
  const tokens = Array.from(inputs.data, Number);
  const [losses, right] = [Array<number>(text.size).fill(0), Array<number>(text.size).fill(0)];
  for (let example = 0; example < text.size; example++) {
    for (let at = 0; at < CONTEXT - 1; at++) {
      const place = example * CONTEXT + at;
      const row = Array.from(values.subarray(place * text.classes, (place + 1) * text.classes));
      const next = tokens[place + 1] ?? -1;
      const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
      losses[example] = (losses[example] ?? 0) - Math.log(Math.exp(row[next] ?? 0) / total) / (CONTEXT - 1);
      if (row.indexOf(Math.max(...row)) === next) right[example] = (right[example] ?? 0) + 1 / (CONTEXT - 1);
    }
  }
  return { losses, right };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("createEvaluator() on texts", () => {
  test.each([1, 7, 100])(
    "evaluate() scores every token but the first, in batches of %i",
    async (batchSize) => {
      const evaluator = await createEvaluator({ graph, engine }, text, { batchSize });
      const result = await evaluator.evaluate(a);
      await evaluator.release();
      const { losses, right } = await plainly();
      // Logits are f32 sums, whose rounding may depend on the batch.
      losses.forEach((loss, i) => {
        expect(Math.abs((result.losses[i] ?? Number.NaN) - loss)).toBeLessThan(1e-5);
        expect(result.right[i]).toBeCloseTo(right[i] ?? Number.NaN, 12);
      });
      expect(result.loss).toBeCloseTo(mean([...result.losses]), 12);
      expect(result.error).toBeCloseTo(1 - mean(right), 12);
      expect(result.error).toBeLessThan(1);
      expect(result.examples).toBe(text.size);
    },
  );

  it("evaluate() refuses tokens of which none follows another", async () => {
    const single = createDataSet(
      { dtype: "i64", shape: [3, 1], data: BigInt64Array.of(0n, 1n, 2n) },
      Int32Array.of(0, 0, 0),
    );
    const short = parseNetwork("gpt:d1:w16:h2", { exampleShape: [1], classes: 3 });
    const evaluator = await createEvaluator({ graph: short.graph, engine }, single);
    const run = evaluator.evaluate(short.initialize(0));
    await expect(run).rejects.toThrow(
      /token ids \[examples, length\] or labels .*: got f32 \[3, 1, 3\] for i64 \[3, 1\]/,
    );
    await evaluator.release();
  });
});

/** A network of which each position sees the sum over all positions, or over those up to itself. */
function mixing(sees: "all" | "former") {
  const b = new GraphBuilder();
  const words = b.op("Gather", [b.weight("words", [text.classes, 8]), b.input("ids", [CONTEXT], "i64")]);
  const sum =
    sees === "all"
      ? b.op("ReduceSum", [words, b.ints(1)], { keepdims: 1 })
      : b.op("CumSum", [words, b.constant([1], [], true)]);
  return b.output(b.linear(b.op("Add", [words, sum]), "head", 8, text.classes)).build("mixing");
}

describe("createEvaluator() on language models", () => {
  const run = async (sees: "all" | "former", data: DataSet = text) => {
    const mixed = mixing(sees);
    return evaluateNetwork({ graph: mixed, data }, randomWeights(mixed, 1), { batchSize: 3 });
  };

  it("evaluate() refuses a network that sees the token it is to predict, whatever its padding", async () => {
    const message =
      /by the loss of the next token as a network must predict .* graph "mixing" sees the token .* as BERT .* labels that are -100/;
    await expect(run("all")).rejects.toThrow(message);
    const { inputs } = text.read(0, 6);
    const attention_mask = createTensor(
      "i64",
      [6, CONTEXT],
      BigInt64Array.from({ length: 6 * CONTEXT }, (_, i) => (i % CONTEXT < 5 ? 1n : 0n)),
    );
    const padded = createDataSet(inputs, undefined, {
      classes: text.classes,
      features: new Map([["attention_mask", attention_mask]]),
    });
    await expect(run("all", padded)).rejects.toThrow(message);
    expect((await run("former", padded)).tokens).toBe(6 * 4);
  });

  it("evaluate() takes such a network with labels of positions, and one that sees former tokens alone", async () => {
    const { inputs } = text.read(0, 6);
    const labels = createTensor("i64", [6, CONTEXT], new BigInt64Array(6 * CONTEXT));
    const masked = createDataSet(inputs, labels, { classes: text.classes });
    expect((await run("all", masked)).tokens).toBe(6 * CONTEXT);
    expect((await run("former")).loss).toBeGreaterThan(0);
  });
});

describe("measureBarrier() on texts", () => {
  it("is 0 between a language model and its aligned permuted copy, with intervals over examples", async () => {
    const symmetries = await discoverSymmetries({ graph, engine });
    const { spec } = symmetries;
    const copy = permute(randomAlignment(spec, 3), a, spec);
    const options = { points: 5, bootstrap: 50 };
    const apart = await measureBarrier({ graph, engine }, [a, copy], text, options);
    const { alignment } = await matchWeights({ spec, graph, engine }, [a, copy], { seed: 0 });
    const aligned = permute(alignment, copy, spec);
    const together = await measureBarrier({ graph, engine }, [a, aligned], text, options);
    // Rounding of f32 logits in another order of summation.
    expect(Math.abs(together.barrier.loss.chord)).toBeLessThan(1e-5);
    expect(
      Math.max(...apart.points.map(({ loss }) => Math.abs(loss - (apart.points[0]?.loss ?? 0)))),
    ).toBeGreaterThan(1e-4);
    expect(apart.interval?.loss.low).toBeLessThanOrEqual(apart.barrier.loss.chord);
    const evaluator = await createEvaluator({ graph, engine }, text);
    const { loss, error, perplexity } = await evaluator.evaluate(a);
    await evaluator.release();
    expect(apart.points[0]).toEqual({ t: 0, loss, error, perplexity });
  });
});
