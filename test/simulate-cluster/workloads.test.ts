import { renderResultPage } from "@isthmus/report";
import { createTask } from "@isthmus/tasks";
import { describe, expect, it } from "vitest";
import { clusterOf } from "../../tools/simulate-cluster/cluster-of.ts";
import { scale } from "../../tools/simulate-cluster/core/scale.ts";
import { type Measured, QUEUES, readMeasured } from "../../tools/simulate-cluster/measured.ts";
import { describeClusters } from "../../tools/simulate-cluster/page.ts";
import { varyCluster } from "../../tools/simulate-cluster/variants.ts";
import { manyNetworks } from "../../tools/simulate-cluster/workloads/many-networks.ts";
import { simulateStudy } from "../../tools/simulate-cluster/workloads/study-tasks.ts";
import { tiesMerge } from "../../tools/simulate-cluster/workloads/ties-merge.ts";

const measured: Measured = await readMeasured();
const total = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

describe("measured.json", () => {
  it("says of each number whether it was measured, and how", () => {
    const queues = QUEUES.flatMap((queue) => Object.values(measured.queues[queue]));
    for (const { value, source, how } of [...queues, ...Object.values(measured.quantities)]) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(["measured", "assumed"]).toContain(source);
      expect(how).not.toBe("");
    }
    expect(measured.quantities["storageBandwidth"]?.source).toBe("assumed");
  });
});

describe("tiesMerge()", () => {
  it("reads each input and writes the result once, in batches that are large enough", () => {
    const { tasks } = tiesMerge(measured, { model: 1e9, batch: 1e8 - 1, inputs: 3 });
    expect(tasks).toHaveLength(10);
    expect(total(tasks.map(({ reads }) => reads))).toBeCloseTo(3e9, 0);
    expect(total(tasks.map(({ writes }) => writes))).toBeCloseTo(1e9, 0);
    expect(tiesMerge(measured).tasks.every(({ writes }) => writes >= 128 * 2 ** 20)).toBe(true);
  });
});

describe("manyNetworks()", () => {
  it("trains each network once, aligns each two that follow each other, and then measures them", () => {
    const { tasks } = manyNetworks(measured, { networks: 4 });
    expect(tasks.map(({ kind }) => kind)).toEqual(
      ["train", "align", "barrier"].flatMap((kind) => Array.from({ length: 4 }, () => kind)),
    );
    expect(tasks.map(({ after }) => after)).toEqual([
      ...[[], [], [], []],
      ...[
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 0],
      ],
      ...[[4], [5], [6], [7]],
    ]);
  });
});

describe("simulateStudy()", () => {
  it("takes times, sizes and dependencies of planned tasks", () => {
    const data = { name: "mnist:train@2000", digest: "0" };
    const network = (seed: number) =>
      createTask({ name: "train", version: 1 }, "none", {
        ...{ params: { network: { net: "mlp:64" }, data, options: { seed, epochs: 3 } }, inputs: {} },
        label: "train mlp:64",
      });
    const [a, b] = [network(0), network(1)];
    const barrier = createTask({ name: "barrier", version: 1 }, "none", {
      params: { data, options: { points: 11 } },
      inputs: {
        graph: [{ task: a.key, file: "graph.onnx" }],
        networks: [a, b].map(({ key }) => ({ task: key, file: "weights-3.safetensors" })),
      },
      label: "barrier of mlp:64 seed 0 and mlp:64 seed 1",
    });
    const tasks = simulateStudy([a, b, barrier], measured);
    const train = measured.tasks["train mlp:64"];
    expect(tasks[0]?.seconds).toBeCloseTo(Number(train?.perRound) + 6000 * Number(train?.perUnit), 9);
    expect(tasks.map(({ after }) => after)).toEqual([[], [], [0, 1]]);
    expect(tasks[2]?.reads).toBe(Number(train?.files["graph"]) + 2 * Number(train?.files["weights"]));
    expect(() => simulateStudy([barrier], measured)).toThrow(/is missing/);
  });
});

describe("describeClusters()", () => {
  it("makes a page of all numbers, the same for the same seed", async () => {
    const make = async (): Promise<string> => {
      const cluster = clusterOf(measured, "redis", 1);
      const workload = manyNetworks(measured, { networks: 30 });
      const scalings = [scale(workload, cluster, [1, 10, 100])];
      const variants = varyCluster(workload, [["a queue of its own", cluster]], 10);
      const result = describeClusters({ queue: "redis", seed: 1, measured, scalings, variants });
      return renderResultPage({ title: result.title, result });
    };
    const page = await make();
    expect(page).toContain("Study of 30 networks");
    expect(page).toContain("a queue of its own");
    expect(page).toContain("Figure 3.");
    expect(page).toContain("assumed");
    expect(await make()).toBe(page);
  });
});
