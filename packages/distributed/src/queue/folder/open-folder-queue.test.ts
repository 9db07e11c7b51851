import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
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
