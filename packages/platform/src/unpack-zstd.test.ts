import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endlessZstd, zstdFrame } from "../../core/test-fixtures/zstd.ts";
import * as web from "./browser/index.ts";
import * as node from "./index.ts";

/** The text, packed by `zstandard` 0.25.0 of PyPI at level 9: with a checksum, and without a stated size. */
const TEXT = `${"zstandard packs ".repeat(8)}Zstandard unpacks`;
const CHECKED = Buffer.from(
  "28b52ffd24910d0100c07a7374616e64617264207061636b73205a756e7061636b730200a010daa47309acf39070",
  "hex",
);
const UNSTATED = Buffer.from(
  "28b52ffd00000d0100c07a7374616e64617264207061636b73205a756e7061636b730200a010daa47309",
  "hex",
);
const SKIPPED = Buffer.from("5e2a4d1803000000010203", "hex");

describe.each([
  ["Node.js", node],
  ["browsers", web],
] as const)("unpackZstd() for %s", (_, { unpackZstd, decodeUtf8 }) => {
  const refusal = (packed: Uint8Array, maxOutputLength: number): Promise<Error> =>
    unpackZstd(packed, { maxOutputLength }).then(
      () => expect.fail("it was unpacked"),
      (error: Error) => error,
    );

  it("unpacks frames of all heads, one or several", async () => {
    for (const packed of [CHECKED, UNSTATED])
      expect(decodeUtf8(await unpackZstd(packed, { maxOutputLength: 145 }))).toBe(TEXT);
    const several = Buffer.concat([SKIPPED, zstdFrame(3, [[1, [7], 3]]), zstdFrame(undefined, [[0, [8]]])]);
    expect([...(await unpackZstd(several, { maxOutputLength: 4 }))]).toEqual([7, 7, 7, 8]);
    expect(await unpackZstd(zstdFrame(0, [[0, []]]), { maxOutputLength: 1 })).toHaveLength(0);
  });

  it("loads nothing by fetch, which is as it was afterwards", async () => {
    const { fetch } = globalThis;
    await unpackZstd(CHECKED, { maxOutputLength: 145 });
    expect(globalThis.fetch).toBe(fetch);
  });

  it.each([
    ["states more than it may", CHECKED, 144, "they state 145 bytes, more than 144"],
    ["states more than it has", zstdFrame(9, [[0, [1]]]), 9, "they state 9 bytes, and can become 1"],
    ["fills a part of what it states", zstdFrame(9, [[2, [1 << 3, 65, 0]]]), 9, ""],
    ["becomes more than it states", zstdFrame(2, [[1, [1], 9]]), 9, ""],
    ["becomes more than it may", UNSTATED, 144, ""],
    ["needs a large window", Buffer.from("28b52ffd00f0010000", "hex"), 9, "bytes of memory to unpack"],
    ["has a block of no kind", zstdFrame(2, [[3, [1]]]), 9, "no known kind"],
    ["needs a dictionary", Buffer.from("28b52ffd2101020100000a", "hex"), 9, "need no dictionary"],
    ["copies without end", endlessZstd(200), 200, ""],
    ["copies without end and states no size", endlessZstd(), 2 ** 20, ""],
    ["is followed by something else", Buffer.concat([CHECKED, Buffer.alloc(9)]), 145, "must begin with"],
  ])("refuses data that %s", async (_, packed, most, message) => {
    expect((await refusal(packed, most)).message).toContain(message);
    expect(decodeUtf8(await unpackZstd(CHECKED, { maxOutputLength: 145 }))).toBe(TEXT);
  });

  it("refuses data that are cut, or whose checksum differs", async () => {
    for (let length = 0; length < CHECKED.length; length++) await refusal(CHECKED.subarray(0, length), 145);
    const changed = Uint8Array.from(CHECKED);
    changed[changed.length - 1] = 0;
    await refusal(changed, 145);
  });

  it("gives an error or no more bytes than it may, whatever is changed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: UNSTATED.length - 1 }), fc.nat({ max: 255 }), async (place, byte) => {
        const changed = Uint8Array.from(UNSTATED);
        changed[place] = byte;
        const bytes = await unpackZstd(changed, { maxOutputLength: 1000 }).catch((error: Error) => error);
        if (!(bytes instanceof Error)) expect(bytes.length).toBeLessThanOrEqual(1000);
      }),
    );
  });
});

it("unpacks more than 128 MiB that were packed in one piece, as Orbax stores large arrays", async () => {
  const [block, count] = [2 ** 17, 1025];
  const head = zstdFrame(undefined, []).subarray(0, 4);
  const size = Buffer.from([0xa0, 0, 0, 0, 0]);
  size.writeUInt32LE(block * count, 1);
  const blocks = zstdFrame(undefined, Array(count).fill([1, [7], block])).subarray(6);
  const bytes = await node.unpackZstd(Buffer.concat([head, size, blocks]), {
    maxOutputLength: block * count,
  });
  expect(bytes).toHaveLength(block * count);
  expect(bytes.at(-1)).toBe(7);
});
