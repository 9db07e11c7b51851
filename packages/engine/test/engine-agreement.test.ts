import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import { createWebEngine } from "@isthmus/engine/web";
import type { Engine, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/helpers/expect-close.ts";
import { graphOfCase } from "../../../test/helpers/operator-cases/draw.ts";
import { INFERENCE_CASES } from "../../../test/helpers/operator-cases/inference.ts";
import { OPERATOR_CASES } from "../../../test/helpers/operator-cases/table.ts";

const onnxruntime = createOnnxRuntimeEngine();

async function runOn(engine: Engine, graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.load(graph, { threads: 1, optimize: false });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

const SEEDS = [0, 1, 2, 3, 4, 5];

/** Engines to compare with onnxruntime: kernels in WebAssembly are its own, so that one case of each use of an operator shows that they are there. */
const ENGINES = [
  ["tfjs-wasm", () => createTfjsEngine({ backend: "wasm" }), OPERATOR_CASES, SEEDS],
  ["tfjs-cpu", () => createTfjsEngine({ backend: "cpu" }), OPERATOR_CASES, SEEDS],
  ["onnxruntime-wasm", () => createWebEngine(), [...OPERATOR_CASES, ...INFERENCE_CASES], [0]],
] as const;

describe.each(ENGINES)("%s", async (_, create, cases, seeds) => {
  const engine = await create();

  it.each(cases.map((each) => [`${each.op} ${each.detail ?? ""}`.trim(), each] as const))(
    "computes %s as onnxruntime does",
    async (_, each) => {
      for (const seed of seeds) {
        const { graph, feeds } = graphOfCase(each, seed);
        const [wanted, got] = [await runOn(onnxruntime, graph, feeds), await runOn(engine, graph, feeds)];
        expect([...got.keys()]).toEqual([...wanted.keys()]);
        for (const [name, tensor] of wanted) expectClose(got.get(name), tensor, 1e-5);
      }
    },
  );
});
