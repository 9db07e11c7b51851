import { dependenciesOf } from "@isthmus/tasks";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { SMALL_STUDY } from "../../test/small-study.ts";
import { restrictStudy } from "../description/restrict-study.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { planStudy, type StudyPlan } from "./plan-study.ts";

const ports = { engine: "none", openData: async (name: string) => fewImages(name) };
const plan = (study: StudyDescription = SMALL_STUDY): Promise<StudyPlan> => planStudy(study, ports);
const keysOf = ({ tasks }: StudyPlan): Set<string> => new Set(tasks.map(({ key }) => key));

/** The small study with other values in its networks. */
function withNetworks(change: object): StudyDescription {
  return { ...SMALL_STUDY, networks: { mlps: { ...SMALL_STUDY.networks["mlps"], ...change } as never } };
}

/** The same value with the keys of every object in an order drawn by `draw`. */
function shuffleKeys<T>(value: T, draw: () => number): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => shuffleKeys(each, draw)) as T;
  const entries = Object.entries(value).map(([key, each]) => ({
    at: draw(),
    key,
    each: shuffleKeys(each, draw),
  }));
  return Object.fromEntries(entries.sort((a, b) => a.at - b.at).map(({ key, each }) => [key, each])) as T;
}

describe("planStudy()", () => {
  it("planStudy() loads no file of measurements that a description names", async () => {
    const named = { ...SMALL_STUDY, use: ["/nowhere/there-is-no-such-file.mjs"] };
    expect(keysOf(await plan(named))).toEqual(keysOf(await plan()));
  });

  it("planStudy() trains each network once, aligns each pair once, and measures what was asked for", async () => {
    const { tasks, measurements } = await plan();
    const count = (kind: string) => tasks.filter((task) => task.kind === kind).length;
    // 2 widths x 3 seeds; 2 widths x 2 snapshots x 3 pairs; the same, as trained and aligned.
    expect([count("train"), count("align"), count("barrier")]).toEqual([6, 12, 24]);
    expect(measurements["barriers"]).toHaveLength(24);
    expect(measurements["barriers"]?.[0]?.variables).toEqual({
      width: 4,
      epochs: 1,
      pair: "0-1",
      alignment: "none",
    });
  });

  it("planStudy() lists every task once, after those it depends on", async () => {
    const { tasks } = await plan();
    const seen = new Set<string>();
    for (const task of tasks) {
      expect(dependenciesOf(task).every((key) => seen.has(key))).toBe(true);
      expect(seen.has(task.key)).toBe(false);
      seen.add(task.key);
    }
  });

  it("planStudy() gives the same keys whatever the order of keys in the description", async () => {
    const keys = keysOf(await plan());
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), async (numbers) => {
        const shuffled = shuffleKeys(SMALL_STUDY, () => numbers.next().value as number);
        expect(keysOf(await plan(shuffled))).toEqual(keys);
      }),
      { numRuns: 20 },
    );
  });

  it("planStudy() changes the keys of what a seed decides, and no others", async () => {
    const { tasks } = await plan();
    const changed = keysOf(await plan(withNetworks({ for: { width: [4, 8], seed: [0, 1, 7] } })));
    const lost = tasks.filter(({ key }) => !changed.has(key));
    const gone = new Set(lost.map(({ key }) => key));
    const trained = lost.filter(({ kind }) => kind === "train");
    expect(trained.map(({ label }) => label)).toEqual(["train mlp:4 seed 2", "train mlp:8 seed 2"]);
    const roots = new Set(trained.map(({ key }) => key));
    for (const task of tasks) {
      const depends = roots.has(task.key) || dependenciesOf(task).some((key) => gone.has(key));
      expect(gone.has(task.key)).toBe(depends);
    }
  });

  it("planStudy() finds a star of the networks that share its variables, and pairs it with those of another group", async () => {
    const networks = {
      ...SMALL_STUDY.networks,
      others: { ...SMALL_STUDY.networks["mlps"], for: { width: [4, 8], seed: [3, 4] }, snapshots: [3] },
      stars: { for: { width: [4, 8] }, star: "others", data: "few:train", seed: 9, epochs: 2 },
    } as StudyDescription["networks"];
    const held = { kind: "barrier", between: ["stars", "mlps"], where: {}, data: "few:test" } as const;
    const tables = {};
    const { tasks, measurements } = await plan({ ...SMALL_STUDY, networks, measurements: { held }, tables });
    const stars = tasks.filter(({ kind }) => kind === "star");
    expect(stars.map(({ label }) => label)).toEqual([
      "find the star of 2 others, width 4",
      "find the star of 2 others, width 8",
    ]);
    expect(stars.map(({ inputs }) => inputs["anchors"]?.length)).toEqual([2, 2]);
    // With 3 seeds at 2 snapshots each, of the same width.
    expect(measurements["held"]).toHaveLength(2 * 3 * 2);
    expect(measurements["held"]?.[0]?.variables).toEqual({ width: 4, epochs: 1, pair: "stars-0" });
    const lonely = { ...networks, stars: { ...networks["stars"], for: { width: [16] } } } as typeof networks;
    await expect(plan({ ...SMALL_STUDY, networks: lonely })).rejects.toThrow(
      /a star must have two anchors or more: of "others" 0 agree/,
    );
    const early = { stars: networks["stars"], ...networks } as typeof networks;
    await expect(plan({ ...SMALL_STUDY, networks: early })).rejects.toThrow(
      /there must be networks "others": there are none/,
    );
  });

  it("planStudy() plans barriers layer by layer", async () => {
    const layers = {
      kind: "layers",
      between: "mlps",
      where: { width: 4, epochs: [3] },
      data: "few:test",
    } as const;
    const { tasks } = await plan({ ...SMALL_STUDY, measurements: { layers }, tables: {} });
    expect(tasks.filter(({ kind }) => kind === "layers").map(({ label }) => label)).toEqual(
      ["0 epoch 3 and mlp:4 seed 1", "0 epoch 3 and mlp:4 seed 2", "1 epoch 3 and mlp:4 seed 2"].map(
        (pair) => `layers of mlp:4 seed ${pair} epoch 3, few:test`,
      ),
    );
  });

  it.each([
    ["epochs", withNetworks({ epochs: 4 })],
    ["optimizer", withNetworks({ optimizer: { kind: "adam" } })],
    ["data", withNetworks({ data: "other:train" })],
  ])("planStudy() changes all keys with %s", async (_, study) => {
    const keys = keysOf(await plan());
    expect([...keysOf(await plan(study))].filter((key) => keys.has(key))).toEqual([]);
  });

  it("planStudy() changes keys with what is in the data, not only with their name, and with the engine", async () => {
    const keys = keysOf(await plan());
    const shaded = { ...ports, openData: async (name: string) => fewImages(name, 1) };
    for (const other of [shaded, { ...ports, engine: "other" }]) {
      const changed = keysOf(await planStudy(SMALL_STUDY, other));
      expect([...changed].filter((key) => keys.has(key))).toEqual([]);
    }
  });

  it("planStudy() names what a network is and starts from, not only what it is called", async () => {
    const params = (await plan()).tasks
      .filter(({ kind }) => kind === "train")
      .map((task) => (task.params as { network: { graph: string; weights: string } }).network);
    // Two widths, each from three seeds.
    expect(new Set(params.map(({ graph }) => graph)).size).toBe(2);
    expect(new Set(params.map(({ weights }) => weights)).size).toBe(6);
  });

  it("planStudy() gives the tasks of a part the keys they have in the whole", async () => {
    const keys = keysOf(await plan());
    const part = await plan(restrictStudy(SMALL_STUDY, { width: ["8"], seed: ["0", "2"] }));
    // One width, two seeds: a pair, at two snapshots, as trained and aligned.
    expect(part.tasks).toHaveLength(2 + 2 + 4);
    expect([...keysOf(part)].every((key) => keys.has(key))).toBe(true);
    const some = restrictStudy(SMALL_STUDY, {
      width: ["8"],
      seed: ["0", "2"],
      alignment: ["none", "weight"],
    });
    expect(some.only).toEqual({ width: [8], seed: [0, 2] });
    expect(restrictStudy(some, { seed: ["2"] }).only).toEqual({ width: [8], seed: [2] });
    expect(restrictStudy(SMALL_STUDY, { width: ["8", "4"] })).toEqual({
      ...SMALL_STUDY,
      networks: { mlps: { ...SMALL_STUDY.networks["mlps"], for: { width: [4, 8], seed: "0..2" } } },
    });
    expect(() => restrictStudy(SMALL_STUDY, { depth: ["1"] })).toThrow(
      /by "depth" as it must be one of its variables: they are width, seed/,
    );
    expect(() => restrictStudy(SMALL_STUDY, { width: ["9"] })).toThrow(
      /must keep a value: 9 is none of 4, 8/,
    );
  });

  it("planStudy() keeps trained networks when only the measurement changes", async () => {
    const barriers = { ...SMALL_STUDY.measurements["barriers"], points: 7 } as never;
    const changed = keysOf(await plan({ ...SMALL_STUDY, measurements: { barriers } }));
    const kept = (await plan()).tasks.filter(({ key }) => changed.has(key)).map(({ kind }) => kind);
    expect([new Set(kept), kept.length]).toEqual([new Set(["train", "align"]), 18]);
  });

  it.each([
    [withNetworks({ snapshots: [3, 1] }), /snapshots must be numbers of epochs from 0 to 3, ascending/],
    [withNetworks({ snapshots: [4] }), /from 0 to 3/],
    [
      withNetworks({ for: { width: [4, 8], seed: [0] } }),
      /two networks "mlps" or more that differ in "seed" only/,
    ],
    [withNetworks({ net: "mlp" }), /Cannot build network "mlp"/],
    [{ ...SMALL_STUDY, networks: {} }, /there must be networks "mlps": there are none/],
  ])("planStudy() refuses what cannot be run (%#)", async (study, message) => {
    await expect(plan(study as StudyDescription)).rejects.toThrow(message);
  });

  it("planStudy() refuses data that do not fit before anything is run", async () => {
    const openData = async (name: string) =>
      name === "few:test" ? { ...fewImages(name), exampleShape: [1, 4, 1] } : fewImages(name);
    await expect(planStudy(SMALL_STUDY, { ...ports, openData })).rejects.toThrow(
      /Cannot measure on "few:test"/,
    );
  });

  it.each([
    [{ of: "barrier" }, /its measurement must be one of barriers: it is "barrier"/],
    [
      { by: ["depth"] },
      /a variable must be one of width, epochs, pair, alignment, measurement: it is "depth"/,
    ],
    [
      { columns: { width: { title: "W", mean: "a", min: "b" } } },
      /a column must have one source: "width" has 2/,
    ],
    [{ columns: { barrier: { title: "B" } } }, /what column "barrier" shows/],
    [
      { columns: { r: { title: "R", ratio: ["a", "b"] } } },
      /a column of the ratio "r" must be one of r: it is "a"/,
    ],
  ])("planStudy() refuses a table of what will not be there: %j", async (change, message) => {
    const barriers = { ...SMALL_STUDY.tables["barriers"], ...change } as never;
    await expect(plan({ ...SMALL_STUDY, tables: { barriers } })).rejects.toThrow(message);
  });

  it("planStudy() refuses a figure of a column that is not there", async () => {
    const figure = {
      title: "F",
      caption: "",
      table: "barriers",
      mark: "line",
      x: "width",
      y: "height",
    } as const;
    await expect(plan({ ...SMALL_STUDY, figures: [figure] })).rejects.toThrow(/it is "height"/);
  });

  it.each([
    [{ mark: "heat" }, /a heat map must have a "color"/],
    [{ mark: "line", color: "barrier" }, /only heat maps have a "color": its mark is line/],
    [{ mark: "heat", color: "barrier", borders: [{ of: "height", at: 1 }] }, /it is "height"/],
  ] as const)("planStudy() refuses a heat map that cannot be drawn: %j", async (change, message) => {
    const figure = { title: "F", caption: "", table: "barriers", x: "width", y: "width", ...change };
    await expect(plan({ ...SMALL_STUDY, figures: [figure] })).rejects.toThrow(message);
  });
});
