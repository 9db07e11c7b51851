import { describe, expect, it } from "vitest";
import { namesOf } from "./open-data.ts";

describe("namesOf()", () => {
  it("bytes are scaled by --mean and --std together", () => {
    expect(namesOf({ data: "mnist:test", mean: 0, std: 1 })).toMatchObject({
      data: "mnist:test",
      scaling: { mean: 0, std: 1 },
    });
    expect(() => namesOf({ std: 1 })).toThrow("got only --std");
  });
});
