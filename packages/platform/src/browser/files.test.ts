import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileSteps, takeSteps } from "../../test/page/file-steps.ts";
import * as node from "../index.ts";
import * as web from "./index.ts";

let count = 0;

describe("files of a page", () => {
  it.runIf(process.platform === "linux")(
    "do what those of Node.js do, and fail with the same codes",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "isthmus-files-"));
      await fc.assert(
        fc.asyncProperty(fileSteps, async (steps) => {
          const name = String(count++);
          expect(await takeSteps(web, `/${name}`, steps)).toEqual(
            await takeSteps(node, join(folder, name), steps),
          );
        }),
        { numRuns: 150 },
      );
      rmSync(folder, { recursive: true });
    },
  );

  it("are read at once where they are in memory, and known by their descriptors", async () => {
    await web.writeFile("/at-once", "0123456789");
    expect(web.decodeUtf8(web.readFileSync("/at-once"))).toBe("0123456789");
    const descriptor = web.openSync("/x/../at-once", "r");
    expect(web.pathOfDescriptor(descriptor)).toBe("/at-once");
    expect(web.fstatSync(descriptor).ino).toBe(web.lstatSync("at-once").ino);
    web.closeSync(descriptor);
    expect(() => web.fstatSync(descriptor)).toThrow(/^EBADF/);
    expect(() => web.realpathSync("/nothing")).toThrow(/^ENOENT/);
  });

  it("that only Node.js has are refused, and say so", () => {
    expect(() => web.spawn("ls")).toThrow(/^Cannot use child processes as the program must run in Node.js/);
    expect(() => new web.Worker("x")).toThrow(/^Cannot use threads/);
    expect(() => web.createRequire("file:///x")).toThrow(/^Cannot use installed packages/);
  });
});
