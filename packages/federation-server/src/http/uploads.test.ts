import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openStore } from "../store/store.ts";
import { scanUpload } from "../work/scan-upload.ts";
import { createUploads } from "./uploads.ts";

const folder = mkdtempSync(join(tmpdir(), "isthmus-uploads-"));
afterAll(() => rmSync(folder, { recursive: true }));
const store = await openStore(folder);

const pieces = [1, 2, 3].map((value) => Buffer.alloc(1000, value));
const bytes = Buffer.concat(pieces);
const hash = createHash("sha256").update(bytes).digest("hex");
/** Returns a stream that has all of its bytes, copied, and its end. */
const bodyOf = (sent: readonly Uint8Array[]): Readable =>
  Readable.from(sent.map((piece) => Buffer.from(piece)));

/** Makes uploads whose disk is slow, so that every write is left to another thread. */
const slowUploads = () =>
  createUploads(
    store,
    async (request) => (await scanUpload({ ...request, parts: null })).scanned,
    async (file, written) => {
      await setTimeout(20);
      await file.appendFile(written);
    },
  );

describe("createUploads()", () => {
  it("waits for the last bytes of a request on a slow disk", async () => {
    const uploads = slowUploads();
    const body = bodyOf(pieces);
    // All bytes and the end are there before the first ones are taken.
    body.read(0);
    await setTimeout(5);
    const chunk = { client: "ada", hash, offset: 0, length: bytes.length, anew: true, body };
    expect(await uploads.write(chunk)).toBe(bytes.length);
    const target = store.unchecked("ada");
    expect(await uploads.take("ada", hash, target)).toMatchObject({ hash });
  });

  it("keeps the length that an upload was announced with", async () => {
    const uploads = slowUploads();
    const begin = { client: "bea", hash, offset: 0, length: bytes.length, anew: true };
    expect(await uploads.write({ ...begin, body: bodyOf(pieces.slice(0, 1)) })).toBe(1000);
    const next = { ...begin, offset: 1000, anew: false };
    await expect(uploads.write({ ...next, length: 2000, body: bodyOf(pieces.slice(1, 2)) })).rejects.toThrow(
      /must keep its length: it was announced with 3000 bytes, and now with 2000/,
    );
    expect(await uploads.write({ ...next, body: bodyOf(pieces.slice(1)) })).toBe(bytes.length);
  });
});
