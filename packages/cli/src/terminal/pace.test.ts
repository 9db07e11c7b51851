import { describe, expect, it } from "vitest";
import { createPace } from "./pace.ts";

describe("createPace()", () => {
  it("estimates the time left from what was done in the time so far, and not from what was stored", () => {
    let time = 5000;
    const pace = createPace(() => time);
    expect(pace.left()).toBe("");
    pace.note(0.5, true);
    expect(pace.left()).toBe("");
    time += 10_000;
    pace.note(0.6);
    expect(pace.left()).toBe("40 s left");
    // A stage that is announced from its start again does not count twice.
    pace.note(0.55);
    time += 10_000;
    pace.note(0.8);
    expect(pace.left()).toBe("13 s left");
    pace.note(1);
    expect(pace.left()).toBe("0 s left");
  });
});
