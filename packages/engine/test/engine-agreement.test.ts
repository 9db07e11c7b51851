import type { Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import type { Engine, Graph } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { expectClose } from "../../../test/helpers/expect-close.ts";
import { graphOfCase } from "../../../test/helpers/operator-cases/draw.ts";
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

describe.each(["wasm", "cpu"] as const)('createTfjsEngine({ backend: "%s" })', async (backend) => {
  const tfjs = await createTfjsEngine({ backend });

  it.each(OPERATOR_CASES.map((each) => [`${each.op} ${each.detail ?? ""}`.trim(), each] as const))(
    "computes %s as onnxruntime does",
    async (_, each) => {
      for (const seed of SEEDS) {
        const { graph, feeds } = graphOfCase(each, seed);
        const [wanted, got] = [await runOn(onnxruntime, graph, feeds), await runOn(tfjs, graph, feeds)];
        expect([...got.keys()]).toEqual([...wanted.keys()]);
        for (const [name, tensor] of wanted) expectClose(got.get(name), tensor, 1e-5);
      }
    },
  );
});
