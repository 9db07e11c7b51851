import { at, createTensor } from "@isthmus/core";
import { limitTo } from "../assert-reads.ts";
import { findPictureSplits, listPictures } from "../images/list-pictures.ts";
import { createPictureStack, PICTURE_SETTINGS, pictureFormOf } from "../images/stack-pictures.ts";
import { openArrays } from "../open-arrays.ts";
import { readDataFile } from "../read-data-file.ts";
import type { DataKind } from "./data-kind.ts";

/** Folders of pictures, one for each class. */
export const imagesKind: DataKind = {
  name: "images",
  forms: [
    {
      form: "images:DIR",
      what: "PNG and JPEG files in a folder for each class, within folders `train`, `test` and `val` if there are any; `,64x64` (height x width) behind the folder resizes them, else the graph's input does, and `,grey` or `,rgb` says the colours",
      example: "images:flowers,64x64:train",
    },
  ],
  place: "a folder",
  settings: { ...PICTURE_SETTINGS },
  splits: ["test", "train", "val"],
  findSplits: async ({ paths }) => [...(await findPictureSplits(at(paths, 0, "path"))).keys()],
  async listFiles(path, { split }) {
    const { pictures } = await listPictures(path, split);
    return pictures.map((picture) => picture.path);
  },
  async open({ name, paths, settings, split, limit }, options) {
    const { pictures, classes } = await listPictures(at(paths, 0, "path"), split);
    const chosen = pictures.slice(0, limitTo(limit, pictures.length, name));
    const stack = createPictureStack(name, chosen.length, pictureFormOf(settings, options.imageShape));
    for (const { path } of chosen) await stack.add(await readDataFile(path), path);
    const labels = createTensor(
      "i32",
      [chosen.length],
      Int32Array.from(chosen, ({ label }) => label),
    );
    const data = openArrays({ name, limit }, { inputs: stack.inputs(), labels }, options, {
      classes: classes.length,
    });
    return { ...data, notes: stack.notes() };
  },
};
