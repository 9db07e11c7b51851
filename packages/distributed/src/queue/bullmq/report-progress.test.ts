import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createReporter } from "./report-progress.ts";
import { createTrouble } from "./trouble.ts";

const trouble = createTrouble("queue", String);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("createReporter()", () => {
  it("says at once that a task has begun, and then how far it is, twice a second", async () => {
    const sent: (number | undefined)[] = [];
    const { report, end } = createReporter(async (done) => void sent.push(done), trouble);
    for (let step = 1; step <= 30; step++) {
      report(step / 100);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(sent).toEqual([undefined, 0.1, 0.2, 0.3].map((done) => done && expect.closeTo(done, 1)));
    report(0.9);
    await end();
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toHaveLength(4);
  });

  it("end() waits for a report on its way, even one that fails", async () => {
    let reject: ((error: Error) => void) | undefined;
    const { end } = createReporter(
      () =>
        new Promise((_resolve, fail) => {
          reject = fail;
        }),
      trouble,
    );
    let ended = false;
    const ending = end().then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(ended).toBe(false);
    reject?.(new Error("Connection is closed."));
    await ending;
  });
});
