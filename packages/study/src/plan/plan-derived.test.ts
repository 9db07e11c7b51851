// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import { countStudy } from "../description/assert-study-size.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";
import { planStudy } from "./plan-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, 0);
const executor = studyExecutor({ engine, openData });

/** Networks from two seeds, pruned to two sparsities and trained on, and on a grid of 4 bits. */
const STUDY: StudyDescription = {
  title: "Derived",
  networks: {
    dense: {
      for: { seed: [0, 1] },
      ...{ net: "mlp:4", data: "few:train", seed: "${seed}", epochs: 1, batch: 4 },
    },
    pruned: {
      for: { sparsity: [0.25, 0.5] },
      ...{ prune: "dense", sparsity: "${sparsity}", by: "layer", data: "few:train", epochs: 2, batch: 4 },
    },
    units: { prune: "dense", where: { seed: 0 }, sparsity: 0.5, by: "units" },
    small: { quantize: "pruned", where: { sparsity: 0.5 }, bits: 4 },
  },
  measurements: {
    levels: { kind: "barrier", between: "pruned", across: "sparsity", data: "few:test", points: 3 },
    grid: { kind: "barrier", between: ["pruned", "small"], across: "sparsity", data: "few:test", points: 3 },
  },
  tables: {
    levels: {
      title: "Barriers",
      of: "levels",
      by: ["seed"],
      columns: { seed: { title: "Seed" }, barrier: { title: "Barrier", mean: "barrier.loss.chord" } },
    },
  },
};

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("planPruned(), planQuantized()", () => {
  it("plan one network for each that it is made from, which is counted before", async () => {
    const { tasks } = await planStudy(STUDY, { engine: "none", openData });
    const kinds = tasks.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "prune")).toHaveLength(5);
    expect(kinds.filter((kind) => kind === "quantize")).toHaveLength(2);
    expect(Object.fromEntries(countStudy(STUDY))).toMatchObject({
      ...{ "networks.pruned": 4, "networks.units": 1, "networks.small": 2 },
    });
  });

  it("refuse settings of a training without data, and groups without networks that agree", async () => {
    const { dense } = STUDY.networks;
    const plan = (pruned: object) =>
      planStudy(
        { ...STUDY, networks: { dense, pruned } as StudyDescription["networks"] },
        { engine: "none", openData },
      );
    await expect(plan({ prune: "dense", sparsity: 0.5, epochs: 2 })).rejects.toThrow(
      /with "data" alone: it has epochs/,
    );
    await expect(plan({ prune: "dense", where: { seed: 7 }, sparsity: 0.5 })).rejects.toThrow(/seed/);
  });

  it("prune, train on with masks and quantise, the same every time", async () => {
    const { study: result } = await runStudy(STUDY, { engine: engine.name, openData, folder, executor });
    expect(result?.tables[0]?.rows).toHaveLength(2);
    const { tasks } = await planStudy(STUDY, { engine: engine.name, openData });
    const pruned = tasks.filter(({ kind, params }) => kind === "prune" && "training" in (params as object));
    expect(pruned).toHaveLength(4);
    for (const { key, params } of pruned) {
      const { pruning } = params as { pruning: { sparsity: number } };
      const weights = await openCheckpoint(join(folder, key, "weights.safetensors"));
      for (const [name, { shape }] of weights.tensors) {
        if (shape.length < 2) continue;
        const { data } = await weights.read(name);
        const zeros = [...(data as Float32Array)].filter((value) => value === 0).length;
        expect(zeros / data.length).toBeCloseTo(pruning.sparsity, 2);
      }
      await weights.close();
    }
  });
});
