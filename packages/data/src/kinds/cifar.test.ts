import { copyFileSync, mkdirSync } from "node:fs";
import { at, FormatError, InputError, UnsupportedError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { pictureFixture } from "../../test/fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { openDataSet } from "../open-data-set.ts";
import { readNpz } from "../read-npz.ts";
import { CIFAR10_SCALING, UNIT_SCALING } from "../scaling.ts";

const folder = temporaryFolder();
const IMAGE = 3072;

/** Rows of the binary version, whose pixels are the label and the number of the image. */
function rowsOf(labels: readonly (readonly number[])[], first = 0): Uint8Array {
  return Buffer.concat(
    labels.map((label, i) => Buffer.concat([Buffer.from(label), Buffer.alloc(IMAGE, first + i)])),
  );
}

function writeCifar10(name: string): string {
  const path = `${folder.path}/${name}`;
  mkdirSync(`${path}/cifar-10-batches-bin`, { recursive: true });
  for (let batch = 1; batch <= 5; batch++)
    folder.write(`${name}/cifar-10-batches-bin/data_batch_${batch}.bin`, rowsOf([[batch], [9]], 10 * batch));
  folder.write(`${name}/cifar-10-batches-bin/test_batch.bin`, rowsOf([[3]], 99));
  return path;
}

const bytesOf = async (name: string) => {
  const data = await openDataSet(name, { scaling: UNIT_SCALING });
  const { inputs, labels } = data.read(0, data.size);
  return {
    data,
    labels: [...labels],
    bytes: Float32Array.from(inputs.data as Float32Array, (x) => Math.round(255 * x)),
  };
};

describe("cifar10:DIR", () => {
  it("reads the batches in order, in the folder or the one above it, scaled by channel", async () => {
    const path = writeCifar10("ten");
    for (const place of [path, `${path}/cifar-10-batches-bin`]) {
      const { data, labels, bytes } = await bytesOf(`cifar10:${place}:train`);
      expect(data).toMatchObject({ size: 10, exampleShape: [3, 32, 32], classes: 10 });
      expect(labels).toEqual([1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
      expect([bytes[0], bytes[IMAGE], bytes[9 * IMAGE]]).toEqual([10, 11, 51]);
    }
    const usual = await openDataSet(`cifar10:${path}`);
    expect(usual.scaling).toEqual(CIFAR10_SCALING);
    const { inputs } = usual.read(0, 1);
    const scaled = [0.4914, 0.4822, 0.4465].map(
      (mean, i) => (99 / 255 - mean) / at([0.247, 0.2435, 0.2616], i),
    );
    [0, 1024, 2048].forEach((place, i) => {
      expect(inputs.data[place]).toBeCloseTo(at(scaled, i), 6);
    });
  });

  it("reads no file behind the examples that are asked for", async () => {
    const path = writeCifar10("few");
    folder.write("few/cifar-10-batches-bin/data_batch_3.bin", "damaged");
    expect((await bytesOf(`cifar10:${path}:train@4`)).labels).toEqual([1, 9, 2, 9]);
    await expect(openDataSet(`cifar10:${path}:train@5`)).rejects.toThrow(
      /must have 3073 bytes for each image: it has 7; is it a file of CIFAR-10\?$/,
    );
    await expect(openDataSet(`cifar10:${path}:test@2`)).rejects.toThrow(/there must be as many: it has 1$/);
  });

  it.each([2, 4, 5])("reads the Python version of pickle protocol %i as NumPy does", async (protocol) => {
    mkdirSync(`${folder.path}/p${protocol}`);
    copyFileSync(
      pictureFixture(`cifar-protocol-${protocol}.pickle`),
      `${folder.path}/p${protocol}/test_batch`,
    );
    const { labels, bytes } = await bytesOf(`cifar10:${folder.path}/p${protocol}`);
    expect(labels).toEqual([7, 3]);
    const rows = (await readNpz(pictureFixture("cifar.npz"))).get("rows");
    expect(Uint8Array.from(bytes)).toEqual(rows?.data);
  });

  it("says what is missing", async () => {
    mkdirSync(`${folder.path}/empty`);
    await expect(openDataSet(`cifar10:${folder.path}/empty`)).rejects.toThrow(
      /data_batch_1\.bin or test_batch\.bin of the binary version.*it has nothing$/,
    );
    mkdirSync(`${folder.path}/part`);
    folder.write("part/data_batch_1.bin", rowsOf([[1]]));
    await expect(openDataSet(`cifar10:${folder.path}/part:train`)).rejects.toThrow(
      /data_batch_2\.bin, .*data_batch_5\.bin are not$/,
    );
    await expect(openDataSet(`cifar10:${folder.path}/none`)).rejects.toThrow(InputError);
    mkdirSync(`${folder.path}/label`);
    folder.write("label/test_batch.bin", rowsOf([[10]]));
    await expect(openDataSet(`cifar10:${folder.path}/label`)).rejects.toThrow(/from 0 to 9: label 0 is 10$/);
  });

  it("runs nothing that a pickle names, and refuses damaged ones", async () => {
    mkdirSync(`${folder.path}/evil`);
    folder.write("evil/test_batch", Buffer.from("\x80\x02cos\nsystem\nU\x02idR.", "latin1"));
    await expect(openDataSet(`cifar10:${folder.path}/evil`)).rejects.toThrow(UnsupportedError);
    await expect(openDataSet(`cifar10:${folder.path}/evil`)).rejects.toThrow(
      /it names os\.system, which is not run$/,
    );
    folder.write("evil/test_batch", Buffer.from("\x80\x02}U\x04dataK\x07s.", "latin1"));
    await expect(openDataSet(`cifar10:${folder.path}/evil`)).rejects.toThrow(
      /"data" must be bytes \[n, 3072\]: it is \[missing\]/,
    );
    folder.write("evil/test_batch", Buffer.from("\x80\x02N.", "latin1"));
    await expect(openDataSet(`cifar10:${folder.path}/evil`)).rejects.toThrow(FormatError);
  });
});

describe("cifar100:DIR", () => {
  it("has fine labels, and coarse ones if asked for", async () => {
    mkdirSync(`${folder.path}/hundred`);
    folder.write(
      "hundred/test.bin",
      rowsOf([
        [19, 99],
        [4, 30],
      ]),
    );
    const fine = await bytesOf(`cifar100:${folder.path}/hundred`);
    expect([fine.labels, fine.data.classes]).toEqual([[99, 30], 100]);
    const coarse = await bytesOf(`cifar100:${folder.path}/hundred,coarse`);
    expect([coarse.labels, coarse.data.classes]).toEqual([[19, 4], 20]);
    expect(coarse.bytes).toEqual(fine.bytes);
  });
});
