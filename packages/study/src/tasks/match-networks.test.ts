import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { saveCheckpoint, saveFile } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { encodeGraph } from "@isthmus/graph";
import { runTask } from "@isthmus/tasks";
import { parseNetwork } from "@isthmus/zoo";
import { expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { loadStudyTasks } from "./task-kinds.ts";

const STUDY_TASKS = await loadStudyTasks();

const ports = { engine: createOnnxRuntimeEngine(), openData: async (name: string) => fewImages(name) };

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Saves four networks and returns a function that matches them, with its files in a folder of that name. */
async function saveNetworks() {
  const { graph, initialize } = parseNetwork("mlp:12x2", fewImages("few:test"));
  const paths = [0, 1, 2, 3].map((seed) => join(folder, `${seed}.safetensors`));
  await saveFile(join(folder, "graph.onnx"), encodeGraph(graph));
  for (const [seed, path] of paths.entries()) await saveCheckpoint(initialize(seed), path);
  return (name: string, signal: AbortSignal, onProgress = (_done: number): void => {}) => {
    mkdirSync(join(folder, name), { recursive: true });
    const assignment = {
      kind: "match",
      params: { many: "reference", reference: 1, restarts: 2, seed: 0 },
      inputs: { graph: [join(folder, "graph.onnx")], networks: paths },
      folder: join(folder, name),
    };
    return runTask(STUDY_TASKS, assignment, ports, { signal, onProgress });
  };
}

it("STUDY_TASKS go on with a matching that was stopped, to the same bytes", async () => {
  const match = await saveNetworks();
  const controller = new AbortController();
  const stopped = match("stopped", controller.signal, () => {
    if (existsSync(join(folder, "stopped", "journal.json"))) controller.abort();
  });
  await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(readdirSync(join(folder, "stopped"))).toEqual(["journal.json"]);
  const { signal } = new AbortController();
  const resumed = await match("stopped", signal);
  const whole = await match("whole", signal);
  expect(resumed).toEqual(whole);
  expect(whole).toMatchObject({ kind: "match", many: "reference", networks: 4, reference: 1 });
  const universeIn = (name: string) => readFileSync(join(folder, name, "universe.json"), "utf8");
  expect(universeIn("stopped")).toBe(universeIn("whole"));
  expect(JSON.parse(universeIn("whole"))).toHaveLength(4);
  expect(readdirSync(join(folder, "stopped"))).toEqual(["universe.json"]);
});
