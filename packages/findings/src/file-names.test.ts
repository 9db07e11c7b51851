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

  it("leaves out the middle of long names, which stay distinct", () => {
    const long = (end: string) => `nets/${"x".repeat(4000)}-${end}.pt`;
    const [one = "", two = ""] = distinctNamesOfFiles([
      long("seed-of-one"),
      long("seed-of-one").replace("x", "y"),
    ]);
    expect(one).toBe(`${"x".repeat(40)}…${"x".repeat(8)}-seed-of-one`);
    expect(two).toMatch(/^y/);
    expect(distinctNamesOfFiles([`a/${long("s")}`, `b/${long("s")}`])[1]).not.toBe(one);
    const middles = ["u", "v"].map((middle) => `${"x".repeat(50)}${middle}${"x".repeat(50)}`);
    expect(distinctNamesOfFiles(middles)[1]).toMatch(/^x{40}…x{20} \(2\)$/);
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
