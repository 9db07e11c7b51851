import { createTensor, type Tensor } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { add, GraphBuilder, matMul } from "../builder/index.ts";
import type { Engine, LoadOptions } from "../engine.ts";
import type { Graph } from "../ir/graph.ts";
import { runAll, runOnce } from "./run-all.ts";

/** An engine that keeps what it is asked to load, and counts the sessions that are open. */
function fakeEngine() {
  const loaded: { readonly graph: Graph; readonly options: LoadOptions | undefined }[] = [];
  const open = { sessions: 0 };
  const engine: Engine = {
    name: "fake",
    load: async (graph, options) => {
      loaded.push({ graph, options });
      open.sessions++;
      return {
        run: async (feeds) => {
          if (feeds.has("bad")) throw new Error("refused");
          return new Map();
        },
        release: async () => {
          open.sessions--;
        },
      };
    },
  };
  return { engine, loaded, open };
}

/** `x [2, 2] w [2, 2] + w`. */
function build(): Graph {
  const builder = new GraphBuilder("sum", 21);
  const w = builder.weight("w", { dtype: "f32", shape: [2, 2] });
  return builder.build([add(matMul(builder.input("x", { dtype: "f32", shape: [2, 2] }), w), w)]);
}

const feeds = (size: number): Map<string, Tensor> =>
  new Map([["x", createTensor("f32", [size], new Float32Array(size))]]);

describe("runOnce()", () => {
  test.each([
    [2 ** 18, 1],
    [2 ** 18 + 1, 0],
  ])(
    "runOnce() of %d numbers takes %d threads, where 0 is as many as the engine likes",
    async (size, threads) => {
      const { engine, loaded } = fakeEngine();
      await runOnce(build(), engine, feeds(size));
      expect(loaded.map(({ options }) => options)).toEqual([{ threads, optimize: false }]);
    },
  );

  test("runOnce() frees the session, also of a run that fails", async () => {
    const { engine, open } = fakeEngine();
    await runOnce(build(), engine, feeds(1));
    await expect(
      runOnce(build(), engine, new Map([["bad", createTensor("f32", [1], new Float32Array(1))]])),
    ).rejects.toThrow("refused");
    expect(open.sessions).toBe(0);
  });
});

describe("runAll()", () => {
  test("runAll() asks for every value, by the same graph each time", async () => {
    const { engine, loaded } = fakeEngine();
    const graph = build();
    await runAll(graph, engine, feeds(1));
    await runAll(graph, engine, feeds(2));
    const [first, second] = loaded;
    expect(second?.graph).toBe(first?.graph);
    const computed = graph.nodes.flatMap(({ outputs }) => outputs);
    expect(computed).toHaveLength(2);
    expect(first?.graph.outputs.map(({ name }) => name).sort()).toEqual([...computed].sort());
  });
});
