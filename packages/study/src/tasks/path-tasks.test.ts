// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name);
const executor = studyExecutor({ engine, openData });

const column = (mean: string) => ({ title: mean, mean });
/** Networks of two layers, without units, and three ways from one to another. */
const STUDY: StudyDescription = {
  title: "Paths",
  networks: {
    mlps: {
      for: { seed: [0, 1] },
      ...{ net: "mlp:6x2", data: "few:train", seed: "${seed}", epochs: 2, batch: 4 },
    },
  },
  measurements: {
    dropout: { kind: "dropout-stability", of: "mlps", data: "few:test", shares: [0.5], trials: 2 },
    paths: {
      kind: "dropout-path",
      for: { align: ["none", "weight"] },
      ...{ between: "mlps", align: "${align}", data: "few:test", pointsPerLine: 2, trials: 1 },
    },
    mechanisms: {
      kind: "mechanisms",
      for: { align: ["none", "weight"] },
      ...{ between: "mlps", align: "${align}", points: 5 },
      sets: { seen: "few:train", other: "few:test" },
    },
    dimensions: {
      kind: "intrinsic-dimension",
      for: { labels: ["given", "shuffled"] },
      ...{ net: "mlp:6", data: "few:test", trainOn: "few:train", labels: "${labels}", batch: 4 },
      ...{ seeds: [0, 1], epochs: 2, threshold: 0.5, first: 8, resolution: 1 },
    },
    walks: {
      ...{ kind: "walked-path", between: "mlps", data: "few:test", trainOn: "few:train" },
      ...{ moves: 2, trainSteps: 2, batch: 4, points: 5 },
    },
    curves: {
      kind: "curve",
      between: "mlps",
      data: "few:test",
      trainOn: "few:train",
      epochs: 2,
      batch: 4,
      points: 5,
    },
  },
  tables: {
    dropout: {
      ...{ title: "Dropout", of: "dropout", by: ["seed"] },
      columns: { seed: { title: "Seed" }, rise: column("shares.0.rise.mean") },
    },
    paths: {
      ...{ title: "Paths", of: "paths", by: ["align"] },
      columns: {
        align: { title: "Second network" },
        worst: column("path.loss.max"),
        bound: column("bound"),
        line: column("line.loss.max"),
      },
    },
    mechanisms: {
      ...{ title: "Mechanisms", of: "mechanisms", each: "sets", by: ["align", "name"] },
      columns: {
        align: { title: "Second network" },
        name: { title: "Set" },
        worst: column("path.loss.max"),
      },
    },
    dimensions: {
      ...{ title: "Dimensions", of: "dimensions", each: "points", by: ["labels", "dimension"] },
      columns: {
        labels: { title: "Labels" },
        dimension: { title: "Dimension" },
        accuracy: column("accuracy"),
        seeds: { title: "Seeds", count: "accuracy" },
      },
    },
    walks: {
      ...{ title: "Walks", of: "walks", by: ["pair"] },
      columns: {
        pair: { title: "Pair" },
        worst: column("path.loss.max"),
        line: column("line.loss.max"),
        steps: column("steps"),
      },
    },
    curves: {
      ...{ title: "Curves", of: "curves", by: ["pair"] },
      columns: { pair: { title: "Pair" }, worst: column("path.loss.max"), line: column("line.loss.max") },
    },
  },
};

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

it("STUDY_TASKS take units out of networks, and build and train ways between them, to the same bytes", async () => {
  const run = (name: string) =>
    runStudy(STUDY, { engine: engine.name, openData, folder: join(folder, name), executor });
  const { study, failures } = await run("one");
  expect(failures).toEqual([]);
  const rows = Object.fromEntries((study?.tables ?? []).map(({ name, rows }) => [name, rows]));
  expect(rows["dropout"]).toHaveLength(2);
  for (const { worst, bound } of rows["paths"] ?? []) {
    expect(worst as number).toBeLessThanOrEqual((bound as number) + 1e-5);
  }
  const lines = (rows["paths"] ?? []).map(({ line }) => line);
  // Only the straight line depends on the order of units.
  expect(lines[0]).not.toBe(lines[1]);
  const mechanisms = (rows["mechanisms"] ?? []).map(({ align, name }) => `${align} ${name}`);
  expect(mechanisms.sort()).toEqual(["none other", "none seen", "weight other", "weight seen"]);
  const dimensions = rows["dimensions"] ?? [];
  expect(new Set(dimensions.map(({ labels }) => labels))).toEqual(new Set(["given", "shuffled"]));
  expect(dimensions.every(({ seeds }) => seeds === 2)).toBe(true);
  expect(rows["walks"]).toMatchObject([{ steps: 10, line: expect.closeTo(lines[0] as number, 1) }]);
  expect(rows["curves"]?.[0]?.["line"]).toBeCloseTo(lines[0] as number, 1);
  expect((await run("two")).study).toEqual(study);
  expect(
    readdirSync(join(folder, "one"), { recursive: true }).filter((name) =>
      String(name).match(/state|points|trainings/),
    ),
  ).toEqual([]);
});
