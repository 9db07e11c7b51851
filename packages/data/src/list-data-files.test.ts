import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listDataFiles, moveDataFiles } from "./list-data-files.ts";

describe("listDataFiles()", () => {
  it("lists the files of a name by the paths in it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-data-files-"));
    try {
      for (const name of ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "readme.txt"])
        writeFileSync(join(folder, name), "");
      const [listed] = await listDataFiles(`mnist:${folder}:train`);
      expect(listed?.path).toBe(folder);
      expect([...(listed?.files ?? [])].sort()).toEqual([
        join(folder, "t10k-images-idx3-ubyte"),
        join(folder, "t10k-labels-idx1-ubyte.gz"),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(await listDataFiles("mnist:test@10")).toEqual([]);
    expect(await listDataFiles("npz:a.npz:train@3")).toEqual([{ path: "a.npz", files: ["a.npz"] }]);
    expect(await listDataFiles("idx:a,b")).toEqual([
      { path: "a", files: ["a"] },
      { path: "b", files: ["b"] },
    ]);
    await expect(listDataFiles("arrays:a")).rejects.toThrow(/there is no kind "arrays"/);
  });
});

describe("moveDataFiles()", () => {
  it.each([
    ["npz:npz:train@3", "npz:x/npz:train@3"],
    ["idx:/a,b/c:test", "idx:x//a,x/b/c:test"],
    ["tokens:t.bin,u32@4", "tokens:x/t.bin,u32@4"],
    ["mnist:DIR", "mnist:x/DIR"],
    ["mnist:test@1000", "mnist:test@1000"],
  ])("moves the paths in %s", (name, moved) => {
    expect(moveDataFiles(name, (path) => `x/${path}`)).toBe(moved);
  });
});
