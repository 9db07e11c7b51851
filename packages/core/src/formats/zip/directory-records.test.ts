import { crc32, encodeUtf8 } from "@isthmus/platform";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../errors.ts";
import { createBytesSource } from "../../io/byte-source.ts";
import { type Archive, type DirectoryEntry, findDirectory, readDirectory } from "./directory-records.ts";
import { encodeDirectory, type WrittenEntry } from "./encode-headers.ts";

/** An archive whose directory begins at a byte, with zeros before it. */
function archiveOf(directory: Uint8Array, begin: number): Archive {
  const source = createBytesSource(directory, "x.zip");
  const read = async (at: number, length: number): Promise<Uint8Array> => {
    const zeros = Math.min(length, Math.max(0, begin - at));
    const rest = await source.read(at + zeros - begin, at + length - begin);
    return new Uint8Array(Buffer.concat([new Uint8Array(zeros), rest]));
  };
  return { name: "x.zip", size: begin + directory.length, read };
}

async function listEntries(archive: Archive): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const entry of readDirectory(archive, await findDirectory(archive))) entries.push(entry);
  return entries;
}

/** Writes a directory of one entry with other flags, extra fields and a comment, as other programs do. */
function foreignDirectory(
  name: Uint8Array,
  flags: number,
  extra: Uint8Array,
  comment: Uint8Array,
): Uint8Array {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(flags, 8);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 10);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([entry, name, extra, end, comment]);
}

describe("readDirectory()", () => {
  it("reads what was written, beyond 4 GiB and beyond 65,535 files, too", async () => {
    const size = fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 2 ** 32 - 2, max: 2 ** 40 }));
    const entry: fc.Arbitrary<WrittenEntry> = fc.record({
      name: fc.string({ unit: "grapheme" }),
      size,
      crc32: fc.nat({ max: 2 ** 32 - 1 }),
      begin: size,
    });
    const read = async (entries: readonly WrittenEntry[], begin: number) => {
      const listed = await listEntries(archiveOf(encodeDirectory(entries, begin), begin));
      expect(listed.filter((one) => one.compressedSize !== one.uncompressedSize)).toEqual([]);
      return listed.map(({ fileName, uncompressedSize, crc32, relativeOffsetOfLocalHeader }) => ({
        name: fileName,
        size: uncompressedSize,
        crc32,
        begin: relativeOffsetOfLocalHeader,
      }));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(entry), size, async (entries, begin) => {
        expect(await read(entries, begin)).toEqual(entries);
      }),
    );
    const many = Array.from({ length: 70_000 }, (_, i) => ({ name: `${i}`, size: 1, crc32: 2, begin: i }));
    expect(await read(many, 5)).toHaveLength(70_000);
  });

  it.each([
    ["in UTF-8", encodeUtf8("größe"), 0x800, "größe"],
    ["in code page 437", Uint8Array.of(0x67, 0x72, 0x94, 0xe1, 0x65), 0, "größe"],
    ["with a backslash", encodeUtf8("a\\b"), 0, "a\\b"],
  ])("reads names %s, whatever comment follows", async (_, name, flags, text) => {
    const comment = encodeUtf8("a comment");
    const directory = foreignDirectory(name, flags, new Uint8Array(0), comment);
    expect(await listEntries(archiveOf(directory, 0))).toMatchObject([{ fileName: text }]);
  });

  it("reads a name in UTF-8 beside another, if it belongs to it", async () => {
    const name = encodeUtf8("plain");
    const unicode = (checksum: number): Uint8Array => {
      const text = encodeUtf8("größe");
      const field = Buffer.alloc(9);
      field.writeUInt16LE(0x7075);
      field.writeUInt16LE(5 + text.length, 2);
      field.writeUInt8(1, 4);
      field.writeUInt32LE(checksum, 5);
      return Buffer.concat([field, text]);
    };
    for (const [checksum, text] of [
      [crc32(name), "größe"],
      [1, "plain"],
    ] as const) {
      const directory = foreignDirectory(name, 0, unicode(checksum), new Uint8Array(0));
      expect(await listEntries(archiveOf(directory, 0))).toMatchObject([{ fileName: text }]);
    }
  });

  it("refuses any damage, or reads on, and fails in no other way", async () => {
    const whole = encodeDirectory([{ name: "some name", size: 2 ** 33, crc32: 1, begin: 2 ** 34 }], 0);
    const flip = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(flip, { maxLength: 3 }),
        fc.nat({ max: whole.length }),
        async (flips, length) => {
          const bytes = whole.slice(0, flips.length === 0 ? length : undefined);
          for (const [at, value] of flips) bytes[at] = value;
          try {
            await listEntries(archiveOf(bytes, 0));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
      { numRuns: 1000 },
    );
    for (const [flags, extra, message] of [
      [0x40, [], /strongly encrypted/],
      [0, [1, 0, 9, 0, 1], /extra fields within their entries/],
    ] as const) {
      const directory = foreignDirectory(encodeUtf8("a"), flags, Uint8Array.from(extra), new Uint8Array(0));
      await expect(listEntries(archiveOf(directory, 0))).rejects.toThrow(message);
    }
  });
});
