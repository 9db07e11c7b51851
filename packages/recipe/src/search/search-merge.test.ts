import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Checkpoint, createCheckpoint, createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { openArchitecture } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { parseRecipe } from "../read/parse-recipe.ts";
import type { ModelReference } from "../recipe/recipe.ts";
import { judgeByCommand, judgeByExamples } from "./judges.ts";
import { searchMerge } from "./search-merge.ts";

const mlp = fileURLToPath(new URL("../../../../examples/mnist-mlp", import.meta.url));
let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const RECIPE = "merge_method: linear\nparameters: { normalize: false, weight: { search: [0, 1] } }";

describe("searchMerge()", () => {
  it("finds the weight whose merge is best, and opens each network once", async () => {
    let opened = 0;
    const open = async (reference: ModelReference): Promise<Checkpoint> => {
      opened++;
      return createCheckpoint({ w: createTensor("f32", [1], Float32Array.of(Number(reference))) });
    };
    const { best } = await searchMerge(parseRecipe(`${RECIPE}\nmodels: [{ model: "2" }, { model: "8" }]`), {
      open,
      judge: async ({ network }) => Math.abs(Number((await network.read("w")).data[0]) - 4),
    });
    expect(best.values["parameters.weight"]).toBeCloseTo(0.4, 2);
    expect(opened).toBe(2);
  });

  it("judges by a command, and leaves nothing behind", async () => {
    const path = join(folder, "candidate.safetensors");
    const models = `models: [{ model: ${mlp}/s0.safetensors }]`;
    const { best, candidates } = await searchMerge(parseRecipe(`${RECIPE}\n${models}`), {
      judge: judgeByCommand("wc -c < {}", path),
      evaluations: 4,
    });
    expect(best.score).toBeGreaterThan(1e6);
    expect(candidates).toHaveLength(4);
    expect(existsSync(path)).toBe(false);
  });

  it("judges by examples, with the weights of the graph found by value", async () => {
    const pixels = Float32Array.from({ length: 20 * 784 }, (_, i) => Math.sin(i));
    const labels = Int32Array.from({ length: 20 }, (_, i) => i % 10);
    const data = createDataSet(createTensor("f32", [20, 1, 28, 28], pixels), labels);
    const architecture = await openArchitecture(join(mlp, "graph.onnx"), createOnnxRuntimeEngine());
    const { judge, release } = judgeByExamples(architecture, data, { score: "error" });
    const models = `models: [{ model: ${mlp}/s0.safetensors }]`;
    const { candidates } = await searchMerge(parseRecipe(`${RECIPE}\n${models}`), { judge, evaluations: 4 });
    await release();
    for (const { score } of candidates) expect(score).toBeLessThanOrEqual(1);
  });
});
