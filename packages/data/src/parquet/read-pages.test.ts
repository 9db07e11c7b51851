import { createBytesSource, FormatError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { endlessZstd } from "../../../core/test-fixtures/zstd.ts";
import type { ParquetColumn } from "./read-footer.ts";
import { readPages } from "./read-pages.ts";

const column: ParquetColumn = { path: "label", type: "int32", definitions: 0, isRepeated: false };

/** Writes a number as Thrift does: small ones of either sign are short. */
function integer(value: number): number[] {
  const bytes: number[] = [];
  let rest = 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

/** What the header of a page says. */
interface Claims {
  readonly values: number;
  readonly encoding?: number;
  /** Bytes of the page, without compression and with it. */
  readonly length?: number;
  readonly stored?: number;
}

/** Writes a page of plain values with a header that claims something. */
function pageOf(body: readonly number[], { values, encoding = 0, length, stored }: Claims): Uint8Array {
  const sizes = [length ?? body.length, stored ?? body.length].flatMap((size) => [0x15, ...integer(size)]);
  const head = [0x15, ...integer(values), 0x15, ...integer(encoding), 0];
  return Uint8Array.from([0x15, 0, ...sizes, 0x2c, ...head, 0, ...body]);
}

async function read(
  page: Uint8Array,
  { values = 2, codec = 0 } = {},
): Promise<(number | Uint8Array | undefined)[]> {
  const chunk = { path: "label", codec, values, begin: 0, end: page.length };
  const list = [];
  for await (const { count, valueAt } of readPages({ source: createBytesSource(page, "x"), column, chunk }))
    for (let row = 0; row < count; row++) list.push(valueAt(row));
  return list;
}

const TWO = [7, 0, 0, 0, 255, 255, 255, 255];

describe("readPages()", () => {
  it("refuses more dictionaries than one, which cost without end", async () => {
    const dictionary = [
      0x15,
      4,
      0x15,
      ...integer(8),
      0x15,
      ...integer(8),
      0x4c,
      0x15,
      4,
      0x15,
      0,
      0,
      0,
      ...TWO,
    ];
    const data = [...pageOf(TWO, { values: 2 })];
    expect(await read(Uint8Array.from([...dictionary, ...data]))).toEqual([7, -1]);
    for (const pages of [
      [...dictionary, ...dictionary, ...data],
      [...pageOf(TWO.slice(0, 4), { values: 1 }), ...dictionary, ...data],
    ]) {
      await expect(read(Uint8Array.from(pages))).rejects.toThrow(
        "must have one dictionary, before its values",
      );
    }
  });

  it("reads plain numbers", async () => {
    expect(await read(pageOf(TWO, { values: 2 }))).toEqual([7, -1]);
  });

  it.each<readonly [string, Uint8Array, RegExp, { values?: number; codec?: number }]>([
    [
      "a billion values",
      pageOf(TWO, { values: 1e9 }),
      /must have 1 to 4194304 values: it claims 1000000000$/,
      { values: 2e9 },
    ],
    [
      "more values than there are rows",
      pageOf(TWO, { values: 3 }),
      /must have 1 to 2 values: it claims 3$/,
      {},
    ],
    [
      "more values than there are bytes",
      pageOf([7], { values: 2 }),
      /2 values must fit their page of 1 bytes/,
      {},
    ],
    [
      "bytes behind its column",
      pageOf(TWO, { values: 2, stored: 2 ** 30 }),
      /a page must lie within its column/,
      {},
    ],
    [
      "less than no bytes",
      pageOf(TWO, { values: 2, stored: -1 }),
      /must (be whole|lie within its column)/,
      {},
    ],
    [
      "gigabytes in eight bytes of gzip",
      pageOf(TWO, { values: 2, length: 2 ** 30 }),
      /may become at most 8320: it claims 1073741824/,
      { codec: 2 },
    ],
    [
      "gigabytes in eight bytes of zstd",
      pageOf(TWO, { values: 2, length: 2 ** 30 }),
      /it claims 1073741824/,
      { codec: 6 },
    ],
    [
      "two bytes, of which zstd makes gigabytes",
      pageOf([...endlessZstd(8)], { values: 2, length: 8 }),
      /its pages must be intact/,
      { codec: 6 },
    ],
    [
      "gigabytes in eight bytes of snappy",
      pageOf(TWO, { values: 2, length: 1000 }),
      /may become at most 320: it claims 1000/,
      { codec: 1 },
    ],
    ["compression of other bytes", pageOf(TWO, { values: 2 }), /its pages must be intact/, { codec: 2 }],
    [
      "a dictionary that is not there",
      pageOf(TWO, { values: 2, encoding: 8 }),
      /must have one before it: it has none/,
      {},
    ],
    ["no header", Uint8Array.of(0x15), /one ends within 1 bytes/, {}],
  ])("refuses a page that claims %s", async (_, page, message, options) => {
    await expect(read(page, options)).rejects.toThrow(FormatError);
    await expect(read(page, options)).rejects.toThrow(message);
  });
});
