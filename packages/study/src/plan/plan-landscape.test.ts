// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { fingerprintWeights } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";
import { planStudy } from "./plan-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, 0);
const executor = studyExecutor({ engine, openData });

const single = { of: "mlps", data: "few:test", batchSize: 4 };
const shared = { kind: "landscape", ...single, where: { epochs: 2 } } as const;

/** Lines and planes around networks from two seeds, along their trainings too. */
const STUDY: StudyDescription = {
  title: "Landscapes",
  networks: {
    mlps: {
      for: { seed: [0, 1] },
      ...{ net: "mlp:4", data: "few:train", seed: "${seed}", epochs: 2, snapshots: [0, 1, 2], batch: 4 },
    },
  },
  measurements: {
    ways: { ...shared, directions: "initialization", points: 5, local: false },
    runs: { ...shared, directions: "trajectory", dimensions: 2, points: 3, local: false },
    lines: { ...shared, directions: "random", dimensions: 1, points: 3 },
  },
  tables: {
    ways: {
      title: "Ways",
      of: "ways",
      by: ["epochs"],
      columns: {
        monotone: { title: "Share", mean: "interpolation.monotone" },
        networks: { title: "Networks", count: "interpolation.monotone" },
      },
    },
    lines: {
      title: "Lines",
      of: "lines",
      each: "line",
      by: ["place"],
      columns: { place: { title: "Place" }, loss: { title: "Loss", mean: "loss" } },
    },
    runs: {
      title: "Runs",
      of: "runs",
      each: "networks",
      by: ["label"],
      columns: { label: { title: "Network" }, loss: { title: "Loss", mean: "loss" } },
    },
  },
};

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const run = (name: string) =>
  runStudy(STUDY, { engine: "onnxruntime", openData, folder: join(folder, name), executor });

describe("landscapes of a study", () => {
  it("landscapes are measured around networks and along their trainings, the same bytes each time", async () => {
    const { study } = await run("one");
    const [ways, lines, runs] = study?.tables ?? [];
    expect(ways?.rows).toHaveLength(1);
    expect(ways?.rows[0]?.["networks"]).toBe(2);
    expect([0, 0.5, 1]).toContain(ways?.rows[0]?.["monotone"]);
    expect(lines?.rows.map(({ place }) => place)).toEqual([-1, 0, 1]);
    expect(runs?.rows.map(({ label }) => label)).toEqual(["network", "snapshot 1", "snapshot 2"]);
    expect(JSON.stringify(study)).not.toContain(folder);
    expect(JSON.stringify((await run("two")).study)).toBe(JSON.stringify(study));
  });

  it("the snapshot of epoch 0 has the weights that training begins with", async () => {
    await run("one");
    const { tasks } = await planStudy(STUDY, { engine: "onnxruntime", openData });
    const [training] = tasks;
    const data = await openData("few:train");
    const { graph, initialize } = parseNetwork("mlp:4", data);
    const kept = await openCheckpoint(join(folder, "one", training?.key ?? "", "weights-0.safetensors"));
    expect(await fingerprintWeights(graph, kept)).toBe(await fingerprintWeights(graph, initialize(0)));
    await kept.close();
  });

  it("an entry names the loss of its tasks, and one that names none leaves their keys as they were", async () => {
    const lines = { ...shared, directions: "random", dimensions: 1, points: 3 } as const;
    const planned = async (loss: object) => {
      const study = { ...STUDY, measurements: { ...STUDY.measurements, lines: { ...lines, ...loss } } };
      const { tasks } = await planStudy(study, { engine: "none", openData });
      return tasks.filter(({ kind }) => kind === "landscape");
    };
    const losses = (tasks: Awaited<ReturnType<typeof planned>>) =>
      tasks.map(({ params }) => (params as { readonly loss?: unknown }).loss);
    const [usual, named] = [await planned({}), await planned({ loss: "mean-squared-error" })];
    expect(losses(usual).every((loss) => loss === undefined)).toBe(true);
    expect(losses(named).filter((loss) => loss === "mean-squared-error")).toHaveLength(2);
    const keys = new Set(usual.map(({ key }) => key));
    expect(named.filter(({ key }) => !keys.has(key))).toHaveLength(2);
  });

  it.each([
    ["initialization", [1, 2], '0 must be among its "snapshots"'],
    ["trajectory", [2], 'there must be one before it among its "snapshots"'],
  ] as const)("a %s needs snapshots before the network: %j", async (directions, snapshots, message) => {
    const { mlps } = STUDY.networks;
    const study = {
      ...STUDY,
      networks: { mlps: { ...mlps, snapshots } },
      measurements: { ...STUDY.measurements, ways: { ...shared, directions } },
    } as StudyDescription;
    await expect(planStudy(study, { engine: "none", openData })).rejects.toThrow(message);
  });
});
