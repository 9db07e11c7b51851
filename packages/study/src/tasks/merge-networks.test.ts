// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { join } from "node:path";
import { at, saveCheckpoint, saveFile } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";

const engine = createOnnxRuntimeEngine();
const ports = { engine, openData: async (name: string) => fewImages(name) };
const executor = studyExecutor(ports);
const STATISTICS = ["keep", "recalibrate", "repair"];

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Saves a network and permuted copies of it: copy 0 is the network itself. */
async function saveCopies(net: string, copies: number): Promise<void> {
  const { graph, initialize } = parseNetwork(net, fewImages("few:test"));
  const { spec } = await discoverSymmetries({ graph, engine });
  const network = initialize(0);
  await saveFile(join(folder, "graph.onnx"), encodeGraph(graph));
  for (let copy = 0; copy < copies; copy++) {
    const permuted = copy === 0 ? network : permute(randomAlignment(spec, copy), network, spec);
    await saveCheckpoint(permuted, join(folder, `${copy}.safetensors`));
  }
}

/** Runs a study that merges the copies in every way, and returns loss and accuracy by way and statistics. */
async function mergeCopies(
  matched: readonly string[],
): Promise<Map<string, readonly [loss: number, accuracy: number, results: number]>> {
  const study: StudyDescription = {
    title: "Copies",
    networks: {
      copies: {
        for: { seed: "0..2" },
        graph: join(folder, "graph.onnx"),
        checkpoint: join(folder, "${seed}.safetensors"),
      },
    },
    measurements: {
      merged: {
        kind: "merge",
        for: { many: ["single", "ensemble", "naive", ...matched], statistics: STATISTICS },
        ...{ of: "copies", many: "${many}", statistics: "${statistics}", data: "few:test" },
      },
    },
    tables: {
      merged: {
        title: "Merged",
        of: "merged",
        by: ["many", "statistics"],
        columns: {
          many: { title: "Together" },
          statistics: { title: "Statistics" },
          loss: { title: "Loss", mean: "loss" },
          accuracy: { title: "Accuracy", mean: "accuracy" },
          results: { title: "Results", count: "loss" },
        },
      },
    },
  };
  const { study: result, failures } = await runStudy(study, {
    ...{ engine: engine.name, openData: ports.openData, folder: join(folder, "tasks"), executor },
  });
  expect(failures).toEqual([]);
  const rows = at(result?.tables ?? [], 0, "table").rows;
  return new Map(
    rows.map(({ many, statistics, loss, accuracy, results }) => [
      `${many} ${statistics}`,
      [Number(loss), Number(accuracy), Number(results)],
    ]),
  );
}

it.each([
  ["mlp:6x2", ["reference", "merge-many", "cycle", "tree", "best"]],
  ["resnet8:w0.25", ["reference", "cycle"]], // it has batch norms
])(
  "STUDY_TASKS merge permuted copies of %s into the network itself, and only if they are matched",
  async (net, matched) => {
    await saveCopies(net, 3);
    const merged = await mergeCopies(matched);
    for (const statistics of STATISTICS) {
      const [loss = Number.NaN, accuracy, results] = merged.get(`single ${statistics}`) ?? [];
      expect(results).toBe(3);
      for (const many of [...matched, ...(statistics === "keep" ? ["ensemble"] : [])]) {
        const one = merged.get(`${many} ${statistics}`) ?? [];
        expect(one[0]).toBeCloseTo(loss, 5);
        expect(one.slice(1)).toEqual([accuracy, many === "reference" ? 3 : 1]);
      }
      expect(Math.abs((merged.get(`naive ${statistics}`)?.[0] ?? Number.NaN) - loss)).toBeGreaterThan(1e-4);
    }
  },
);
