import { describe, expect, it } from "vitest";
import type { Cluster, Workload } from "../../tools/simulate-cluster/core/cluster.ts";
import { findLimit } from "../../tools/simulate-cluster/core/find-limit.ts";
import { scale } from "../../tools/simulate-cluster/core/scale.ts";
import { simulate } from "../../tools/simulate-cluster/core/simulate.ts";
import { equalTasks, IDEAL, taskOf, workloadOf } from "./clusters.ts";

function limitOf(workload: Workload, cluster: Cluster): string {
  const simulated = simulate(workload, cluster);
  const alone = simulate(workload, { ...cluster, workers: 1 }).makespan;
  const efficiency = alone / simulated.makespan / cluster.workers;
  return findLimit({ workload, cluster, simulated, efficiency }).names.join(" and ");
}

const files = equalTasks(1000, { seconds: 1, reads: 1e9 });
const many = equalTasks(1000);

describe("findLimit()", () => {
  it("finds each limit where it alone holds a cluster back", () => {
    const cluster = { ...IDEAL, workers: 100 };
    expect(limitOf(many, cluster)).toBe("none");
    expect(limitOf(files, { ...cluster, bandwidth: { ...IDEAL.bandwidth, storage: 1e9 } })).toBe("storage");
    expect(limitOf(many, { ...cluster, queue: { ...IDEAL.queue, service: 0.1 } })).toBe("queue");
    expect(limitOf(many, { ...cluster, waiting: { ...IDEAL.waiting, note: 0.1 } })).toBe("waiting");
    expect(limitOf(many, { ...cluster, start: 60 })).toBe("start");
    expect(limitOf(equalTasks(30, { seconds: 100 }), cluster)).toBe("tasks");
    const chain = Array.from({ length: 1000 }, (_, index) =>
      taskOf({ after: index % 50 === 0 ? [] : [index - 1] }),
    );
    expect(limitOf(workloadOf(chain), cluster)).toBe("path");
    // A few stages, each of which waits for all tasks of the stage before.
    const stages = Array.from({ length: 330 }, (_, index) => {
      const stage = Math.floor(index / 110);
      const before = Array.from({ length: 110 }, (__, one) => (stage - 1) * 110 + one);
      return taskOf({ after: stage === 0 ? [] : before });
    });
    expect(limitOf(workloadOf(stages), cluster)).toBe("dependencies");
    expect(
      limitOf(equalTasks(1000, { seconds: 10 }), { ...cluster, failures: { meanTime: 60, lease: 300 } }),
    ).toBe("failures");
  });

  it("names two limits that help only together", () => {
    // The storage and the queue take as long: 100 seconds each for all files, at the same time.
    const bandwidth = { ...IDEAL.bandwidth, storage: 1e10 };
    const cluster = { ...IDEAL, workers: 100, bandwidth, queue: { ...IDEAL.queue, service: 0.05 } };
    expect(limitOf(equalTasks(1000, { seconds: 0.1, reads: 1e9 }), cluster)).toBe("storage and queue");
  });
});

describe("scale()", () => {
  it("says from which number of workers on less than half of them is used, and why", () => {
    const scaling = scale(equalTasks(40, { seconds: 100 }), IDEAL, [1, 10, 100]);
    expect(scaling.points.map(({ speedup }) => Math.round(speedup))).toEqual([1, 10, 40]);
    expect(scaling.stops).toEqual({ workers: 100, limit: ["tasks"] });
    expect(scaling.criticalPath).toBe(100);
  });

  it("does not say so of what scales", () => {
    expect(scale(many, IDEAL, [1, 10]).stops).toBeUndefined();
  });
});
