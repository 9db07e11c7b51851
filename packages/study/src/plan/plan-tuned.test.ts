// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import { tuneByConnectivity } from "@isthmus/connectivity";
import { measureCurvature } from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { fewImages } from "../../test/few-images.ts";
import { studyExecutor } from "../../test/study-executor.ts";
import { countStudy } from "../description/assert-study-size.ts";
import type { StudyDescription } from "../description/study-description.ts";
import type { TableDescription } from "../description/table-description.ts";
import { runStudy } from "../run-study.ts";
import { planStudy } from "./plan-study.ts";

const engine = createOnnxRuntimeEngine();
const openData = async (name: string) => fewImages(name, name === "few:later" ? 3 : 0);
const executor = studyExecutor({ engine, openData });
const OPTIMIZER = { kind: "sgd", momentum: 0 } as const;
const SCHEDULE = { kind: "constant", learningRate: 0.05 } as const;
const CURVATURE = { count: 1, traceProducts: 8, runs: 0, parameters: ["layers.1.*"] };

const LARGEST = { largest: { title: "Largest", mean: "eigenvalues.largest.0.value" } };

/** Networks from two seeds, trained on with other images at two rates, and the curvature around each. */
const STUDY: StudyDescription = {
  title: "Tuned",
  networks: {
    first: {
      for: { seed: [0, 1] },
      ...{ net: "mlp:4", data: "few:train", seed: "${seed}", epochs: 2, batch: 4 },
      ...{ optimizer: OPTIMIZER, schedule: SCHEDULE },
    },
    second: {
      for: { frozen: ["layers.1.*", "layers.0.*"] },
      ...{ tune: "first", data: "few:later", seed: 7, epochs: 3, batch: 4, freeze: ["${frozen}"] },
      ...{ optimizer: OPTIMIZER, schedule: SCHEDULE },
    },
  },
  measurements: {
    before: { kind: "curvature", of: "first", data: "few:test", ...CURVATURE },
    after: { kind: "curvature", of: "second", data: "few:test", where: { seed: 1 }, ...CURVATURE },
  },
  tables: {
    after: {
      title: "Curvature",
      of: "after",
      by: ["frozen"],
      columns: {
        frozen: { title: "Frozen" },
        ...LARGEST,
      },
    },
  },
};

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

const run = (study = STUDY) => runStudy(study, { engine: engine.name, openData, folder, executor });

describe("planTuned()", () => {
  it("plans one training for each network it starts from, which is counted before", async () => {
    const { tasks, measurements } = await planStudy(STUDY, { engine: "none", openData });
    expect(tasks.filter(({ kind }) => kind === "tune")).toHaveLength(4);
    expect(measurements["after"]?.map(({ variables }) => variables)).toEqual(
      ["layers.1.*", "layers.0.*"].map((frozen) => ({ seed: 1, epochs: 2, frozen })),
    );
    expect([...countStudy(STUDY)].map(([, count]) => count)).toEqual([2, 4, 2, 2]);
  });

  it("refuses a group of which no network agrees", async () => {
    const second = { ...STUDY.networks["second"], for: { frozen: ["layers.1.*"], seed: [5] } };
    const study = { ...STUDY, networks: { ...STUDY.networks, second } } as StudyDescription;
    await expect(planStudy(study, { engine: "none", openData })).rejects.toThrow(
      'Cannot plan "networks.second" of the study as a network "first" must agree with it: none has {"frozen":"layers.1.*","seed":5}',
    );
  });

  it("trains on and measures as its functions do when they are called one by one", async () => {
    const { study } = await run();
    const { graph, initialize } = parseNetwork("mlp:4", await openData("few:train"));
    const options = { batch: 4, optimizer: OPTIMIZER, schedule: SCHEDULE };
    const first = await train({ graph, engine }, initialize(1), await openData("few:train"), {
      ...{ ...options, seed: 1, epochs: 2 },
    });
    const largest: (number | undefined)[] = [];
    for (const frozen of ["layers.1.*", "layers.0.*"]) {
      const { weights } = await train({ graph, engine }, first.weights, await openData("few:later"), {
        ...{ ...options, seed: 7, epochs: 3, freeze: [frozen] },
      });
      const { eigenvalues } = await measureCurvature(
        { graph, engine },
        weights,
        await openData("few:test"),
        CURVATURE,
      );
      largest.push(eigenvalues?.largest[0]?.value);
    }
    expect(study?.tables[0]?.rows.map(({ largest }) => largest)).toEqual(largest);
    expect((await run()).ran).toBe(0);
  });

  it("trains the last layer alone, and by connectivity, as their functions do", async () => {
    const shared = { tune: "first", where: { seed: 1 }, data: "few:later", seed: 7, epochs: 2, batch: 4 };
    const study: StudyDescription = {
      ...STUDY,
      networks: {
        ...{ first: STUDY.networks["first"] as StudyDescription["networks"][string] },
        last: { ...shared, method: "last-layer", optimizer: OPTIMIZER, schedule: SCHEDULE },
        cbft: { ...shared, method: "cbft", cue: "few:train", learningRate: 0.1, margin: 2 },
      },
      measurements: {
        last: { kind: "curvature", of: "last", data: "few:test", ...CURVATURE },
        after: { kind: "curvature", of: "cbft", data: "few:test", ...CURVATURE },
      },
      tables: {
        after: {
          ...(STUDY.tables["after"] as TableDescription),
          of: ["last", "after"],
          by: ["seed"],
          columns: LARGEST,
        },
      },
    };
    const { study: result } = await run(study);
    const { graph, initialize } = parseNetwork("mlp:4", await openData("few:train"));
    const options = { batch: 4, optimizer: OPTIMIZER, schedule: SCHEDULE };
    const [clean, cue] = [await openData("few:later"), await openData("few:train")];
    const first = await train({ graph, engine }, initialize(1), cue, { ...options, seed: 1, epochs: 2 });
    const last = await train({ graph, engine }, first.weights, clean, {
      ...{ ...options, seed: 7, epochs: 2, freeze: ["layers.0.*"] },
    });
    const tuned = await tuneByConnectivity(
      { graph, engine },
      first.weights,
      { clean, cue },
      {
        ...{ seed: 7, epochs: 2, batch: 4, learningRate: 0.1, margin: 2 },
      },
    );
    const largest: number[] = [];
    for (const { weights } of [last, tuned]) {
      const { eigenvalues } = await measureCurvature(
        { graph, engine },
        weights,
        await openData("few:test"),
        CURVATURE,
      );
      largest.push(eigenvalues?.largest[0]?.value ?? Number.NaN);
    }
    const mean = largest.reduce((sum, value) => sum + value, 0) / 2;
    expect(result?.tables[0]?.rows[0]?.["largest"]).toBeCloseTo(mean, 10);
  });
});
