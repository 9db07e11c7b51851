import { textWidth } from "@isthmus/findings";
import { describe, expect, it } from "vitest";
import { splitName } from "./split-name.ts";

describe("splitName()", () => {
  it.each([
    ["4 networks in turn", 200, ["4 networks in turn"]],
    ["4 networks in turn", 90, ["4 networks", "in turn"]],
    ["surrogate", 40, ["su…te"]],
    ["a very long name of words", 70, ["a very…ng", "name of…s"]],
  ])("writes %j within %d pixels", (name, width, lines) => {
    const split = splitName(name, width);
    for (const line of split) expect(textWidth(line)).toBeLessThanOrEqual(width);
    expect(split.length).toBe(lines.length);
    if (lines.every((line) => !line.includes("…"))) expect(split).toEqual(lines);
  });
});
