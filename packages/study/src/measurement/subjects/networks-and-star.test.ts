// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MapResult, mapNetworks } from "@isthmus/barrier";
import { type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { runTask } from "@isthmus/tasks";
import { parseNetwork } from "@isthmus/zoo";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fewImages } from "../../../test/few-images.ts";
import type { StudyDescription } from "../../description/study-description.ts";
import { planStudy } from "../../plan/plan-study.ts";
import { runStudy } from "../../run-study.ts";
import { loadStudyTasks } from "../../tasks/task-kinds.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name);
const DATA = "few:test";
const { graph, initialize } = parseNetwork("mlp:4", fewImages(DATA));

let folder: string;
let study: StudyDescription;
const networks: Checkpoint[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-map-in-study-"));
  const place = (name: string) => join(folder, name);
  writeFileSync(place("graph.onnx"), encodeGraph(graph));
  for (let seed = 0; seed < 4; seed++) {
    await saveCheckpoint(initialize(seed), place(`${seed}.safetensors`));
    networks.push(await openCheckpoint(place(`${seed}.safetensors`)));
  }
  const checkpoint = place("${seed}.safetensors");
  const loaded = { graph: place("graph.onnx"), checkpoint };
  study = {
    title: "Maps",
    networks: {
      nets: { for: { seed: [0, 1, 2] }, ...loaded },
      middle: { for: { star: [3] }, graph: place("graph.onnx"), checkpoint: place("3.safetensors") },
    },
    measurements: { maps: { kind: "map", of: "nets", star: "middle", data: DATA, points: 3 } },
    tables: {
      maps: {
        ...{ title: "Maps", of: "maps", by: [] },
        columns: { mean: { title: "Mean, aligned", mean: "after.mean.loss" } },
      },
    },
  };
});
afterAll(async () => {
  for (const network of networks) await network.close();
  rmSync(folder, { recursive: true });
});

it("a study measures a map of a group and its star, with the numbers that a script finds", async () => {
  const kinds = await loadStudyTasks();
  const { study: result, failures } = await runStudy(study, {
    ...{ engine: engine.name, openData, folder: join(folder, "study") },
    executor: { capacity: 1, run: (task, control) => runTask(kinds, task, { engine, openData }, control) },
  });
  expect(failures).toEqual([]);
  const tasks = join(folder, "study");
  const [task = ""] = readdirSync(tasks);
  expect(readdirSync(join(tasks, task)).sort()).not.toContain("pairs.json");
  const written: { readonly result: MapResult } = JSON.parse(
    readFileSync(join(tasks, task, "result.json"), "utf8"),
  );
  const { result: measured } = written;
  const star = networks[3];
  const found = await mapNetworks({ graph, engine }, networks.slice(0, 3), fewImages(DATA), {
    ...{ star, points: 3, seed: 0 },
  });
  const named = found.networks.map((network, i) => ({ ...network, source: `network ${i + 1}` }));
  expect(measured).toEqual(JSON.parse(JSON.stringify({ ...found, networks: named })));
  expect(measured.networks.map(({ role }) => role)).toEqual(["network", "network", "network", "star"]);
  expect(result?.tables[0]?.rows).toEqual([{ mean: found.after.mean.loss }]);
});

it("a star that no entry of its group is, or several are, is refused by the name of the group", async () => {
  const plan = (middle: object) =>
    planStudy(
      { ...study, networks: { ...study.networks, middle } as StudyDescription["networks"] },
      { engine: "none", openData },
    );
  const loaded = study.networks["middle"] ?? expect.fail();
  await expect(plan({ ...loaded, for: { star: [3, 4] } })).rejects.toThrow(
    'one network "middle" must agree with all networks that are measured together: 2 do',
  );
});
