import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { conv, GraphBuilder, gemm, maxPool, mul, reduceSum, relu, reshape } from "@isthmus/graph/builder";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it, vi } from "vitest";
import { createTfjsEngine } from "./create-tfjs-engine.ts";

/** A small network with convolution, pooling, a constant and a loss. */
function network(): Graph {
  const builder = new GraphBuilder("net", 17);
  const x = builder.input("x", { dtype: "f32", shape: [2, 1, 6, 6] });
  const kernel = builder.weight("kernel", { dtype: "f32", shape: [3, 1, 3, 3] });
  const table = builder.weight("table", { dtype: "f32", shape: [12, 4] });
  const features = maxPool(relu(conv(x, kernel)), [2, 2]);
  const y = builder.rename(mul(gemm(reshape(features, [2, 12]), table), 2), "y");
  return builder.build([y, builder.rename(reduceSum(mul(y, y)), "loss")]);
}

function feedsOf(graph: Graph): Map<string, Tensor> {
  const random = createRandom(1);
  return new Map(
    [...graph.inputs.map(({ name }) => name), ...graph.weights.keys()].map((name) => {
      const { shape } = graph.types!.get(name)!;
      return [
        name,
        { dtype: "f32", shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) },
      ];
    }),
  );
}

describe("createTfjsEngine()", () => {
  it("is named after the backend, by default the fastest that is installed", async () => {
    expect((await createTfjsEngine()).name).toBe("tfjs-wasm");
    expect((await createTfjsEngine({ backend: "cpu" })).name).toBe("tfjs-cpu");
  });

  it("names the package to add where the backend asked for is not installed", async () => {
    const create = createTfjsEngine({ backend: "node-gpu" });
    await expect(create).rejects.toMatchObject({ _tag: "UnsupportedError" });
    await expect(create).rejects.toThrow("@tensorflow/tfjs-node-gpu");
  });

  it("refuses a backend there is not", async () => {
    await expect(createTfjsEngine({ backend: "webgl" as "cpu" })).rejects.toThrow(RangeError);
  });

  it("prints nothing and leaves no listeners for crashes in the process", async () => {
    const warn = vi.spyOn(console, "warn");
    const before = process.listenerCount("unhandledRejection");
    const engine = await createTfjsEngine({ backend: "cpu" });
    const session = await engine.load(network());
    await session.run(feedsOf(network()));
    await session.release();
    await createTfjsEngine({ backend: "wasm" });
    expect(warn).not.toHaveBeenCalled();
    expect(process.listenerCount("unhandledRejection")).toBe(before);
  });

  it.each(["wasm", "cpu"] as const)("frees all it allocates on %s, after failures too", async (backend) => {
    const engine = await createTfjsEngine({ backend });
    const graph = network();
    const feeds = feedsOf(graph);
    const count = () => ({ tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers });
    const before = count();
    const session = await engine.load(graph);
    const tape = await engine.loadWithTape!(graph, { loss: "loss", withRespectTo: ["kernel", "table", "x"] });
    const loaded = count();
    for (let i = 0; i < 5; i++) {
      await session.run(feeds);
      await tape.run(feeds);
      await expect(session.run(new Map())).rejects.toMatchObject({ _tag: "EngineError" });
      const small: Tensor = { dtype: "f32", shape: [1], data: new Float32Array(1) };
      await expect(tape.run(feeds, new Map([["y", small]]))).rejects.toMatchObject({ _tag: "EngineError" });
      expect(count()).toEqual(loaded);
    }
    await session.release();
    await tape.release();
    expect(count()).toEqual(before);
  });

  it("computes on its own backend while another is in use", async () => {
    const graph = network();
    const feeds = feedsOf(graph);
    const sessions = [];
    for (const backend of ["wasm", "cpu"] as const) {
      const engine = await createTfjsEngine({ backend });
      sessions.push(await engine.load(graph));
    }
    const [first, second] = await Promise.all(sessions.map((session) => session.run(feeds)));
    const values = (outputs: typeof first) => [...(outputs!.get("y")!.data as Float32Array)];
    values(first).forEach((value, i) => {
      expect(value).toBeCloseTo(values(second)[i]!, 4);
    });
    for (const session of sessions) await session.release();
  });

  it("refuses double precision and operators it lacks, naming them", async () => {
    const engine = await createTfjsEngine();
    const builder = new GraphBuilder("double", 17);
    const x = builder.input("x", { dtype: "f64", shape: [1] });
    const load = engine.load(builder.build([mul(x, x)]));
    await expect(load).rejects.toMatchObject({ _tag: "UnsupportedError", feature: "f64" });
    const other = new GraphBuilder("odd", 17);
    const y = other.input("x", { dtype: "f32", shape: [1] });
    const odd = engine.load(other.build(other.emit("Odd", [y], [y])));
    await expect(odd).rejects.toMatchObject({ _tag: "UnsupportedError", feature: "Odd" });
  });
});
