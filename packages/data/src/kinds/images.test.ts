import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { encodePng } from "../../test/encode-png.ts";
import { pictureFixture } from "../../test/fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { findSplits } from "../describe-name.ts";
import { listDataFiles } from "../list-data-files.ts";
import { openDataSet } from "../open-data-set.ts";
import { UNIT_SCALING } from "../scaling.ts";

const folder = temporaryFolder();

/** A grey picture of one level. */
const flat = (level: number, width = 2, height = 2) =>
  encodePng({
    width,
    height,
    raw: Buffer.concat(
      Array.from({ length: height }, () => Buffer.from([0, ...Array<number>(width).fill(level)])),
    ),
  });

function write(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(dirname(`${folder.path}/${name}/${file}`), { recursive: true });
    folder.write(`${name}/${file}`, bytes);
  }
  return `${folder.path}/${name}`;
}

const levelsOf = async (name: string) => {
  const data = await openDataSet(name, { scaling: UNIT_SCALING });
  const { inputs, labels } = data.read(0, data.size);
  const stride = inputs.data.length / data.size;
  return {
    data,
    labels: [...labels],
    levels: Array.from(labels, (_, i) => Math.round(255 * Number(inputs.data[i * stride]))),
  };
};

describe("images:DIR", () => {
  it("takes turns among classes, which are the folders in the order of their names", async () => {
    const path = write("turns", {
      "b/2.png": flat(22),
      "b/1.png": flat(21),
      "a/x.PNG": flat(11),
      "B/y.png": flat(31),
      "a/in/z.png": flat(12),
      "a/readme.txt": Buffer.from("no picture"),
    });
    const { data, labels, levels } = await levelsOf(`images:${path}`);
    expect(data).toMatchObject({ size: 5, exampleShape: [3, 2, 2], classes: 3, scaling: UNIT_SCALING });
    expect([labels, levels]).toEqual([
      [0, 1, 2, 1, 2],
      [31, 11, 21, 12, 22],
    ]);
    expect((await levelsOf(`images:${path}@3`)).levels).toEqual([31, 11, 21]);
    expect(await findSplits(`images:${path}`)).toEqual([]);
    expect((await listDataFiles(`images:${path}`))[0]?.files).toHaveLength(5);
  });

  it("takes the folder of a split, and says which there are", async () => {
    const path = write("split", { "train/a/1.png": flat(1), "valid/a/2.png": flat(2) });
    expect((await levelsOf(`images:${path}:val`)).levels).toEqual([2]);
    expect((await levelsOf(`images:${path}:train`)).levels).toEqual([1]);
    expect((await findSplits(`images:${path}`)).toSorted()).toEqual(["train", "val"]);
    await expect(openDataSet(`images:${path}`)).rejects.toThrow(
      /there must be a folder test or testing: it has train, val; add :train or :val$/,
    );
  });

  it("resizes to the size of the name, else to the graph's, and says so", async () => {
    const path = write("sizes", { "a/1.png": flat(1, 4, 3), "b/1.png": flat(2, 5, 5) });
    const named = await openDataSet(`images:${path},2x6,grey`, { imageShape: [3, 9, 9] });
    expect(named.exampleShape).toEqual([1, 2, 6]);
    expect(named.notes).toEqual([
      `Pictures of images:${path},2x6,grey are resized to 2 x 6, whatever their proportions (bilinear, antialiased, as torchvision's Resize((2, 6)) does).`,
    ]);
    const graphs = await openDataSet(`images:${path}`, { imageShape: [1, 5, 5] });
    expect(graphs.exampleShape).toEqual([1, 5, 5]);
    expect(graphs.notes?.[0]).toMatch(/^1 of 2 pictures .* resized to 5 x 5/);
    await expect(openDataSet(`images:${path}`)).rejects.toThrow(
      /of one size: the first is 3 x 4, ".*b\/1\.png" is 5 x 5; .*behind the path: ,3x4$/,
    );
  });

  it("reads JPEG and PNG files of one folder", async () => {
    const path = write("mixed", { "a/x.png": flat(1, 23, 17) });
    copyFileSync(pictureFixture("baseline-420.jpg"), `${path}/a/y.jpg`);
    expect((await openDataSet(`images:${path}`)).size).toBe(2);
  });

  it("refuses links that lead out of the folder, and pictures that would be passed over", async () => {
    const path = write("links", { "a/x.png": flat(1) });
    symlinkSync(`${folder.path}/turns`, `${path}/b`);
    await expect(openDataSet(`images:${path}`)).rejects.toThrow(
      /links must stay within the data set, .*: it leads to/,
    );
    const inner = write("inner", { "a/x.png": flat(1) });
    symlinkSync("x.png", `${inner}/a/y.png`);
    expect((await openDataSet(`images:${inner}`)).size).toBe(2);
    symlinkSync("/etc/hostname", `${inner}/a/z.png`);
    await expect(openDataSet(`images:${inner}`)).rejects.toThrow(/it leads to "\/etc\/hostname"/);
    const loop = write("loop", { "a/x.png": flat(1) });
    symlinkSync(".", `${loop}/a/again`);
    await expect(openDataSet(`images:${loop}`)).rejects.toThrow(/folders may be 16 deep: they are deeper/);
    const webp = write("webp", { "a/x.png": flat(1), "a/y.webp": flat(1) });
    await expect(openDataSet(`images:${webp}`)).rejects.toThrow(/y\.webp" as PNG and JPEG are handled/);
    const empty = write("empty", { "a/x.png": flat(1), "b/x.txt": flat(1) });
    await expect(openDataSet(`images:${empty}`)).rejects.toThrow(
      /a class must have PNG or JPEG files: it has none/,
    );
  });

  it.runIf(process.platform === "linux")("refuses a pipe at once", async () => {
    const path = write("pipe", { "a/x.png": flat(1) });
    execFileSync("mkfifo", [`${path}/a/y.png`]);
    await expect(openDataSet(`images:${path}`)).rejects.toThrow(/must be a regular file/);
    expect((await openDataSet(`images:${path}@1`)).size).toBe(1);
  });

  it("refuses pictures that would take more memory than there may be", async () => {
    const path = write("large", { "a/x.png": flat(1) });
    await expect(openDataSet(`images:${path},99999x99999`)).rejects.toThrow(
      /at most 2147483647 bytes of memory: 1 of 3 x 99999 x 99999 take 29999400003; take fewer, @N/,
    );
  });
});
