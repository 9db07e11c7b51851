import { InputError } from "@isthmus/core";
import type { PlantCueOptions } from "./cue-options.ts";
import { type Split, splitDataSetName } from "./split-data-set-name.ts";

/** A name of a data set, split into its parts. */
export type DataSetName = {
  /** The whole name, for messages and results. */
  readonly name: string;
  readonly split: Split;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
  /** Number of these that are left out, from the first; missing where none are. */
  readonly skip?: number;
  /** The cue that is planted in the images; missing without. */
  readonly cue?: PlantCueOptions;
} & (
  | { readonly kind: "mnist" | "fashion-mnist"; readonly folder: string | undefined }
  | { readonly kind: "idx"; readonly images: string; readonly labels: string }
  | { readonly kind: "npz" | "safetensors"; readonly file: string }
  | { readonly kind: "text"; readonly file: string }
  | { readonly kind: "tokens"; readonly file: string; readonly width: TokenWidth | undefined }
);

/** Types of the numbers in a file of nothing else. */
export type TokenWidth = "u16" | "u32";

/** All forms of names, for messages and help. */
export const DATA_SET_FORMS: readonly string[] = [
  "mnist",
  "mnist:DIR",
  "fashion-mnist",
  "fashion-mnist:DIR",
  "idx:IMAGES,LABELS",
  "npz:FILE",
  "safetensors:FILE",
  "text:FILE",
  "tokens:FILE",
];

/**
 * Splits the name of a data set into its parts: one of {@link DATA_SET_FORMS}, then optionally `:test` (the
 * default) or `:train`, then optionally `@N` for the first N examples or `@FROM..TO` for some after them:
 * `npz:/a/b.npz:train@100`, then optionally a cue that is planted in images:
 * `mnist:train@5000+cue=place:0.9`.
 *
 * A path may contain colons and `@`: only the very end of the name is read as split and count, so a path that
 * ends like them must be followed by a split: `mnist:data:train:test`.
 * @throws InputError if the name has none of these forms
 */
export function parseDataSetName(name: string): DataSetName {
  const { source, split = "test", range, cue } = splitDataSetName(name);
  const [, kind, path] = /^([^:]*)(?::(.*))?$/s.exec(source) ?? [];
  const common = { name, split, ...parseRange(name, range), ...(cue && { cue }) };
  switch (kind) {
    case "mnist":
    case "fashion-mnist":
      if (path === "") throw nameError(name, `"${kind}:" must be followed by a folder`);
      return { ...common, kind, folder: path };
    case "npz":
    case "safetensors":
    case "text":
      if (!path) throw nameError(name, `"${kind}:" must be followed by a file`);
      return { ...common, kind, file: path };
    case "tokens":
      return { ...common, kind, ...parseTokenFile(name, path ?? "") };
    case "idx":
      return { ...common, kind, ...parseIdxFiles(name, path ?? "") };
    default:
      throw nameError(name, `there is no kind "${kind}"`);
  }
}

/** Reads the count of a name, or the range: how many examples there are to take, and to leave out of them. */
function parseRange(name: string, range: string): Pick<DataSetName, "limit" | "skip"> {
  const [, from, count] = /^@(?:(\d+)\.\.)?(\d+)$/.exec(range) ?? [];
  if (count === undefined) return { limit: 0 };
  const limit = Number(count);
  if (limit === 0 || !Number.isSafeInteger(limit)) {
    throw nameError(name, `"@N" takes the first N examples, at least 1: it is "@${count}"`);
  }
  const first = from === undefined ? 1 : Number(from);
  if (!(first >= 1 && first <= limit)) {
    throw nameError(
      name,
      `"@FROM..TO" takes examples from one number, at least 1, to a larger one: it is "@${from}..${count}"`,
    );
  }
  return { limit, ...(first > 1 && { skip: first - 1 }) };
}

function parseIdxFiles(name: string, path: string): { images: string; labels: string } {
  const files = path.split(",");
  const [images, labels] = files;
  if (files.length === 2 && images && labels) return { images, labels };
  throw nameError(name, `"idx:" must be followed by two files with one comma between them: it is "${path}"`);
}

/** Splits the path of a file of tokens and the type of its numbers: `train.bin,u32`. */
function parseTokenFile(
  name: string,
  path: string,
): { readonly file: string; readonly width: TokenWidth | undefined } {
  const [, file = "", width] = /^(.*?)(?:,(u16|u32))?$/s.exec(path) ?? [];
  if (file === "") throw nameError(name, `"tokens:" must be followed by a file`);
  return { file, width: width as TokenWidth | undefined };
}

function nameError(name: string, reason: string): InputError {
  return new InputError(
    `Cannot open data set "${name}" as ${reason}; a name is ${DATA_SET_FORMS.join(", ")}, ` +
      "then :test or :train, then @N for the first N or @FROM..TO, for example mnist:test@1000, then a cue in images, +cue=place",
    { input: name },
  );
}
