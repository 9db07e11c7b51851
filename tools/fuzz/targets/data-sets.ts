import { join } from "node:path";
import { readFileBytes } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { decodePicture } from "../../../packages/data/src/images/decode-picture.ts";
import { encodePng } from "../../../packages/data/test/encode-png.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutatePickle } from "../mutate/mutate-pickle.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

const pictures = (...names: readonly string[]) =>
  names.map((name) => fixture(`packages/data/test/fixtures/pictures/${name}`));

/** Makes PNG and JPEG files of changed bytes, and PNG files whose pixels were changed before compression. */
export function createPicturesTarget(): FuzzTarget {
  const seeds = pictures(
    ...["rgb.png", "grey-alpha.png", "palette.png", "bit.png"],
    ...["baseline-420.jpg", "baseline-422.jpg", "progressive-420.jpg", "grey.jpg"],
  );
  const raw = Buffer.alloc(5 * 13, 4);
  return {
    name: "pictures",
    valid: () => seeds.map((seed) => ({ x: seed })),
    *bombs() {
      yield { x: encodePng({ width: 60_000, height: 60_000, raw }) };
      yield { x: encodePng({ width: 4, height: 4, raw: Buffer.alloc(50_000_000) }) };
      yield { x: encodePng({ width: 1, height: 2 ** 31 - 1, interlace: 1, raw }) };
      for (const size of [60_000, 2000, 600]) yield { x: withSize(seeds[4]!, size) };
      // Scans that say nothing and go through all blocks.
      const progressive = withSize(seeds[6]!, 600);
      const scan = progressive.subarray(progressive.indexOf(Buffer.from([0xff, 0xda])), -2);
      yield {
        x: Buffer.concat([progressive.subarray(0, -2), ...Array(300).fill(scan), progressive.subarray(-2)]),
      };
    },
    make(dice) {
      if (dice.chance(0.8)) return { x: mutateBytes(dice, dice.pick(seeds)) };
      const colour = dice.pick([0, 2, 3, 4, 6]);
      const depth = dice.pick([1, 2, 4, 8, 16]);
      const [width, height, interlace] = [dice.below(9), dice.below(9), dice.below(2)];
      return { x: encodePng({ width, height, depth, colour, interlace, raw: mutateBytes(dice, raw) }) };
    },
    async read(folder) {
      await decodePicture(await readFileBytes(join(folder, "x"), 2 ** 30), "x");
    },
  };
}

/** Changes the size in the frame of a JPEG file. */
function withSize(jpeg: Buffer, size: number): Buffer {
  const changed = Buffer.from(jpeg);
  const frame =
    [0xc0, 0xc2].map((mark) => changed.indexOf(Buffer.from([0xff, mark]))).find((at) => at > 0) ?? 0;
  changed.writeUInt16BE(size, frame + 5);
  changed.writeUInt16BE(size, frame + 7);
  return changed;
}

/** Makes files of the binary version of CIFAR-10 of other lengths, and changed pickles of the Python version. */
export function createCifarTarget(): FuzzTarget {
  const binary = Buffer.alloc(2 * 3073, 7);
  const pickles = pictures("cifar-protocol-2.pickle", "cifar-protocol-4.pickle", "cifar-protocol-5.pickle");
  // Another version of the same name comes first, so that only one may be there.
  const python = (pickle: Uint8Array): FuzzInput => ({ test_batch: pickle });
  return {
    name: "cifar",
    valid: () => [{ "test_batch.bin": binary }, ...pickles.map(python)],
    *bombs() {
      yield { "test_batch.bin": Buffer.alloc(0) };
      yield python(Buffer.from("\x80\x02cnumpy\ndtype\n(tR.", "latin1"));
      yield python(Buffer.concat([Buffer.from([0x80, 4, 0x8e]), Buffer.alloc(8, 0xff), Buffer.from(".")]));
    },
    make(dice) {
      if (dice.chance(0.1)) return { "test_batch.bin": mutateBytes(dice, binary) };
      return python(mutatePickle(dice, dice.pick(pickles)));
    },
    async read(folder) {
      const data = await openDataSet(`cifar10:${folder}`);
      data.read(0, data.size);
    },
  };
}

/** Makes Parquet files of changed bytes: pictures and texts, of several compressions. */
export function createParquetTarget(): FuzzTarget {
  const seeds = pictures("train-00000-of-00001.parquet", "zstd.parquet", "gzip.parquet", "texts.parquet");
  return {
    name: "parquet",
    valid: () => seeds.map((seed) => ({ "x.parquet": seed })),
    *bombs() {
      // A footer of empty structs within a list, and one of lists within lists.
      for (const body of [Buffer.alloc(4_000_000, 0), Buffer.alloc(200_000, 0x19)]) {
        const list = Buffer.from([0x49, 0xfc, 0xff, 0xff, 0xff, 0x7f]);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(list.length + body.length);
        yield { "x.parquet": Buffer.concat([Buffer.from("PAR1"), list, body, length, Buffer.from("PAR1")]) };
      }
    },
    make: (dice) => ({ "x.parquet": mutateBytes(dice, dice.pick(seeds)) }),
    async read(folder) {
      const data = await openDataSet(`parquet:${join(folder, "x.parquet")}`, { context: 8 });
      data.read(0, data.size);
    },
  };
}

/** Makes tables with other characters and other numbers of fields. */
export function createCsvTarget(): FuzzTarget {
  const seed = Buffer.from('p,"q, r",label\n1,-2.5,a\n"3",4e2,"b ""c"""\n5,6,a\n');
  return {
    name: "csv",
    valid: () => [{ "x.csv": seed }],
    *bombs() {
      yield { "x.csv": Buffer.alloc(20_000_000, "1,") };
      yield { "x.csv": Buffer.alloc(20_000_000, '"') };
      yield { "x.csv": Buffer.concat([Buffer.from("1,2\n"), Buffer.alloc(2_000_000, "\n")]) };
    },
    make(dice) {
      const changed = mutateBytes(dice, seed);
      if (changed.length > 0 && dice.chance(0.5))
        changed[dice.below(changed.length)] = Buffer.from(',"\n\r. e-')[dice.below(8)]!;
      return { "x.csv": changed };
    },
    async read(folder) {
      const data = await openDataSet(`csv:${join(folder, "x.csv")}`);
      data.read(0, data.size);
    },
  };
}
