import { at, createTensor, InputError, parseJson } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { concatBytes } from "@isthmus/platform";
import { limitTo } from "../assert-reads.ts";
import { decodeText } from "../decode-text.ts";
import { createPictureStack, PICTURE_SETTINGS, pictureFormOf } from "../images/stack-pictures.ts";
import { createLabelNames } from "../label-names.ts";
import { MAX_TEXT_BYTES } from "../limits.ts";
import { openArrays } from "../open-arrays.ts";
import type { ResolvedDataOptions } from "../open-data-options.ts";
import { findShardSplits, findShards } from "../parquet/find-shards.ts";
import { parquetError } from "../parquet/parquet-error.ts";
import {
  findColumn,
  namesOf,
  type ParquetFile,
  readColumn,
  readParquetFiles,
} from "../parquet/read-column.ts";
import { CONTEXT } from "../text-objective.ts";
import type { DataKind, DataSetName } from "./data-kind.ts";
import { openText } from "./text.ts";

/** Usual names of columns of images. */
const IMAGES: readonly string[] = ["image", "img", "picture", "pixel_values"];
const TEXTS: readonly string[] = ["text", "content", "document"];
const LABELS: readonly string[] = ["label", "labels", "fine_label", "target", "y", "class"];

/** Pictures or texts of Parquet files, as Hugging Face publishes data sets. */
export const parquetKind: DataKind = {
  name: "parquet",
  forms: [
    {
      form: "parquet:FILE",
      what: "Parquet files of Hugging Face: one, or a folder of them whose names begin with `train`, `test` or `validation`; PNG and JPEG pictures with labels, or a text. Columns are found by usual names, or by `,image=NAME`, `,label=NAME`, `,text=NAME` behind the path; pictures also take `,64x64` and `,grey`",
      example: "parquet:data/cifar10,image=img,label=label:test@1000",
    },
  ],
  place: "a file or folder",
  endings: [".parquet"],
  settings: {
    ...PICTURE_SETTINGS,
    image: /image=(.+)/,
    label: /label=(.+)/,
    text: /text=(.+)/,
    context: CONTEXT,
  },
  splits: ["test", "train", "val"],
  isText: true,
  findSplits: ({ paths }) => findShardSplits(at(paths, 0, "path")),
  listFiles: async (path, { split }) => (await findShards(path, split)).files,
  async open(name, options) {
    const path = at(name.paths, 0, "path");
    const shards = await findShards(path, name.split);
    const files = await readParquetFiles(shards.files);
    const { image, text } = name.settings;
    const pictures = text === undefined ? findPictures(files, image) : undefined;
    if (pictures !== undefined) return openPictures(files, pictures, { name, options });
    const texts = image === undefined ? findColumn(files, text === undefined ? TEXTS : [text]) : undefined;
    if (texts === undefined) throw nothingFound(path, files, name);
    // A single file is cut into splits, as a text is.
    const isOne = shards.splits.length === 0;
    const split = isOne ? (name.split === "train" ? "train" : "test") : undefined;
    return openText(name, await readTexts(files, texts), { ...options, split });
  },
};

/** Finds the column of the bytes of pictures, either a plain column or one in a group with a path. */
function findPictures(files: readonly ParquetFile[], image: string | undefined): string | undefined {
  const names = image === undefined ? IMAGES : [image];
  return findColumn(
    files,
    names.flatMap((name) => [`${name}.bytes`, name]),
  );
}

