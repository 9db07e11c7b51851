// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import { countStudy } from "../description/assert-study-size.ts";
import type { RepeatedNetwork, StudyDescription } from "../description/study-description.ts";
import { runStudy } from "../run-study.ts";
import { planStudy } from "./plan-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, name === "few:other" ? 3 : 0);
const executor = studyExecutor({ engine, openData });

const training = { data: "few:train", epochs: 2, batch: 4 };
const SINGLE = { title: "Network", by: ["way"], each: "predictors" } as const;

/** Networks of two runs and three members, from which others are collected in every way. */
const STUDY: StudyDescription = {
  title: "Ensembles",
  networks: {
    deep: {
      for: { run: [1, 2], member: [1, 2, 3] },
      ...{ net: "mlp:4", seed: "${run}${member}", ...training },
    },
    swa: { collect: "deep", where: { member: 1 }, method: "swa", seed: 3, ...training },
    mean: { collect: "deep", where: { member: 1 }, method: "swa", keep: "mean", seed: 3, ...training },
    drawn: { collect: "deep", where: { member: 1 }, method: "posterior", members: 2, seed: 4, ...training },
    simplex: { collect: "deep", where: { member: 1 }, method: "spro", members: 2, seed: 5, ...training },
    control: { scatter: "swa", seed: 6, data: "few:train" },
    stars: { for: { run: [1, 2] }, star: "deep", where: { member: [1, 2] }, seed: 7, ...training },
  },
  measurements: {
    deep: {
      ...{ kind: "ensemble", for: { way: ["deep"] }, of: "deep", across: "member", data: "few:test" },
      ...{ selectionData: "few:train", others: ["few:other"], star: "stars", rayMembers: 2 },
    },
    swa: { kind: "ensemble", for: { way: ["swa"] }, of: "swa", across: "member", data: "few:test" },
    drawn: { kind: "ensemble", for: { way: ["drawn"] }, of: "drawn", across: "member", data: "few:test" },
    simplex: {
      ...{ kind: "ensemble", for: { way: ["simplex"] }, of: "simplex", across: "member", data: "few:test" },
      simplexMembers: 3,
    },
    attack: {
      ...{ kind: "attack", for: { run: [1, 2] }, of: "deep", across: "member", data: "few:test" },
      where: { run: "${run}" },
      sources: {
        mean: { of: "mean", where: { run: "${run}" } },
        "in turn": { of: "control", where: { run: "${run}" }, mode: "in-turn" },
      },
      ...{ epsilon: 0.2, steps: 2 },
    },
    fronts: {
      ...{ kind: "pareto", net: "mlp:4", data: "few:train", testData: "few:test", layout: "beside" },
      ...{ seed: 1, epochs: 2, batch: 4, points: 3, scalarised: 2, scalarisedEpochs: 1 },
    },
  },
  tables: {
    ways: {
      ...SINGLE,
      of: ["deep", "swa", "drawn", "simplex"],
      where: [
        { measurement: "deep", name: "rays of the star" },
        { measurement: ["swa", "drawn"], name: "ensemble of all" },
        { measurement: "simplex", name: "simplex" },
      ],
      columns: {
        way: { title: "Way" },
        members: { title: "Members", mean: "members" },
        nll: { title: "NLL", mean: "nll" },
        runs: { title: "Runs", count: "nll" },
      },
    },
    attacks: {
      ...{ title: "Attacks", of: "attack", each: "sources.*.targets", by: ["name"] },
      columns: { name: { title: "Source" }, targets: { title: "Targets", count: "accuracy" } },
    },
    fronts: {
      ...{ title: "Fronts", of: "fronts", each: "fronts.*.points", by: ["way", "shares.0"] },
      columns: {
        way: { title: "Way" },
        share: { title: "Share", variable: "shares.0" },
        loss: { title: "Loss", mean: "losses.0" },
      },
    },
    steps: {
      ...{ title: "Steps", of: "fronts", each: "fronts", by: ["way"] },
      columns: { way: { title: "Way" }, steps: { title: "Steps", mean: "steps" } },
    },
  },
};

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

/** Plans a study of the first networks and one more group. */
const planWith = (more: RepeatedNetwork) => {
  const networks: StudyDescription["networks"] = { deep: STUDY.networks["deep"] as RepeatedNetwork, more };
  return planStudy({ ...STUDY, networks, measurements: {}, tables: {} }, { engine: "none", openData });
};

