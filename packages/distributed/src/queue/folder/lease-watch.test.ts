import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLeaseWatch } from "./lease-watch.ts";

const LEASE = 3000;
const STEP = 500;

/** Lets time pass in steps, at each of which a worker that lives writes its file if a third of a lease is over. */
function watchWorker({ steps, diesAt, jumps }: WatchedWorker): number | undefined {
  let mono = 1e6;
  let shift = 1e12;
  const watch = createLeaseWatch(LEASE, () => mono);
  let [written, wroteAt] = [mono + shift, mono];
  for (let step = 0; step < steps; step++) {
    shift += jumps.get(step) ?? 0;
    if (step < diesAt && mono - wroteAt >= LEASE / 3) [written, wroteAt] = [mono + shift, mono];
    watch.look(mono + shift);
    if (watch.isOver("task", written)) return step;
    mono += STEP;
  }
  return undefined;
}

interface WatchedWorker {
  readonly steps: number;
  readonly diesAt: number;
  /** Milliseconds by which the clock of the file system is set ahead, or back, before a step. */
  readonly jumps: ReadonlyMap<number, number>;
}

const HOUR = 3_600_000;
const jump = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: -5 * HOUR, max: 5 * HOUR }));

describe("createLeaseWatch()", () => {
  it("never takes a worker that lives for dead, whenever and wherever the clock jumps", () => {
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 4 }), (jumps) => {
        expect(watchWorker({ steps: 80, diesAt: 80, jumps: new Map(jumps) })).toBeUndefined();
      }),
    );
  });

  it("finds a dead worker within two leases after it died, or after the last jump", () => {
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 4 }), fc.integer({ min: 1, max: 60 }), (jumps, diesAt) => {
        const found = watchWorker({ steps: 80, diesAt, jumps: new Map(jumps) });
        expect(found).toBeGreaterThanOrEqual(diesAt);
        expect(found).toBeLessThanOrEqual(diesAt + (2 * LEASE) / STEP);
      }),
    );
  });

  it("finds a worker that is dead for long at its second look, as a clock that does not jump says so", () => {
    const watch = createLeaseWatch(LEASE, () => 0);
    watch.look(HOUR);
    const look = () => [watch.isOver("old", HOUR - LEASE), watch.isOver("new", HOUR - LEASE + 1)];
    expect([look(), look()]).toEqual([
      [false, false],
      [true, false],
    ]);
  });
});