/** Decodes only the requested pictures; labels are read for all rows, as they determine the classes. */
async function openPictures(
  files: readonly ParquetFile[],
  column: string,
  { name: parsed, options }: { readonly name: DataSetName; readonly options: ResolvedDataOptions },
): Promise<DataSet> {
  const { name, limit, settings, paths } = parsed;
  const size = limitTo(
    limit,
    files.reduce((sum, { rows }) => sum + rows, 0),
    name,
  );
  const label = findColumn(files, settings["label"] === undefined ? LABELS : [settings["label"]]);
  if (label === undefined) throw nothingFound(at(paths, 0, "path"), files, parsed);
  const { labels, classes } = await readLabels(files, label);
  const stack = createPictureStack(name, size, pictureFormOf(settings, options.imageShape));
  let added = 0;
  for await (const page of readColumn(files, column)) {
    for (let row = 0; row < page.count && added < size; row++, added++) {
      const place = `${page.file}, row ${page.firstRow + row}`;
      const bytes = page.valueAt(row);
      if (!(bytes instanceof Uint8Array))
        throw parquetError(place, `column "${column}" must have a picture: it has none`);
      await stack.add(bytes, place);
    }
    if (added === size) break;
  }
  const tensor = createTensor("i32", [size], labels.slice(0, size));
  const data = openArrays({ name, limit }, { inputs: stack.inputs(), labels: tensor }, options, { classes });
  return { ...data, notes: stack.notes() };
}

async function readLabels(
  files: readonly ParquetFile[],
  column: string,
): Promise<{ readonly labels: Int32Array; readonly classes: number }> {
  const list = createLabelNames(at(files, 0, "file").path);
  const texts = new TextDecoder();
  for await (const page of readColumn(files, column)) {
    for (let row = 0; row < page.count; row++) {
      const value = page.valueAt(row);
      if (value === undefined) {
        throw parquetError(
          page.file,
          `column "${column}" must have a label in each row: row ${page.firstRow + row} has none`,
        );
      }
      list.add(typeof value === "number" ? String(value) : texts.decode(value));
    }
  }
  const { labels, names } = list.labels();
  const largest = labels.reduce((most, label) => Math.max(most, label), 0);
  return { labels, classes: Math.max(names?.length ?? largest + 1, countNames(files, column)) };
}

/** Returns the number of names of classes in Hugging Face's description of a column; 0 if there is none. */
function countNames(files: readonly ParquetFile[], column: string): number {
  const { path, footer } = at(files, 0, "file");
  const text = footer.metadata.get("huggingface");
  if (text === undefined) return 0;
  const description: unknown = parseJson(text, { attempt: `read the description of columns in "${path}"` });
  const names = ["info", "features", column, "names"].reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    description,
  );
  return Array.isArray(names) ? names.length : 0;
}

/** Joins the texts of all rows by line breaks, as code points. */
async function readTexts(files: readonly ParquetFile[], column: string): Promise<Int32Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const page of readColumn(files, column)) {
    for (let row = 0; row < page.count; row++) {
      const value = page.valueAt(row);
      if (value === undefined) continue; // A row without a text.
      if (typeof value === "number") {
        throw parquetError(page.file, `column "${column}" must hold texts: it holds numbers`);
      }
      bytes += value.length + 1;
      if (bytes > MAX_TEXT_BYTES) {
        throw parquetError(page.file, `texts may have ${MAX_TEXT_BYTES} bytes together: they have more`);
      }
      parts.push(value.slice(), NEWLINE);
    }
  }
  return decodeText(concatBytes(parts.slice(0, -1)), at(files, 0, "file").path);
}

const NEWLINE = Uint8Array.of(10);

function nothingFound(path: string, files: readonly ParquetFile[], { settings }: DataSetName): InputError {
  const asked = Object.entries(settings).flatMap(([key, value]) =>
    ["image", "label", "text"].includes(key) ? [`${key}=${value}`] : [],
  );
  const rule =
    asked.length > 0
      ? `it must have the columns that its name asks for, ${asked.join(", ")}`
      : `it must have a column of pictures (${IMAGES.join(", ")}) and one of labels (${LABELS.join(", ")}), or one of texts (${TEXTS.join(", ")}), or the name must say them, as in ,image=NAME,label=NAME`;
  return new InputError(
    `Cannot open Parquet data "${path}" as ${rule}: its columns are ${namesOf(at(files, 0, "file").footer)}`,
    { input: path },
  );
}
