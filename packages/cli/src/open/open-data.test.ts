import { describe, expect, it } from "vitest";
import { openData } from "./open-data.ts";

describe("openData()", () => {
  it("bytes are scaled by --mean and --std together", async () => {
    const { data } = await openData({ data: "mnist:test@2", mean: 0, std: 1 }, {});
    expect(data.scaling).toEqual({ mean: 0, std: 1 });
    await expect(openData({ data: "mnist:test@2", std: 1 }, {})).rejects.toThrow("got only --std");
  });
});
