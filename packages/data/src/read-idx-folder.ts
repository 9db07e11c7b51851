import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@isthmus/core";
import type { Examples } from "./examples.ts";
import type { Split } from "./parse-data-set-name.ts";
import { readIdx } from "./read-idx.ts";

/** What precedes `t10k-images-idx3-ubyte` in the names of published files, the likeliest first. */
const PREFIXES: Readonly<Record<"mnist" | "fashion-mnist", readonly string[]>> = {
  mnist: ["", "mnist-"],
  "fashion-mnist": ["fashion-", "fashion-mnist-", ""],
};

/**
 * Reads images and labels of a folder of IDX files under the names they are published with, plain or gzip:
 * `t10k-images-idx3-ubyte`, `train-labels-idx1-ubyte.gz`, also with a dot as in `t10k-images.idx3-ubyte`,
 * also with the name of the data set in front.
 * @throws InputError if there is no such folder or a file is missing
 * @throws FormatError as {@link readIdx}
 */
export async function readIdxFolder(
  kind: "mnist" | "fashion-mnist",
  folder: string,
  split: Split,
): Promise<Examples> {
  const present = new Set(await listFolder(folder));
  const part = split === "test" ? "t10k" : "train";
  const find = (suffixes: readonly string[]): string => {
    const names = PREFIXES[kind].flatMap((prefix) => suffixes.map((suffix) => `${prefix}${part}-${suffix}`));
    const name = names.find((candidate) => present.has(candidate));
    if (name !== undefined) return join(folder, name);
    throw new InputError(
      `Cannot find ${part}-${suffixes[0]} of ${kind} in folder "${folder}" as one of these files must be there: ${names.join(", ")}`,
      { input: folder },
    );
  };
  const images = find(suffixesOf("images", "idx3"));
  const labels = find(suffixesOf("labels", "idx1"));
  return { inputs: await readIdx(images), labels: await readIdx(labels) };
}

function suffixesOf(content: string, type: string): string[] {
  return ["-", "."].flatMap((joint) => ["", ".gz"].map((end) => `${content}${joint}${type}-ubyte${end}`));
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new InputError(
      `Cannot open folder "${folder}" as it must be a folder of IDX files (a split is called :test or :train): ${(cause as Error).message}`,
      { input: folder, cause },
    );
  }
}
