import { InputError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import { MANY_CHOICES } from "../description/merge-measurement.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { planStudy } from "./plan-study.ts";
import { StudyBudget } from "./study-budget.ts";

const ports = { engine: "none", openData: async (name: string) => fewImages(name) };

/** The small study with other networks and measurements. */
function studyOf(networks: object, measurements: object): StudyDescription {
  return { ...SMALL_STUDY, tables: {}, networks, measurements } as StudyDescription;
}

const group = (values: object, rest: object = {}) => ({
  ...SMALL_STUDY.networks["mlps"],
  for: values,
  ...rest,
});

/** Plans a study, and sums up what was taken from its budget for each entry. */
async function planCounting(study: StudyDescription) {
  const take = vi.spyOn(StudyBudget.prototype, "take");
  try {
    const plan = await planStudy(study, ports);
    const counts = new Map<string, number>();
    for (const [name, count] of take.mock.calls) counts.set(name, (counts.get(name) ?? 0) + count);
    return { ...plan, counts };
  } finally {
    take.mockRestore();
  }
}

const seeds = fc.integer({ min: 2, max: 5 });
const widths = fc.subarray([4, 8, 12], { minLength: 1 });

describe("what a study takes from its budget", () => {
  it("is the number of the pairs of a group that are planned", async () => {
    const studies = fc.record({
      count: seeds,
      wide: widths,
      choose: fc.constantFrom("all", "consecutive", "disjoint"),
      where: fc.constantFrom({}, { width: 4 }, { width: [4, 8] }, { seed: [0, 1] }, { epochs: 1 }),
      aligned: fc.subarray(["none", "weight"], { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(studies, async ({ count, wide, choose, where, aligned }) => {
        const networks = { mlps: group({ width: [...new Set([4, ...wide])], seed: `0..${count - 1}` }) };
        const test = {
          kind: "barrier",
          for: { alignment: aligned },
          between: "mlps",
          align: `\${alignment}`,
          where,
          choose,
          data: "few:test",
        };
        const study = studyOf(networks, { test });
        const { tasks, measurements, counts } = await planCounting(study);
        const alignments = tasks.filter(({ kind }) => kind === "align").length;
        expect(counts.get("measurements.test")).toBe((measurements["test"]?.length ?? 0) + alignments);
      }),
      { numRuns: 40 },
    );
  });

  it("is the number of the merges that are planned, and their matchings", async () => {
    const merges = fc.record({
      many: fc.subarray([...MANY_CHOICES], { minLength: 1 }),
      seedCount: seeds,
      counts: fc.subarray([2, 3, 4, 5], { minLength: 1 }),
      references: fc.constantFrom({}, { references: 1 }, { references: 3 }),
      where: fc.constantFrom({}, { width: 4 }, { epochs: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(merges, async ({ many, seedCount, counts, references, where }) => {
        const count = counts.filter((n) => n <= seedCount);
        fc.pre(count.length > 0);
        const test = {
          kind: "merge",
          for: { many, count },
          ...{ of: "mlps", many: `\${many}`, count: `\${count}`, where, data: "few:test", ...references },
        };
        const study = studyOf({ mlps: group({ width: [4, 8], seed: `0..${seedCount - 1}` }) }, { test });
        const { tasks, measurements, counts: taken } = await planCounting(study);
        const matchings = tasks.filter(({ kind }) => kind === "match").length;
        expect(taken.get("measurements.test")).toBe((measurements["test"]?.length ?? 0) + matchings);
      }),
      { numRuns: 40 },
    );
  });

  it("is the number of the pairs of two groups that are planned", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, widths, widths, async (countA, countB, wideA, wideB) => {
        const networks = {
          a: group({ width: [...new Set([4, ...wideA])], seed: `0..${countA - 1}` }),
          b: group({ width: [...new Set([4, ...wideB])], seed: `1..${countB}` }, { snapshots: [3] }),
        };
        const study = studyOf(networks, { test: { kind: "barrier", between: ["a", "b"], data: "few:test" } });
        const { measurements, counts } = await planCounting(study);
        expect(counts.get("measurements.test")).toBe(measurements["test"]?.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe("the budget of a study", () => {
  it("refuses a hundred thousand pairs before they are made, and names the number and the limit", async () => {
    const study = studyOf(
      { mlps: group({ width: [4], seed: "0..300" }) },
      {
        test: { kind: "barrier", for: { alignment: ["none", "weight"] }, between: "mlps", data: "few:test" },
      },
    );
    await expect(planStudy(study, ports)).rejects.toThrow(InputError);
    await expect(planStudy(study, ports)).rejects.toThrow(
      // 301 networks at 2 snapshots; at each of these 301 x 300 / 2 pairs.
      /at most 50000 networks and tasks: it would have 90902, 90300 of them of "measurements\.test"; give/,
    );
  });

  it.each([
    [1001, 'it would have 50001, 25000 of them of "networks.b"; give'],
    [1e9, 'it would have 1000049000, 1000000000 of them of "networks.c"; give'],
  ])("refuses %d beside what is within it by itself, by the name of the most", (count, message) => {
    const budget = new StudyBudget();
    budget.take("networks.a", 20_000);
    budget.take("networks.b", 25_000);
    expect(() => budget.take("networks.a", 4000)).not.toThrow();
    expect(() => budget.take("networks.c", count)).toThrow(message);
  });

  it.each([
    ["rounds of a ticket", { tickets: "gradient", net: "mlp:4", rounds: 1e12 }],
    ["members of a collection", { collect: "mlps", method: "posterior", members: 1e12 }],
    ["cycles of a collection", { collect: "mlps", method: "swa", epochs: 1e12, cycle: 1e-3 }],
    ["snapshots", { net: "mlp:4", snapshots: Array.from({ length: 50_001 }, (_, epoch) => epoch) }],
    ["entries", { for: { seed: "0..99998" }, net: "mlp:4", data: "few:train", epochs: 1 }],
  ])("refuses too many %s at once", async (_, more) => {
    const study = studyOf({ mlps: group({ width: [8], seed: "0..1" }), more }, {});
    await expect(planStudy(study, ports)).rejects.toThrow(/may have at most 50000 .* of "networks\.more"/);
  });

  it("refuses too many networks of a group before data are opened", async () => {
    const study = studyOf({ mlps: group({ width: "1..300", seed: "0..300" }) }, {});
    const opened: string[] = [];
    const openData = async (name: string) => {
      opened.push(name);
      return fewImages(name);
    };
    await expect(planStudy(study, { engine: "none", openData })).rejects.toThrow(
      /would have 90300, 90300 of them of "networks\.mlps"/,
    );
    expect(opened).toEqual([]);
  });
});
