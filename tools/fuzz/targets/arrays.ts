import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openDataSet, readIdx, readNpy, readNpz } from "@isthmus/data";
import type { Dice } from "../dice.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateFiles, mutateHeaders, packZip, unpackZip } from "../mutate/zip-archive.ts";
import type { FuzzTarget } from "../target.ts";

/** Extents of a header that would take more memory than there is. */
const HUGE = Buffer.from([
  0, 0, 0x0e, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

/** Makes IDX files, plain and compressed, of changed bytes. */
export function createIdxTarget(): FuzzTarget {
  const seed = Buffer.concat([
    Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]),
    Buffer.alloc(24, 7),
  ]);
  const packed = gzipSync(seed);
  return {
    name: "idx",
    valid: () => [{ "x.idx": seed }, { "x.idx": packed }],
    *bombs() {
      yield { "x.idx": HUGE };
      yield { "x.idx": gzipSync(HUGE) };
      yield { "x.idx": gzipSync(Buffer.concat([seed, Buffer.alloc(10_000_000)])) };
    },
    make(dice) {
      if (dice.chance(0.4)) return { "x.idx": mutateBytes(dice, seed) };
      return { "x.idx": dice.chance(0.4) ? mutateBytes(dice, packed) : gzipSync(mutateBytes(dice, seed)) };
    },
    async read(folder) {
      await readIdx(join(folder, "x.idx"));
    },
  };
}

/** Makes archives of NumPy of changed headers and files. */
export function createNpzTarget(): FuzzTarget {
  const seeds = [
    fixture("packages/data/test/fixtures/types.npz"),
    fixture("packages/data/test/fixtures/objects.npz"),
  ];
  const archives = seeds.map(unpackZip);
  return {
    name: "npz",
    valid: () => [{ "x.npz": seeds[0]! }, { "x.npz": packZip(archives[0]!, true) }],
    *bombs() {
      yield { "x.npz": packZip([["x.npy", encodeNpy("<f8", "(99999999999,)", Buffer.alloc(0))]], true) };
      yield { "x.npz": packZip([["x.npy", Buffer.alloc(30_000_000)]], true) };
    },
    make(dice) {
      const index = dice.below(seeds.length);
      if (dice.chance(0.2)) return { "x.npz": mutateBytes(dice, seeds[index]!) };
      if (dice.chance(0.25)) return { "x.npz": mutateHeaders(dice, seeds[index]!) };
      const files = dice.chance(0.1) ? mutateFiles(dice, archives[index]!) : archives[index]!;
      const at = dice.below(files.length);
      const changed = files.map(
        ([name, content], i) => [name, i === at ? changeNpy(dice, content) : content] as const,
      );
      return { "x.npz": packZip(changed, dice.chance(0.5)) };
    },
    async read(folder) {
      await readNpz(join(folder, "x.npz"));
    },
  };
}

/** Makes arrays of NumPy of other headers, element types and extents. */
export function createNpyTarget(): FuzzTarget {
  const seed = encodeNpy("<f4", "(2, 3)", Buffer.alloc(24, 1));
  return {
    name: "npy",
    valid: () => [{ "x.npy": seed }],
    *bombs() {
      for (const shape of [
        "(9007199254740993,)",
        "(4294967296, 4294967296)",
        `(${"1,".repeat(30_000)})`,
        "(0, 99999999999)",
      ]) {
        yield { "x.npy": encodeNpy("<f8", shape, Buffer.alloc(8)) };
      }
    },
    make: (dice) => ({ "x.npy": changeNpy(dice, seed) }),
    async read(folder) {
      await readNpy(join(folder, "x.npy"));
    },
  };
}

/** Makes texts that are not quite UTF-8, and opens them as data sets. */
export function createTextTarget(): FuzzTarget {
  const seed = Buffer.from("To be, or not to be — that is the question: 🙂\n".repeat(4));
  return {
    name: "text",
    valid: () => [{ "x.txt": seed }],
    *bombs() {
      yield { "x.txt": Buffer.alloc(3_000_000, "é") };
      yield { "x.txt": Buffer.alloc(3_000_001, "é") };
      yield { "x.txt": Buffer.alloc(0) };
    },
    make: (dice) => ({ "x.txt": mutateBytes(dice, seed) }),
    async read(folder) {
      const data = await openDataSet(`text:${join(folder, "x.txt")}:train`, { context: 8 });
      data.read(0, data.size);
    },
  };
}

const DTYPES = [
  "'|O'",
  "'>f4'",
  "'<c8'",
  "'<U4'",
  "[('a', '<f4')]",
  "'<f2'",
  "'|b1'",
  "'<i8'",
  "'<M8[ns]'",
  "'=u2'",
];
const EXTENTS = ["0", "1", "-1", "99999999999", "9007199254740993", "3L", "2", "", "1,".repeat(70)];

function changeNpy(dice: Dice, npy: Buffer): Buffer {
  if (dice.chance(0.3) || npy.length < 12) return mutateBytes(dice, npy);
  const length = npy.readUInt16LE(8);
  let header = npy.toString("latin1", 10, 10 + length).replace(/\d+(?=[,)])/, () => dice.pick(EXTENTS));
  if (dice.chance(0.4)) header = header.replace(/'[<|>][a-zO]\d*'/, () => dice.pick(DTYPES));
  if (dice.chance(0.3)) header = mutateBytes(dice, Buffer.from(header, "latin1")).toString("latin1");
  const head = Buffer.from(npy.subarray(0, 10));
  head.writeUInt16LE(dice.chance(0.9) ? header.length & 0xffff : dice.below(65_536), 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), npy.subarray(10 + length)]);
}

function encodeNpy(dtype: string, shape: string, body: Buffer): Buffer {
  const header = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  const head = Buffer.from("\x93NUMPY\x01\0\0\0", "latin1");
  head.writeUInt16LE(header.length & 0xffff, 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), body]);
}
