// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { describe, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { planStudy, type StudyPlan } from "./plan-study.ts";

const MERGED = {
  kind: "merge",
  for: { n: [2, 3], many: ["single", "ensemble", "naive", "reference", "cycle"] },
  of: "mlps",
  where: { epochs: 3 },
  count: "${n}",
  many: "${many}",
  data: "few:test",
};

function plan(change: object = {}, networks = SMALL_STUDY.networks): Promise<StudyPlan> {
  const study = { ...SMALL_STUDY, networks, measurements: { merged: { ...MERGED, ...change } }, tables: {} };
  return planStudy(study as StudyDescription, {
    engine: "none",
    openData: async (name: string) => fewImages(name),
  });
}

describe("planMerge()", () => {
  it("planMerge() plans one mean of the networks of each width, but one of each member and each reference", async () => {
    const { tasks, measurements } = await plan();
    const planned = measurements["merged"] ?? [];
    const count = (many: string, n: number) =>
      planned.filter(({ variables }) => variables["many"] === many && variables["n"] === n).length;
    // Two widths, of which three networks each differ in the seed.
    for (const n of [2, 3]) {
      const counts = MERGED.for.many.map((many) => count(many, n));
      expect(counts).toEqual([2 * n, 2, 2, 2 * n, 2]);
    }
    // A network by itself is measured once, whatever it is merged with.
    const ofKind = (name: string) => tasks.filter(({ kind }) => kind === name);
    expect(ofKind("ensemble")).toHaveLength(2 * 2);
    expect(ofKind("match")).toHaveLength(2 * (2 + 3) + 2 * 2);
    expect(ofKind("merge")).toHaveLength(2 * 3 + 2 * 2 + 2 * (2 + 3) + 2 * 2);
    expect(planned.find(({ variables }) => variables["many"] === "reference")?.variables).toEqual({
      ...{ width: 4, epochs: 3, n: 2, many: "reference", reference: "0" },
    });
    expect(planned.find(({ variables }) => variables["many"] === "single")?.variables["member"]).toBe("0");
  });

  it("planMerge() merges the first networks of the group, and matches them before", async () => {
    const { tasks } = await plan({
      for: undefined,
      count: 2,
      many: "reference",
      where: { width: 4, epochs: 3 },
    });
    const trained = tasks.filter(({ kind }) => kind === "train").map(({ key }) => key);
    const matches = tasks.filter(({ kind }) => kind === "match");
    expect(matches.map(({ params }) => params)).toEqual(
      [0, 1].map((reference) => ({ many: "reference", reference, restarts: 2, seed: 0 })),
    );
    expect(tasks.filter(({ kind }) => kind === "merge").map(({ label, inputs }) => [label, inputs])).toEqual(
      matches.map(({ key }, reference) => [
        `merge 2 mlps, reference, reference ${reference}, statistics auto, few:test`,
        {
          graph: [{ task: trained[0], file: "graph.onnx" }],
          networks: trained.slice(0, 2).map((task) => ({ task, file: "weights-3.safetensors" })),
          universe: [{ task: key, file: "universe.json" }],
        },
      ]),
    );
  });

  it("planMerge() takes as few references as it is told", async () => {
    const { measurements } = await plan({ for: undefined, count: 3, many: "reference", references: 2 });
    expect(measurements["merged"]?.map(({ variables }) => variables["reference"])).toEqual([
      "0",
      "1",
      "0",
      "1",
    ]);
  });

  it("planMerge() matches once what is measured with several corrections of statistics", async () => {
    const corrected = { n: [3], many: ["cycle"], statistics: ["keep", "repair"] };
    const { tasks } = await plan({ for: corrected, statistics: "${statistics}" });
    expect(tasks.filter(({ kind }) => kind === "match")).toHaveLength(2);
    expect(tasks.filter(({ kind }) => kind === "merge")).toHaveLength(4);
  });

  it.each([
    [{ for: undefined, count: 4, many: "naive" }, /there must be 4 networks "mlps" or more .* there are 3/],
    [{ for: undefined, count: 1, many: "cycle" }, /there must be 2 networks "mlps" or more/],
    [{ across: "depth" }, /must have a variable "depth" in which they differ/],
    [{ where: { width: 5 } }, /must be as "where" says/],
    [{ of: "cnns" }, /there must be networks "cnns"/],
  ])("planMerge() refuses what cannot be merged: %j", async (change, message) => {
    await expect(plan(change)).rejects.toThrow(message);
  });
});
