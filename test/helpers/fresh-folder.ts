import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach } from "vitest";

/**
 * Gives each test of a file, or of the `describe` that calls it, an empty folder, which is removed after the
 * test.
 * @param take - called with the folder before each test
 */
export function inFreshFolders(take: (folder: string) => void | Promise<void>): void {
  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), "isthmus-"));
    await take(folder);
    return () => rmSync(folder, { recursive: true, force: true });
  });
}
