import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../tools/simulate-cluster/core/cluster.ts";
import { criticalPath } from "../../tools/simulate-cluster/core/critical-path.ts";
import { drawTimes } from "../../tools/simulate-cluster/core/draw-times.ts";
import { simulate } from "../../tools/simulate-cluster/core/simulate.ts";
import { equalTasks, IDEAL, taskOf, workloadOf } from "./clusters.ts";

const GIGABYTE = 1e9;

/** Workloads of up to 40 tasks, each of which depends on up to three before it. */
const workloads = fc
  .array(
    fc.record({
      seconds: fc.double({ min: 0.01, max: 100, noNaN: true }),
      reads: fc.integer({ min: 0, max: 1e6 }),
      writes: fc.integer({ min: 0, max: 1e6 }),
      back: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((tasks) =>
    workloadOf(
      tasks.map(({ back, ...task }, index) =>
        taskOf({ ...task, after: [...new Set(back.map((by) => index - by).filter((one) => one >= 0))] }),
      ),
    ),
  );

/** Clusters in which everything takes time, and nothing fails. */
const clusters = fc
  .record({
    workers: fc.integer({ min: 1, max: 20 }),
    storage: fc.integer({ min: 1e4, max: 1e7 }),
    worker: fc.integer({ min: 1e4, max: 1e7 }),
    latency: fc.double({ min: 0, max: 0.1, noNaN: true }),
    service: fc.double({ min: 0, max: 0.1, noNaN: true }),
    note: fc.double({ min: 0, max: 0.1, noNaN: true }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(
    ({ workers, storage, worker, latency, service, note, seed }): Cluster => ({
      ...{ ...IDEAL, workers, seed, spread: 0.3, start: 1, bandwidth: { storage, worker } },
      queue: { latency, service, poll: 0 },
      waiting: { plan: 0.1, planPerTask: 0.001, add: 0.001, note, notePerUnfinished: 0 },
    }),
  );

describe("simulate()", () => {
  it("one worker takes the sum of all times", () => {
    fc.assert(
      fc.property(workloads, fc.integer({ min: 0, max: 99 }), (workload, seed) => {
        const cluster = { ...IDEAL, spread: 0.5, seed };
        const sum = drawTimes(workload.tasks, cluster).reduce((total, one) => total + one, 0);
        expect(simulate(workload, cluster).makespan).toBeCloseTo(sum, 6);
      }),
    );
  });

  it("equal tasks that depend on nothing take as many rounds as it takes to give each a worker", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 50 }), (count, workers) => {
        const { makespan, shares } = simulate(equalTasks(count, { seconds: 7 }), { ...IDEAL, workers });
        expect(makespan).toBeCloseTo(7 * Math.ceil(count / workers), 9);
        expect(shares.compute).toBeCloseTo((7 * count) / (makespan * workers), 9);
      }),
    );
  });

  it("tasks that only move files take their bytes over the bandwidth", () => {
    const workload = equalTasks(60, { seconds: 0, reads: 3 * GIGABYTE, writes: GIGABYTE });
    const bandwidth = { storage: 2 * GIGABYTE, worker: GIGABYTE };
    const bound = (60 * 4) / 2;
    const { makespan, moved, storage } = simulate(workload, { ...IDEAL, workers: 20, bandwidth });
    expect(makespan).toBeCloseTo(bound, 6);
    expect(moved).toBeCloseTo(240 * GIGABYTE, 0);
    expect(storage).toBeCloseTo(1, 9);
    // One worker is held back by its own network.
    expect(simulate(workload, { ...IDEAL, bandwidth }).makespan).toBeCloseTo(240, 6);
  });

  it("no cluster is faster than its longest chain, its bytes, its work or its waiting process", () => {
    fc.assert(
      fc.property(workloads, clusters, (workload, cluster) => {
        const { makespan } = simulate(workload, cluster);
        const { tasks } = workload;
        const { note, add, planPerTask } = cluster.waiting;
        const work = drawTimes(tasks, cluster).reduce((sum, one) => sum + one, 0);
        const bytes = tasks.reduce((sum, { reads, writes }) => sum + reads + writes, 0);
        const bounds = [
          criticalPath(workload, cluster),
          work / cluster.workers,
          bytes / cluster.bandwidth.storage,
          cluster.waiting.plan + tasks.length * (note + add + planPerTask),
          tasks.length * 2 * cluster.queue.service,
        ];
        expect(makespan).toBeGreaterThanOrEqual(Math.max(...bounds) * (1 - 1e-9));
      }),
    );
  });

  it("with a worker for each task, and nothing shared, the longest chain decides", () => {
    fc.assert(
      fc.property(workloads, (workload) => {
        const cluster = {
          ...IDEAL,
          workers: 40,
          bandwidth: { storage: Number.POSITIVE_INFINITY, worker: 1e5 },
        };
        expect(simulate(workload, cluster).makespan).toBeCloseTo(criticalPath(workload, cluster), 6);
      }),
    );
  });

  it("the waiting process notes one result after the other, the longer the more are unfinished", () => {
    const waiting = { plan: 3, planPerTask: 0.5, add: 0, note: 2, notePerUnfinished: 0.1 };
    const { makespan } = simulate(equalTasks(10), { ...IDEAL, workers: 10, waiting });
    expect(makespan).toBeCloseTo(3 + 5 + 1 + 10 * 2 + 0.1 * 55, 9);
  });

  it("the queue serves one message after the other, two for each task", () => {
    const queue = { latency: 0, service: 3, poll: 0 };
    const { makespan, queue: busy } = simulate(equalTasks(10, { seconds: 0 }), {
      ...IDEAL,
      workers: 10,
      queue,
    });
    expect(makespan).toBeCloseTo(60, 9);
    expect(busy).toBeCloseTo(1, 9);
  });

  it("workers that are not called look after half of their pause", () => {
    const queue = { latency: 0, service: 0, poll: 4 };
    expect(
      simulate(equalTasks(1), { ...IDEAL, start: 0, queue, waiting: { ...IDEAL.waiting, plan: 1 } }).makespan,
    ).toBe(1 + 2 + 1);
  });
});

describe("simulate() with failures", () => {
  const failing = { ...IDEAL, start: 5, failures: { meanTime: 40, lease: 30 }, spread: 0.2 };
  const workload = equalTasks(200, { seconds: 10, reads: 1000, writes: 1000 });
  const bandwidth = { storage: 5000, worker: 1000 };

  it("finishes all, later than without failures, and counts what was lost", () => {
    const cluster = { ...failing, workers: 20, bandwidth };
    const failed = simulate(workload, cluster);
    const whole = simulate(workload, {
      ...cluster,
      failures: { meanTime: Number.POSITIVE_INFINITY, lease: 30 },
    });
    expect(failed.failures).toBeGreaterThan(0);
    expect(failed.shares.lost).toBeGreaterThan(0);
    expect(failed.makespan).toBeGreaterThan(whole.makespan);
    // Work that counted is the same; what was moved in vain comes on top.
    const computed = ({ shares, makespan }: typeof failed) => shares.compute * makespan * 20;
    expect(computed(failed)).toBeCloseTo(computed(whole), 6);
    expect(failed.moved).toBeGreaterThan(whole.moved);
  });

  it("gives a lost task to a worker only after the lease, and ends its transfer at once", () => {
    const cluster = {
      ...{ ...failing, spread: 0, start: 0, workers: 2, bandwidth: { storage: 1000, worker: 100 } },
      failures: { meanTime: 40, lease: 1000 },
    };
    const reading = equalTasks(1, { seconds: 0, reads: 1000 });
    const runs = Array.from({ length: 100 }, (_, seed) => simulate(reading, { ...cluster, seed }));
    const lost = runs.filter(({ moved }) => moved > 1000);
    expect(lost.length).toBeGreaterThan(0);
    for (const { makespan, moved } of lost) {
      expect(makespan).toBeGreaterThan(1010);
      // A transfer that goes on without its worker would move all bytes in vain.
      const times = Math.floor(makespan / 1000);
      expect(moved).toBeLessThan(1000 + times * 1000);
    }
  });

  it("gives the same bytes for the same seed, and other bytes for another", () => {
    const run = (seed: number) =>
      JSON.stringify(simulate(workload, { ...failing, workers: 20, bandwidth, seed }));
    expect(run(3)).toBe(run(3));
    expect(run(3)).not.toBe(run(4));
  });
});
