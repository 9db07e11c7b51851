import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSharedLink } from "../../tools/simulate-cluster/core/shared-link.ts";

/** When transfers begin and how long they are; some are cancelled. */
interface Wish {
  readonly start: number;
  readonly bytes: number;
  readonly cancel?: number;
}

const STEP = 1 / 64;

/** Shares a bandwidth in small steps of time: each gets the same part of what is left, at most what it can take. */
function fillInSteps(wishes: readonly Wish[], storage: number, worker: number): number[] {
  const left = wishes.map(({ bytes }) => bytes);
  const ends = wishes.map(() => Number.POSITIVE_INFINITY);
  for (let time = 0; time < 1000; time += STEP) {
    const active = wishes.flatMap(({ start, cancel = Number.POSITIVE_INFINITY }, index) =>
      start <= time && time < cancel && (left[index] as number) > 0 ? [index] : [],
    );
    let rest = storage;
    for (const [index, one] of active.entries()) {
      const share = Math.min(worker, rest / (active.length - index));
      rest -= share;
      left[one] = (left[one] as number) - share * STEP;
      if ((left[one] as number) <= 1e-9) ends[one] = time + STEP;
    }
  }
  return ends;
}

/** Lets a link move the same files. */
function fillByEvents(wishes: readonly Wish[], storage: number, worker: number): number[] {
  const link = createSharedLink({ storage, worker });
  const ends = wishes.map(() => Number.POSITIVE_INFINITY);
  const acts = wishes
    .flatMap(({ start, bytes, cancel }, index) => {
      let transfer: ReturnType<typeof link.start>;
      let isDone = false;
      const begin = (now: number) => {
        transfer = link.start(now, bytes, () => {
          isDone = true;
          ends[index] = clock;
        });
      };
      const end = (now: number) => {
        if (transfer !== undefined && !isDone) link.cancel(now, transfer);
      };
      return [{ time: start, act: begin }, ...(cancel === undefined ? [] : [{ time: cancel, act: end }])];
    })
    .sort((one, other) => one.time - other.time);
  let clock = 0;
  const stepUntil = (time: number) => {
    while (link.next <= time && link.next < Number.POSITIVE_INFINITY) {
      clock = link.next;
      link.step();
    }
  };
  for (const { time, act } of acts) {
    stepUntil(time);
    act(time);
  }
  stepUntil(Number.POSITIVE_INFINITY);
  return ends;
}

const wishes = fc.array(
  fc.record(
    {
      start: fc.integer({ min: 0, max: 20 }),
      bytes: fc.integer({ min: 1, max: 40 }),
      cancel: fc.integer({ min: 20, max: 30 }),
    },
    { requiredKeys: ["start", "bytes"] },
  ),
  { minLength: 1, maxLength: 12 },
);

describe("createSharedLink()", () => {
  it("gives each transfer what sharing in small steps gives it", () => {
    fc.assert(
      fc.property(
        wishes,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (made, storage, worker) => {
          const steps = fillInSteps(made, storage, worker);
          const events = fillByEvents(made, storage, worker);
          for (const [index, end] of events.entries()) {
            const other = steps[index] as number;
            if (end === Number.POSITIVE_INFINITY || other === Number.POSITIVE_INFINITY) continue;
            // Each of the ends before may be a step late.
            expect(Math.abs(end - other)).toBeLessThanOrEqual(STEP * (made.length + 1));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("ends a transfer at once where nothing holds it back", () => {
    const link = createSharedLink({ storage: Number.POSITIVE_INFINITY, worker: Number.POSITIVE_INFINITY });
    let isDone = false;
    link.start(0, 1e12, () => {
      isDone = true;
    });
    expect(isDone).toBe(true);
    expect(link.moved).toBe(1e12);
  });
});
