import { InputError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import { planStudy } from "../plan/plan-study.ts";
import { assertStudySize, countStudy } from "./assert-study-size.ts";
import { MANY_CHOICES } from "./merge-measurement.ts";
import type { StudyDescription } from "./study-description.ts";

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

const seeds = fc.integer({ min: 2, max: 5 });
const widths = fc.subarray([4, 8, 12], { minLength: 1 });

describe("countStudy()", () => {
  it("countStudy() counts the pairs of a group that are planned", async () => {
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
        const counts = new Map(countStudy(study));
        const { tasks, measurements } = await planStudy(study, ports);
        const alignments = tasks.filter(({ kind }) => kind === "align").length;
        expect(counts.get("measurements.test")).toBe((measurements["test"]?.length ?? 0) + alignments);
      }),
      { numRuns: 40 },
    );
  });

  it("countStudy() counts the merges that are planned, and their matchings", async () => {
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
        const { tasks, measurements } = await planStudy(study, ports);
        const matchings = tasks.filter(({ kind }) => kind === "match").length;
        expect(new Map(countStudy(study)).get("measurements.test")).toBe(
          (measurements["test"]?.length ?? 0) + matchings,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("countStudy() counts the pairs of two groups that are planned", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, seeds, widths, widths, async (countA, countB, wideA, wideB) => {
        const networks = {
          a: group({ width: [...new Set([4, ...wideA])], seed: `0..${countA - 1}` }),
          b: group({ width: [...new Set([4, ...wideB])], seed: `1..${countB}` }, { snapshots: [3] }),
        };
        const study = studyOf(networks, { test: { kind: "barrier", between: ["a", "b"], data: "few:test" } });
        const { measurements } = await planStudy(study, ports);
        expect(new Map(countStudy(study)).get("measurements.test")).toBe(measurements["test"]?.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe("assertStudySize()", () => {
  it("assertStudySize() refuses millions of pairs at once, and names the number and the limit", () => {
    const study = studyOf(
      { mlps: group({ width: [8], seed: "0..3000" }) },
      {
        test: { kind: "barrier", for: { alignment: ["none", "weight"] }, between: "mlps", data: "few:test" },
      },
    );
    expect(() => assertStudySize(study)).toThrow(InputError);
    expect(() => assertStudySize(study)).toThrow(
      // 3001 networks at 2 snapshots; at each of these 3001 x 3000 / 2 pairs, twice.
      /at most 50000 networks and tasks: it would have 18012002, 18006000 of them of "measurements\.test"; give/,
    );
    const many = studyOf({ mlps: group({ width: [8], seed: "0..99998" }, { snapshots: [3] }) }, {});
    expect(() => assertStudySize(many)).toThrow(/it would have 99999, 99999 of them of "networks\.mlps"/);
    expect(() => assertStudySize(SMALL_STUDY)).not.toThrow();
  });

  it.each([
    ["rounds of a ticket", { tickets: "gradient", rounds: 1e12 }],
    ["members of a collection", { collect: "mlps", method: "posterior", members: 1e12 }],
    ["cycles of a collection", { collect: "mlps", method: "swa", epochs: 1e12, cycle: 1e-3 }],
    ["snapshots", { net: "mlp:4", snapshots: Array.from({ length: 50_001 }, (_, epoch) => epoch) }],
  ])("assertStudySize() refuses too many %s at once", (_, more) => {
    const study = studyOf({ mlps: group({ width: [8], seed: "0..1" }), more }, {});
    expect(() => assertStudySize(study)).toThrow(/may have at most 50000 .* of "networks\.more"/);
  });

  it("planStudy() asks it before it opens data", async () => {
    const study = studyOf({ mlps: group({ width: "1..300", seed: "0..300" }) }, {});
    const opened: string[] = [];
    const openData = async (name: string) => {
      opened.push(name);
      return fewImages(name);
    };
    await expect(planStudy(study, { engine: "none", openData })).rejects.toThrow(/may have at most 50000/);
    expect(opened).toEqual([]);
  });
});
