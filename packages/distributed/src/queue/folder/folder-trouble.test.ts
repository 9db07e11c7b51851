import { describe, expect, it } from "vitest";
import { createFolderTrouble } from "./folder-trouble.ts";

describe("createFolderTrouble()", () => {
  it("tells of each sort of trouble once until it is over", () => {
    const said: string[] = [];
    const trouble = createFolderTrouble((sentence) => said.push(sentence));
    const stale = (path: string): Error =>
      Object.assign(new Error(`stale file handle ${path}`), { code: "ESTALE" });
    trouble.tell(stale("a"));
    trouble.tell(stale("b"));
    trouble.tell(new Error("damaged"));
    expect(said).toEqual([
      "The queue's folder is in trouble: stale file handle a",
      "The queue's folder is in trouble: damaged",
    ]);
    trouble.isOver();
    trouble.tell(stale("c"));
    expect(said).toHaveLength(3);
  });
});
