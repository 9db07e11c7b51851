// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namesField, numberField, openCheckpoint, wholeField } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { defineNetworkMaker, type NetworkMaker } from "@isthmus/findings";
import { average } from "@isthmus/interpolation";
import { runTask, type TaskExecutor } from "@isthmus/tasks";
import { train } from "@isthmus/training";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fewImages } from "../../test/few-images.ts";
import { countStudy } from "../description/assert-study-size.ts";
import type { StudyDescription } from "../description/study-description.ts";
import { studyJsonSchema } from "../file/study-json-schema.ts";
import { planStudy } from "../plan/plan-study.ts";
import { runStudy } from "../run-study.ts";
import { loadStudyTasks } from "../tasks/task-kinds.ts";
import { addNetworkMaker } from "./add-network-maker.ts";
import { listGroupMakers, makerOf, networkSchemaOf } from "./makers.ts";

/** The weighted mean of networks; the first one counts so many times. */
const MEAN = defineNetworkMaker({
  name: "own-mean",
  summary: "Average networks",
  from: "networks",
  options: { first: numberField({ above: 0, default: 1, help: "weight of the first" }) },
  make: async ({ networks }, { first }) =>
    average(
      networks,
      networks.map((_, i) => (i === 0 ? first : 1)),
    ),
});

/** Epochs after which a training is interrupted; none if there is none. */
const interruption = { after: 0 };
const TUNED = defineNetworkMaker({
  name: "own-tuned",
  summary: "Train networks on",
  from: "network",
  version: 2,
  does: "tune",
  needsGraph: true,
  resumes: true,
  options: {
    epochs: wholeField({ least: 1, most: 100, default: 3, help: "epochs" }),
    freeze: namesField({ help: "parameters that stay" }),
  },
  examples: {
    data: { help: "examples to train on", isTrainedOn: true },
    other: { help: "others", isOptional: true },
  },
  labelOf: ({ epochs }, { data }) => `${epochs} epochs more on ${data}`,
  async make({ network, architecture, examples: { data, other } }, { epochs, freeze = [] }, { resuming }) {
    const options = { epochs, freeze, seed: 0, batch: 4, ...resuming };
    const { weights, result } = await train(architecture, network, data, {
      ...options,
      onEpoch: async (done) => {
        if (done > 0 && done === interruption.after) throw new TypeError("interrupted");
      },
    });
    return {
      weights,
      result: { network: network.source, steps: result.steps, other: other?.name ?? "none" },
    };
  },
});

const DENSE = {
  for: { seed: [0, 1] },
  net: "mlp:4",
  data: "few:train",
  seed: "${seed}",
  epochs: 1,
  batch: 4,
};
/** Entries of makers of one's own are not among the entries that the type knows. */
const studyOf = (
  networks: object,
  measurements: StudyDescription["measurements"] = {},
): StudyDescription => ({
  title: "Own",
  networks: { dense: DENSE, ...networks } as StudyDescription["networks"],
  measurements,
  tables: {},
});

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, name === "few:train" ? 0 : 3);
let folder: string;
const removals: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-own-maker-"));
  for (const maker of [MEAN, TUNED] as NetworkMaker[]) removals.push(addNetworkMaker(maker));
});
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
  interruption.after = 0;
  rmSync(folder, { recursive: true });
});

const plan = (study: StudyDescription) => planStudy(study, { engine: engine.name, openData });
async function run(study: StudyDescription, output: string) {
  const kinds = await loadStudyTasks();
  const executor: TaskExecutor = {
    capacity: 1,
    run: (assignment, control) => runTask(kinds, assignment, { engine, openData }, control),
  };
  return runStudy(study, { engine: engine.name, openData, folder: join(folder, output), executor });
}

async function valuesOf(output: string, key: string, file = "weights"): Promise<readonly number[]> {
  const checkpoint = await openCheckpoint(join(folder, output, key, `${file}.safetensors`));
  const values: number[] = [];
  for (const name of checkpoint.tensors.keys())
    values.push(...[...(await checkpoint.read(name)).data].map(Number));
  await checkpoint.close();
  return values;
}

