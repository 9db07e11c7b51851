import { describe, expect, it } from "vitest";
import { distinctNamesOfFiles, titlesOfFiles } from "./file-names.ts";

describe("distinctNamesOfFiles()", () => {
  it("distinctNamesOfFiles() numbers names that folders do not tell apart", () => {
    expect(distinctNamesOfFiles(["a/s0.pt", "b/s0.pt", "a/s0.pt", "s1.pt"])).toEqual([
      "a/s0",
      "b/s0",
      "a/s0 (2)",
      "s1",
    ]);
  });
});

describe("titlesOfFiles()", () => {
  it("has as many folders as tell networks apart", () => {
    expect(titlesOfFiles(["u0/unet", "al/unet"])).toEqual(["u0/unet", "al/unet"]);
    expect(titlesOfFiles(["runs/u0/unet/b", "runs/u1/unet/b", "c/d.pt"])).toEqual([
      "u0/unet/b",
      "u1/unet/b",
      "d.pt",
    ]);
    expect(titlesOfFiles(["a/s0.pt", "b/s1.pt"])).toEqual(["s0.pt", "s1.pt"]);
    expect(titlesOfFiles(["/unet", "unet"])).toEqual(["unet", "unet"]);
    expect(titlesOfFiles(["x/unet", "x/unet"])).toEqual(["x/unet", "x/unet"]);
  });
});
