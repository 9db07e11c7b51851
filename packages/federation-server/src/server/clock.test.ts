import { afterEach, describe, expect, it, vi } from "vitest";
import { createClock, notBehind } from "./clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("createClock()", () => {
  it("counts on whatever the clock of the machine is set to", () => {
    vi.useFakeTimers({ now: 1_000_000, toFake: ["Date", "performance"] });
    const clock = createClock();
    expect(clock()).toBe(1_000_000);
    for (const time of [5_000_000, 10]) {
      vi.setSystemTime(time);
      const before = clock();
      vi.advanceTimersByTime(2000);
      expect(clock() - before).toBe(2000);
    }
  });
});

describe("notBehind()", () => {
  it("begins at the time if that is later, and goes on at the same pace", () => {
    let time = 100;
    const clock = () => time;
    const later = notBehind(clock, 5000);
    const same = notBehind(clock, 50);
    expect([later(), same()]).toEqual([5000, 100]);
    time += 7;
    expect([later(), same()]).toEqual([5007, 107]);
  });
});
