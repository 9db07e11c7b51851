import { afterEach, describe, expect, it, vi } from "vitest";
import { RequestCounts } from "./request-counts.ts";

afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

function countsOf(counts: RequestCounts, key: string): number {
  let told = 0;
  counts.incr(
    key,
    (_, { current }) => {
      told = current;
    },
    MINUTE,
  );
  return told;
}

describe("RequestCounts", () => {
  it("begins again after a minute, also if the clock of the machine is set back by an hour", () => {
    vi.useFakeTimers({ now: 1e12, toFake: ["Date", "performance"] });
    const counts = new RequestCounts();
    expect([countsOf(counts, "ada"), countsOf(counts, "ada"), countsOf(counts, "bea")]).toEqual([1, 2, 1]);
    vi.setSystemTime(1e12 - 3_600_000);
    vi.advanceTimersByTime(MINUTE - 1);
    expect(countsOf(counts, "ada")).toBe(3);
    vi.advanceTimersByTime(1);
    expect(countsOf(counts.child(), "ada")).toBe(1);
  });

  it("forgets the one whose minute began first when there are too many", () => {
    const counts = new RequestCounts();
    countsOf(counts, "first");
    for (let i = 0; i < 4999; i++) countsOf(counts, `address ${i}`);
    expect(countsOf(counts, "first")).toBe(2);
    countsOf(counts, "one more");
    expect([countsOf(counts, "address 4998"), countsOf(counts, "first")]).toEqual([2, 1]);
  });
});