describe("planCollected(), planScattered()", () => {
  it("plan one task for each start, and a network for each that it gives, which are counted before", async () => {
    const { tasks } = await planStudy(STUDY, { engine: "none", openData });
    const collections = tasks.filter(({ kind }) => kind === "collect");
    // The mean and the networks along a training are of one task.
    expect(collections).toHaveLength(6);
    expect(tasks.filter(({ kind }) => kind === "scatter")).toHaveLength(4);
    expect(tasks.filter(({ kind }) => kind === "train").map(({ params }) => params)).toMatchObject(
      [11, 12, 13, 21, 22, 23].map((seed) => ({ options: { seed } })),
    );
    const star = tasks.find(({ kind }) => kind === "star");
    expect(star?.inputs["anchors"]).toHaveLength(2);
    expect(Object.fromEntries(countStudy(STUDY))).toMatchObject({
      ...{ "networks.swa": 4, "networks.mean": 2, "networks.drawn": 4, "networks.simplex": 6 },
      ...{ "networks.control": 4, "measurements.fronts": 1 },
    });
  });

  it("refuse options of other methods, and controls of networks that were not collected", async () => {
    const of = { collect: "deep", seed: 0, ...training } as const;
    await expect(planWith({ ...of, method: "swa", members: 2 })).rejects.toThrow(
      /"members" does not belong to networks by swa/,
    );
    await expect(planWith({ ...of, method: "spro", concentration: 1 })).rejects.toThrow(
      /"concentration" does not belong to networks by spro/,
    );
    await expect(planWith({ ...of, method: "posterior", cycle: 1 })).rejects.toThrow(/"cycle" does not/);
    await expect(planWith({ scatter: "deep", seed: 0, data: "few:train" })).rejects.toThrow(
      /"deep" must be collected from others, .* mlp:4 seed 11 is not/,
    );
    const numbered = { ...of, for: { member: [1, 2] }, method: "posterior" } as const;
    await expect(planWith(numbered)).rejects.toThrow(
      /its variable "member" must be the member of each network: it is 1, and a network has 2; give it another/,
    );
    await expect(planWith({ ...of, method: "lgv", cycle: 0.01 })).rejects.toThrow(/at least a step/);
  });

  it("refuse an ensemble without its star, and a source without networks", async () => {
    const plan = (measurement: object) =>
      planStudy(
        { ...STUDY, measurements: { measurement } as never, tables: {} },
        { engine: "none", openData },
      );
    const { deep, attack } = STUDY.measurements;
    await expect(plan({ ...deep, star: "mean" })).resolves.toBeDefined();
    await expect(plan({ ...deep, star: "swa" })).rejects.toThrow(/one network "swa" must agree .*: 2 do/);
    await expect(plan({ ...attack, sources: { a: { of: "swa", where: { run: 7 } } } })).rejects.toThrow(
      /none is \{"run":7\}/,
    );
  });

  it("collect, compare, attack and measure fronts, the same every time", async () => {
    const options = { engine: engine.name, openData, folder, executor };
    const { study, failures } = await runStudy(STUDY, options);
    expect(failures).toEqual([]);
    const [ways, attacks, fronts, steps] = study?.tables ?? [];
    expect(ways?.rows).toMatchObject([
      { way: "deep", members: 2, runs: 2 },
      { way: "swa", members: 2, runs: 2 },
      { way: "drawn", members: 2, runs: 2 },
      { way: "simplex", members: 3, runs: 2 },
    ]);
    expect(attacks?.rows).toEqual([
      { name: "mean", targets: 6 },
      { name: "in turn", targets: 6 },
    ]);
    expect(fronts?.rows.map(({ way, share }) => [way, share])).toEqual([
      ...[0, 0.5, 1].map((share) => ["Pareto manifold", share]),
      ...[0, 1].map((share) => ["weighted sums", share]),
    ]);
    // Two networks of one epoch cost as much as one run of two.
    expect(steps?.rows).toEqual([
      { way: "Pareto manifold", steps: 4 },
      { way: "weighted sums", steps: 4 },
    ]);
    const again = await runStudy(STUDY, { ...options, folder: join(folder, "again") });
    expect(again.study).toEqual(study);
  });
});
