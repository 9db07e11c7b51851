// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MapResult, mapNetworks, measurePlane } from "@isthmus/barrier";
import { at, type Checkpoint, openCheckpoint, saveCheckpoint } from "@isthmus/core";
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
      all: { for: { seed: [0, 1, 2, 3] }, ...loaded },
      middle: { for: { star: [3] }, graph: place("graph.onnx"), checkpoint: place("3.safetensors") },
    },
    measurements: {
      maps: { kind: "map", of: "nets", star: "middle", data: DATA, points: 3 },
      planes: { kind: "plane", of: "all", data: DATA, points: 3 },
    },
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

it("a study measures a map of a group and its star, and a plane, with the numbers that a script finds", async () => {
  const kinds = await loadStudyTasks();
  const { study: result, failures } = await runStudy(study, {
    ...{ engine: engine.name, openData, folder: join(folder, "study") },
    executor: { capacity: 1, run: (task, control) => runTask(kinds, task, { engine, openData }, control) },
  });
  expect(failures).toEqual([]);
  const tasks = join(folder, "study");
  const measured = new Map<string, object>();
  for (const task of readdirSync(tasks)) {
    expect(readdirSync(join(tasks, task)).sort()).toEqual(["result.json", "time.json"]);
    const written: { readonly result: { readonly kind: string } } = JSON.parse(
      readFileSync(join(tasks, task, "result.json"), "utf8"),
    );
    measured.set(written.result.kind, written.result);
  }
  const nets = networks.slice(0, 3);
  const found = await mapNetworks({ graph, engine }, nets, fewImages(DATA), {
    ...{ star: networks[3], points: 3, seed: 0 },
  });
  const named = found.networks.map((network, i) => ({ ...network, source: `network ${i + 1}` }));
  const map = measured.get("map") as MapResult;
  expect(map).toEqual(JSON.parse(JSON.stringify({ ...found, networks: named })));
  expect(map.networks.map(({ role }) => role)).toEqual(["network", "network", "network", "star"]);
  expect(result?.tables[0]?.rows).toEqual([{ mean: found.after.mean.loss }]);
  const [a, b, c, placed] = networks.map((network, i) => {
    const source = `network ${i + 1}`;
    return { label: source, network: { ...network, source } };
  });
  const models = [a, b, c].map((model) => model ?? expect.fail());
  const plane = await measurePlane(
    { graph, engine },
    [at(models, 0, "network"), at(models, 1, "network"), at(models, 2, "network")],
    fewImages(DATA),
    { placed: [placed ?? expect.fail()], points: 3 },
  );
  expect(measured.get("plane")).toEqual(JSON.parse(JSON.stringify(plane)));
});

it("a plane through fewer than three networks is refused by the name of their group", async () => {
  const two = { ...study.networks["all"], for: { seed: [0, 1] } };
  const networks = { ...study.networks, all: two } as StudyDescription["networks"];
  await expect(planStudy({ ...study, networks }, { engine: "none", openData })).rejects.toThrow(
    'a plane must go through three networks "all" that differ in one variable only ("across"): there are 2',
  );
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
