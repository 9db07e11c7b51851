import { gradient } from "@isthmus/autodiff";
import type { Tensor } from "@isthmus/core";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import type { Graph } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum } from "@isthmus/graph/builder";
import { describe, expect, it } from "vitest";
import { expectEqual, NETWORKS, objectiveOf, onnxruntime, runOn, SMALL, shake } from "./trained-networks.ts";

describe.each([
  ["wasm", NETWORKS],
  ["cpu", SMALL],
] as const)("loadWithTape() on tfjs-%s", async (backend, networks) => {
  const tfjs = await createTfjsEngine({ backend });

  it.each(networks.map((network) => [network[0], network] as const))(
    "gives the gradients of %s that gradient() gives, which both engines compute",
    async (_, network) => {
      const { graph, loss, feeds: plain } = await objectiveOf(network);
      const feeds = shake(plain);
      const parameters = [...graph.weights].filter(([, { role }]) => role === "parameter");
      const withRespectTo = parameters.map(([name]) => name);
      const differentiated = gradient(graph, { loss, withRespectTo });
      const wanted = await runOn(onnxruntime, differentiated, feeds);
      const session = await tfjs.loadWithTape!(graph, { loss, withRespectTo });
      expectEqual(await session.run(feeds), wanted);
      await session.release();
      expectEqual(await runOn(tfjs, differentiated, feeds), wanted);
    },
  );
});

describe("loadWithTape()", async () => {
  const tfjs = await createTfjsEngine();

  /** `loss = sum((x * w)²)`, and `unused`. */
  function square(): Graph {
    const builder = new GraphBuilder("square", 17);
    const x = builder.input("x", { dtype: "f32", shape: [2] });
    const w = builder.weight("w", { dtype: "f32", shape: [2] });
    builder.weight("unused", { dtype: "f32", shape: [3] });
    const y = builder.rename(mul(x, w), "y");
    return builder.build([builder.rename(reduceSum(mul(y, y)), "loss")]);
  }
  const f32 = (...values: number[]): Tensor => ({
    dtype: "f32",
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const feeds = new Map([
    ["x", f32(1, 2)],
    ["w", f32(3, -1)],
    ["unused", f32(0, 0, 0)],
  ]);

  it("differentiates by inputs and values that nodes compute, and gives zeros where there is no way", async () => {
    const graph = square();
    const options = { loss: "loss", withRespectTo: ["x", "y", "unused", "loss"] };
    const session = await tfjs.loadWithTape!(graph, options);
    const got = await session.run(feeds);
    await session.release();
    expect(
      Object.fromEntries([...got].map(([name, { data }]) => [name, [...(data as Float32Array)]])),
    ).toEqual({
      loss: [13],
      "d(loss)/d(x)": [18, 4],
      "d(loss)/d(y)": [6, -4],
      "d(loss)/d(unused)": [0, 0, 0],
      "d(loss)/d(loss)": [1],
    });
    expectEqual(got, await runOn(onnxruntime, gradient(graph, options), feeds));
  });

  it("refuses a loss that is no scalar, unknown values, and graphs without types", async () => {
    const graph = square();
    const load = (loss: string, ...withRespectTo: string[]) =>
      tfjs.loadWithTape!(graph, { loss, withRespectTo });
    await expect(load("y", "x")).rejects.toMatchObject({ _tag: "MismatchError", parameters: ["y"] });
    await expect(load("loss", "nothing")).rejects.toMatchObject({ _tag: "MismatchError" });
    const { types: _, ...untyped } = graph;
    const bare = tfjs.loadWithTape!(untyped, { loss: "loss", withRespectTo: ["x"] });
    await expect(bare).rejects.toMatchObject({ _tag: "MismatchError" });
  });
});
