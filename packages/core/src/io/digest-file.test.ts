import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFreshFolders } from "../../../../test/helpers/fresh-folder.ts";
import { digestFile } from "./digest-file.ts";

let folder: string;
inFreshFolders((path) => {
  folder = path;
});

describe("digestFile()", () => {
  it.each([0, 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 - 1])("digests a file of %i bytes", async (size) => {
    const bytes = randomBytes(size);
    const path = join(folder, "bytes.bin");
    writeFileSync(path, bytes);
    expect(await digestFile(path)).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  it("stops with its signal", async () => {
    const path = join(folder, "bytes.bin");
    writeFileSync(path, "abc");
    await expect(digestFile(path, { signal: AbortSignal.abort(new TypeError("stopped")) })).rejects.toThrow(
      "stopped",
    );
  });

  it("refuses what is not a file", async () => {
    await expect(digestFile(folder)).rejects.toThrow(/must be a regular file/);
    await expect(digestFile(join(folder, "none.bin"))).rejects.toThrow(/none\.bin/);
  });
});
