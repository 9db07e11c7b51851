import { join } from "node:path";
import { createCheckpoint, createTensor, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { beforeEach, describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import type { LoadedNetwork } from "../networks/load.ts";
import { planStudy } from "./plan-study.ts";

const FIXTURES = new URL("../../../../test/fixtures/exported-networks/", import.meta.url).pathname;
const examples = createDataSet(
  createTensor("f32", [4, 1, 8, 8], new Float32Array(4 * 8 * 8)),
  Int32Array.of(0, 1, 2, 3),
);

let other: string;
inFreshFolders((path) => {
  other = join(path, "other.safetensors");
});
beforeEach(async () => {
  await using checkpoint = await openCheckpoint(`${FIXTURES}conv-norm-1.pt`);
  const entries = [...checkpoint.tensors.keys()].map(
    async (name) => [name, await checkpoint.read(name)] as const,
  );
  await saveCheckpoint(createCheckpoint(new Map(await Promise.all(entries))), other);
});

/** Plans barriers of all pairs of three networks with batch norms, of which the graph was exported from one. */
async function plan(
  graph: string,
  named: Pick<LoadedNetwork, "exportedFrom"> = {},
  first = "conv-norm-0.pt",
) {
  const checkpoints = [`${FIXTURES}${first}`, `${FIXTURES}conv-norm-1.pt`, other];
  const { tasks } = await planStudy(
    {
      title: "Pairs",
      networks: {
        nets: {
          for: { seed: [0, 1, 2] },
          graph: `${FIXTURES}${graph}`,
          checkpoint: {
            lookup: { variable: "seed", values: Object.fromEntries(checkpoints.entries()) },
          } as never,
          ...named,
        },
      },
      measurements: { lines: { kind: "barrier", between: "nets", data: "few" } },
      tables: {},
    },
    { engine: "none", openData: async () => examples },
  );
  return tasks.map(({ key, inputs }) => ({
    key,
    from: inputs["exportedFrom"]?.map((file) => "path" in file && file.path),
  }));
}

describe("findExporters()", () => {
  it("feeds pairs without the exported network to a graph through it, and leaves the other pairs as they were", async () => {
    const found = await plan("conv-norm-legacy.onnx");
    expect(found.map(({ from }) => from)).toEqual([undefined, undefined, [`${FIXTURES}conv-norm-0.pt`]]);
    const named = await plan("conv-norm-legacy.onnx", { exportedFrom: `${FIXTURES}conv-norm-0.pt` });
    expect(named[2]).toEqual(found[2]);
  });

  it("names none if names are enough", async () => {
    const found = await plan("conv-norm-legacy-unfolded.onnx");
    expect(found.map(({ from }) => from)).toEqual([undefined, undefined, undefined]);
  });

  it("refuses a graph of a network that is not there before anything is run, and says which key names it", async () => {
    await expect(plan("conv-norm-legacy.onnx", {}, "conv-norm-1.pt")).rejects.toThrow(
      /carries the weights of another network.*in a study: exportedFrom:/,
    );
  });
});
