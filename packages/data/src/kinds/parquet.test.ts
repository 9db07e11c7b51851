import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { FormatError, isIsthmusError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { pictureFixture } from "../../test/fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { findSplits, mayBeText } from "../describe-name.ts";
import { openDataSet } from "../open-data-set.ts";
import { readNpz } from "../read-npz.ts";
import { UNIT_SCALING } from "../scaling.ts";

const folder = temporaryFolder();
const train = "train-00000-of-00001.parquet";
const pyarrow = await readNpz(pictureFixture("parquet.npz"));

const pixelsOf = async (name: string) => {
  const data = await openDataSet(name, { scaling: UNIT_SCALING });
  const { inputs, labels } = data.read(0, data.size);
  return {
    data,
    labels: [...labels],
    pixels: Uint8Array.from(inputs.data as Float32Array, (x) => Math.round(255 * x)),
  };
};

describe("parquet:FILE of pictures", () => {
  it.each([
    ["snappy, in groups of 2 rows with dictionaries", train],
    ["zstd, pages of the second version without dictionary", "zstd.parquet"],
    ["gzip, in groups of 3 rows", "gzip.parquet"],
  ])("reads what pyarrow wrote: %s", async (_, file) => {
    const { data, labels, pixels } = await pixelsOf(`parquet:${pictureFixture(file)}`);
    // Four classes are named in the description, of which three occur.
    expect(data).toMatchObject({ size: 5, exampleShape: [3, 4, 6], classes: 4, scaling: UNIT_SCALING });
    expect(pixels).toEqual(pyarrow.get("pixels")?.data);
    expect(labels).toEqual([0, 2, 1, 0, 2]);
  });

  it("takes the columns of the name; names of classes are numbered in their order", async () => {
    const path = pictureFixture(train);
    const { data, labels } = await pixelsOf(`parquet:${path},image=img,label=name@3`);
    expect([data.classes, labels]).toEqual([3, [0, 2, 1]]);
    await expect(openDataSet(`parquet:${path},image=picture`)).rejects.toThrow(
      /the columns that its name asks for, image=picture: its columns are img\.bytes, img\.path, label, name$/,
    );
    await expect(openDataSet(`parquet:${path},label=y`)).rejects.toThrow(
      /asks for, label=y: its columns are/,
    );
    await expect(openDataSet(`parquet:${path}@6`)).rejects.toThrow(/there must be as many: it has 5$/);
  });

  it("takes the files of a folder by the split that their names begin with", async () => {
    mkdirSync(`${folder.path}/hf/data`, { recursive: true });
    for (const name of ["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"])
      copyFileSync(pictureFixture(train), `${folder.path}/hf/data/${name}.parquet`);
    expect((await openDataSet(`parquet:${folder.path}/hf:train`)).size).toBe(10);
    expect((await openDataSet(`parquet:${folder.path}/hf:val`)).size).toBe(5);
    expect((await findSplits(`parquet:${folder.path}/hf`)).toSorted()).toEqual(["train", "val"]);
    await expect(openDataSet(`parquet:${folder.path}/hf`)).rejects.toThrow(
      /begin with test: it has train, val; add/,
    );
  });
});

describe("parquet:FILE of texts", () => {
  it("reads rows as lines of a text, which a tokenizer takes apart as that of text:FILE", async () => {
    const texts = Array.from({ length: 40 }, (_, row) => (row % 3 === 0 ? [] : [`${row} föx`])).flat();
    const text = folder.write("text.txt", texts.join("\n"));
    for (const split of ["train", "test"]) {
      const [ours, plain] = await Promise.all(
        [`parquet:${pictureFixture("texts.parquet")}`, `text:${text}`].map((name) =>
          openDataSet(`${name}:${split}`, { context: 8 }),
        ),
      );
      expect(ours?.read(0, ours.size)).toEqual(plain?.read(0, plain.size));
      expect(ours?.vocabulary).toEqual(plain?.vocabulary);
    }
    expect(["parquet:x", "text:x", "images:x"].map(mayBeText)).toEqual([true, true, false]);
    await expect(openDataSet(`parquet:${pictureFixture(train)},text=label`)).rejects.toThrow(
      /column "label" must hold texts: it holds numbers/,
    );
  });
});

describe("damaged Parquet files", () => {
  it("a file whose bytes are changed, one at a time, is read or refused in our words", async () => {
    const bytes = readFileSync(pictureFixture(train));
    let refused = 0;
    for (let place = 0; place < bytes.length; place += 53) {
      const changed = Buffer.from(bytes);
      changed[place] = changed.readUInt8(place) ^ (1 << (place % 8));
      const error = await openDataSet(`parquet:${folder.write("changed.parquet", changed)}`).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) continue;
      expect(isIsthmusError(error)).toBe(true);
      refused++;
    }
    expect(refused).toBeGreaterThan(20);
  });

  it("refuses files that are cut short, and others", async () => {
    const bytes = readFileSync(pictureFixture(train));
    for (const [content, message] of [
      [bytes.subarray(0, -1), /must end with PAR1: it does not/],
      [bytes.subarray(0, 3), /must end with PAR1/],
      [
        Buffer.concat([Buffer.alloc(8), Buffer.from([255, 255, 255, 127]), Buffer.from("PAR1")]),
        /its footer must fit the file: it claims 2147483647 bytes of 16/,
      ],
    ] as const) {
      const path = folder.write("short.parquet", content);
      await expect(openDataSet(`parquet:${path}`)).rejects.toThrow(FormatError);
      await expect(openDataSet(`parquet:${path}`)).rejects.toThrow(message);
    }
  });
});
