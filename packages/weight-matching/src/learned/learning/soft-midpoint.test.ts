import { createCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, scoreBy } from "@isthmus/graph";
import { GraphBuilder, gemm } from "@isthmus/graph/builder";
import { describe, expect, it } from "vitest";
import { waves } from "../../../../../test/helpers/waves.ts";
import { createSoftMidpoint } from "./soft-midpoint.ts";

describe("createSoftMidpoint()", () => {
  it.each([
    ["mean-squared-error", 0],
    ["cross-entropy", 0.5],
  ] as const)("compares the outputs of a network scored by %s, without labels", async (loss, least) => {
    const builder = new GraphBuilder("linear", 21);
    const x = builder.input("x", { dtype: "f32", shape: ["N", 5] as never });
    const weight = builder.weight("w", { dtype: "f32", shape: [3, 5] });
    const graph = scoreBy(builder.build([gemm(x, weight, { transB: true })]), loss);
    const labelled = createDataSet(waves([8, 5], 2, 1), new Int32Array(8));
    const data: DataSet = { ...labelled, labelling: "none", classes: 0 };
    const network = createCheckpoint(new Map([["w", waves([3, 5], 1, 1)]]));
    const architecture = { graph, engine: createOnnxRuntimeEngine() };
    const options = { batchSize: 4, withRespectTo: ["w"] };
    const midpoint = await createSoftMidpoint(architecture, [network, network], data, options);
    // Numbers that are equal differ by nothing; classes keep the entropy of their predictions.
    const found = await midpoint.evaluate(new Map([["w", await network.read("w")]]), { batches: 2 });
    await midpoint.release();
    expect(found).toBeGreaterThanOrEqual(least);
    expect(found < 1e-9).toBe(loss === "mean-squared-error");
  });
});