describe("networks of a maker of one's own", () => {
  it("are one of all networks that agree, or one of each, with options and examples in the keys of tasks", async () => {
    const study = studyOf({
      all: { "own-mean": "dense", first: 2 },
      each: { for: { more: [1, 2] }, "own-tuned": "dense", epochs: "${more}", data: "few:test" },
      last: {
        "own-tuned": "dense",
        where: { seed: 1 },
        freeze: ["*.bias"],
        data: "few:test",
        other: "few:train",
      },
    });
    const { tasks } = await plan(study);
    expect(tasks.slice(2).map(({ kind, label, params }) => ({ kind, label, params }))).toEqual([
      { kind: "own-mean", label: "make own-mean, first 2, of 2 dense", params: { first: 2 } },
      ...[1, 2].flatMap((epochs) =>
        [0, 1].map((seed) => ({
          kind: "own-tuned",
          label: `tune mlp:4 seed ${seed}, ${epochs} epochs more on few:test`,
          params: { data: { name: "few:test", digest: expect.any(String) }, options: { epochs } },
        })),
      ),
      {
        kind: "own-tuned",
        label: "tune mlp:4 seed 1, 3 epochs more on few:test",
        params: {
          data: { name: "few:test", digest: expect.any(String) },
          other: { name: "few:train", digest: expect.any(String) },
          options: { epochs: 3, freeze: ["*.bias"] },
        },
      },
    ]);
    expect(Object.fromEntries(countStudy(study))).toMatchObject({ "networks.all": 1, "networks.each": 4 });
    const none = studyOf({ all: { "own-mean": "dense", where: { seed: 7 } } });
    await expect(plan(none)).rejects.toThrow(/there must be networks to make it of: none agrees with/);
    await expect(plan(studyOf({ all: { "own-mean": "dense", first: 0 } }))).rejects.toThrow(
      /"first" must be/,
    );
  });

  it("are made once, and go on from the state that an interrupted run left, to the same bytes", async () => {
    const networks = {
      mean: { "own-mean": "dense", first: 3 },
      tuned: { "own-tuned": "dense", where: { seed: 0 }, data: "few:test" },
    };
    const study = studyOf(networks, {
      apart: { kind: "barrier", between: ["mean", "tuned"], data: "few:test", points: 3 },
    });
    const keys = (await plan(study)).tasks.map(({ key }) => key);
    const [zero = "", one = "", mean = "", tuned = ""] = keys;
    expect((await run(study, "whole")).failures).toEqual([]);
    interruption.after = 2;
    expect((await run(study, "parts")).failures).toMatchObject([{ error: { message: "interrupted" } }]);
    expect(readdirSync(join(folder, "parts", tuned))).toContain("state.safetensors");
    interruption.after = 1; // A training that begins anew would be interrupted again.
    expect((await run(study, "parts")).failures).toEqual([]);
    expect(await valuesOf("parts", tuned)).toEqual(await valuesOf("whole", tuned));
    expect(readdirSync(join(folder, "parts", tuned))).not.toContain("state.safetensors");
    const record = JSON.parse(readFileSync(join(folder, "whole", tuned, "result.json"), "utf8"));
    expect(JSON.stringify(record)).not.toContain(folder);
    expect(JSON.stringify(record)).toContain(
      `"kind":"own-tuned","network":"network","steps":6,"other":"none"`,
    );
    const [a, b] = [await valuesOf("whole", zero, "weights-1"), await valuesOf("whole", one, "weights-1")];
    const c = await valuesOf("whole", mean);
    expect(c).toHaveLength(a.length);
    c.forEach((value, i) => {
      expect(value).toBeCloseTo((3 * Number(a[i]) + Number(b[i])) / 4, 6);
    });
  });

  it("have a schema with the help of their options, which refuses others", async () => {
    const schema = networkSchemaOf(makerOf({ "own-tuned": "dense" }));
    const accepts = (entry: object) => schema.safeParse(entry).success;
    expect(accepts({ "own-tuned": "dense", data: "few:test", epochs: 2, where: { seed: 0 } })).toBe(true);
    expect(accepts({ "own-tuned": "dense", epochs: 2 })).toBe(false);
    expect(accepts({ "own-tuned": "dense", data: "few:test", epochs: 0 })).toBe(false);
    expect(accepts({ "own-tuned": "dense", data: "few:test", rank: 2 })).toBe(false);
    expect(JSON.stringify(await studyJsonSchema())).toContain("weight of the first");
  });
});

describe("addNetworkMaker()", () => {
  const named = (name: string, options: object = {}) =>
    defineNetworkMaker({
      ...{ name, summary: "Copy a network", from: "network", options: { ...options } },
      make: async ({ network }) => network,
    });

  it("refuses the name of any key, task or measurement of studies", () => {
    const keys = new Set(listGroupMakers().flatMap((maker) => Object.keys(networkSchemaOf(maker).shape)));
    const kebab = [...keys, "align", "merge", "barrier", "curvature"].filter((key) => /^[a-z-]+$/.test(key));
    expect(kebab.length).toBeGreaterThan(30);
    for (const name of kebab)
      expect(() => addNetworkMaker(named(name))).toThrow(`there is "${name}" already`);
  });

  it("refuses options that choose another maker", () => {
    for (const option of ["star", "tune", "prune", "tickets", "quantize", "collect", "scatter"])
      expect(() => addNetworkMaker(named("own-copy", { [option]: numberField({ help: "x" }) }))).toThrow(
        `"${option}" does`,
      );
  });
});
