import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { openPlace } from "../../../test/folder-place.ts";
import { describeQueue } from "../../../test/queue-conformance.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-folder-queue-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;

describeQueue("openFolderQueue()", async () => {
  const place = join(folder, String(places++));
  const module = new URL("../../../test/folder-place.ts", import.meta.url).href;
  return { open: () => openPlace(place), elsewhere: { module, place } };
});

describe("openFolderQueue() with strange files", () => {
  it("leaves files alone that are no tasks, and removes damaged ones", async () => {
    const place = join(folder, "strange");
    const queue = await openPlace(place);
    writeFileSync(join(place, "waiting", "1", "zzz.json"), "{}");
    writeFileSync(join(place, "waiting", "1", "1damaged"), "{");
    const server = await queue.serve(async () => ({ kind: "done", seconds: 0 }), {
      worker: "one",
      capacity: 1,
    });
    await vi.waitFor(() => expect(existsSync(join(place, "waiting", "1", "1damaged"))).toBe(false));
    await server.drain();
    expect(readdirSync(join(place, "waiting", "1"))).toEqual(["zzz.json"]);
    expect(readdirSync(join(place, "running"))).toEqual([]);
    await queue.close();
  });
});
