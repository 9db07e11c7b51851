import { at, FormatError, UnsupportedError } from "@isthmus/core";
import fc from "fast-check";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { encodePng } from "../../test/encode-png.ts";
import { pictureFixture, readFixture } from "../../test/fixture.ts";
import { readNpz } from "../read-npz.ts";
import { decodePicture } from "./decode-picture.ts";
import { withChannels } from "./picture.ts";
import { resizePicture } from "./stack-pictures.ts";

/** What Pillow reads of the fixtures. */
const pillow = await readNpz(pictureFixture("expected.npz"));
const expected = (name: string) => new Uint8Array(pillow.get(name)?.data as Uint8Array);
const decode = (name: string) => decodePicture(readFixture(name), name);

describe("decodePicture()", () => {
  it.each(["rgb.png", "rgba.png", "grey.png", "grey-alpha.png", "bit.png", "palette.png"])(
    "reads %s to the bytes that Pillow reads",
    async (name) => {
      expect(withChannels(await decode(name), 3).data).toEqual(expected(name));
    },
  );

  it.each(["baseline-420.jpg", "baseline-422.jpg", "baseline-444.jpg", "progressive-420.jpg", "grey.jpg"])(
    "reads %s to within 3 levels of what libjpeg reads, and half a level on the mean",
    async (name) => {
      // The cosine transforms differ: of 163 files of nine sizes no level differed by more than 3.
      const { data } = withChannels(await decode(name), 3);
      const differences = [...expected(name)].map((value, i) => Math.abs(value - at(data, i, "pixel")));
      expect(Math.max(...differences)).toBeLessThanOrEqual(3);
      expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.5);
    },
  );

  it("reads what fast-png writes, of 8 and 16 bits and any number of channels", async () => {
    const sizes = fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.integer({ min: 1, max: 9 }),
      channels: fc.constantFrom(1, 2, 3, 4),
      depth: fc.constantFrom(8 as const, 16 as const),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ width, height, channels, depth, seed }) => {
        const length = width * height * channels;
        const numbers = Array.from({ length }, (_, i) => (seed + i * 7919) % 2 ** depth);
        const data = depth === 8 ? Uint8Array.from(numbers) : Uint16Array.from(numbers);
        const picture = await decodePicture(encode({ width, height, channels, depth, data }), "x");
        const kept = channels < 3 ? 1 : 3;
        const upper = numbers.map((value) => (depth === 8 ? value : value >> 8));
        expect([...picture.data]).toEqual(upper.filter((_, i) => i % channels < kept));
      }),
    );
  });

  it("puts the passes of an interlaced picture together", async () => {
    // The picture of 3 x 3 has a pixel in the passes 1, 4, 5, 6 and 7 and none in others.
    const raw = Uint8Array.of(0, 10, 0, 12, 0, 30, 32, 0, 11, 0, 31, 0, 20, 21, 22);
    const { data } = await decodePicture(encodePng({ width: 3, height: 3, interlace: 1, raw }), "x");
    expect([...data]).toEqual([10, 11, 12, 20, 21, 22, 30, 31, 32]);
  });

  it.each<readonly [string, Uint8Array, RegExp]>([
    [
      "a header that claims 60,000 x 60,000",
      encodePng({ width: 60_000, height: 60_000, raw: new Uint8Array(100) }),
      /at most 33554432 pixels; make it smaller first: it claims 60000 x 60000/,
    ],
    [
      "a header that the file cannot hold",
      encodePng({ width: 5000, height: 5000, raw: new Uint8Array(100) }),
      /its header must fit the file: it claims 5000 x 5000 pixels/,
    ],
    [
      "pixels that inflate to more than the header says",
      encodePng({ width: 4, height: 4, raw: new Uint8Array(50_000_000) }),
      /must inflate to 20 bytes, and do not$/,
    ],
    ["fewer pixels", encodePng({ width: 4, height: 4, raw: new Uint8Array(19) }), /and are 19$/],
    ["an unknown filter", encodePng({ width: 1, height: 1, raw: Uint8Array.of(5, 0) }), /that of row 0 is 5/],
    [
      "a colour that is not in the palette",
      encodePng({ width: 1, height: 1, colour: 3, raw: Uint8Array.of(0, 1) }),
      /must be in its palette of 0: one is 1/,
    ],
    [
      "a type of colours that there is not",
      encodePng({ width: 1, height: 1, colour: 5, raw: Uint8Array.of(0, 1) }),
      /colour 5/,
    ],
    ["a PNG file that was cut short", readFixture("rgb.png").slice(0, 400), /it must be whole/],
    ["a JPEG file that was cut short", readFixture("baseline-420.jpg").slice(0, 700), /it has no end/],
    ["a JPEG file without pixels", withSize(0, 0), /its header must fit the file: it claims 0 x 0/],
    ["a JPEG header that claims 60,000 x 60,000", withSize(60_000, 60_000), /it claims 60000 x 60000/],
    [
      "a JPEG header that the file cannot hold",
      withSize(3000, 3000),
      /must fit the file: it claims 3000 x 3000/,
    ],
    [
      "a JPEG part in which scans may hide",
      withPart(0xdd, 42),
      /must be as long as their contents: .* has 42/,
    ],
    ["JPEG tables in which scans may hide", withPart(0xdb, 70), /has 70 bytes, and needs 1/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(decodePicture(bytes, "x")).rejects.toThrow(FormatError);
    await expect(decodePicture(bytes, "x")).rejects.toThrow(message);
  });

  it("refuses what is neither PNG nor JPEG", async () => {
    await expect(decodePicture(Buffer.from("GIF89a"), "x.gif")).rejects.toThrow(UnsupportedError);
    await expect(decodePicture(new Uint8Array(0), "x")).rejects.toThrow(
      /begins with nothing; convert it first/,
    );
  });
});

/** The fixture with one more part at its beginning, whose content is zeros. */
function withPart(marker: number, length: number): Uint8Array {
  const bytes = readFixture("baseline-420.jpg");
  const head = Buffer.from([0xff, marker, 0, length + 2]);
  return Buffer.concat([bytes.subarray(0, 2), head, Buffer.alloc(length), bytes.subarray(2)]);
}

/** The fixture with another size in its header. */
function withSize(width: number, height: number): Uint8Array {
  const bytes = Buffer.from(readFixture("baseline-420.jpg"));
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

describe("resizePicture()", () => {
  it.each(["8x8", "5x30", "17x11", "40x46"])(
    "resizes to %s as Pillow's antialiased bilinear filter",
    async (size) => {
      const [height = 0, width = 0] = size.split("x").map(Number);
      expect(resizePicture(await decode("rgb.png"), width, height).data).toEqual(expected(`resized-${size}`));
    },
  );
});

describe("withChannels()", () => {
  it("makes grey of colours as Pillow does, and colours of grey", async () => {
    const grey = withChannels(await decode("rgb.png"), 1);
    expect(grey.data).toEqual(expected("grey"));
    expect([...withChannels({ ...grey, width: 2, height: 1, data: Uint8Array.of(7, 9) }, 3).data]).toEqual([
      7, 7, 7, 9, 9, 9,
    ]);
  });
});
