import { mkdirSync } from "node:fs";
import { FormatError, InputError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../test/temporary-folder.ts";
import { readFashionMnistPackage } from "./read-fashion-mnist-package.ts";

const folder = temporaryFolder();
mkdirSync(`${folder.path}/src/clothes`, { recursive: true });

describe("readFashionMnistPackage()", () => {
  it.each([
    ["fewer rows", '{"data": [[1, 2, 3]]}'],
    ["rows of other lengths", JSON.stringify({ data: new Array(7000).fill([1]) })],
    ["no rows", '{"data": 5}'],
    ["no JSON", '{"data": '],
    ["null", "null"],
  ])("readFashionMnistPackage() refuses other content: %s", async (_, content) => {
    folder.write("src/clothes/0.json", content);
    await expect(readFashionMnistPackage(folder.path, "test")).rejects.toThrow(FormatError);
  });

  it("readFashionMnistPackage() refuses a folder without the files", async () => {
    await expect(readFashionMnistPackage(`${folder.path}/src`, "test")).rejects.toThrow(InputError);
  });
});
