import { describe, expect, it } from "vitest";
import { distinctNamesOfFiles } from "./file-names.ts";

describe("distinctNamesOfFiles()", () => {
  it("distinctNamesOfFiles() numbers names that folders do not tell apart", () => {
    expect(distinctNamesOfFiles(["a/s0.pt", "b/s0.pt", "x/a/s0.pt", "s1.pt"])).toEqual([
      "a/s0",
      "b/s0",
      "a/s0 (2)",
      "s1",
    ]);
  });
});
