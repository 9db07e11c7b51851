import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Checkpoint, digestFile, FormatError, parseJson } from "@isthmus/core";
import { plainProducts } from "@isthmus/linear-algebra";
import type { MergePlan } from "../merge-plan.ts";
import { needsProducts } from "./merge-products.ts";

/** A file that a merge has read. */
export interface MergedFile {
  /** Name without folders. */
  readonly name: string;
  /** SHA-256 of its content in hexadecimal digits; missing where it was not asked for. */
  readonly sha256?: string;
}

/** A network that a merge has read. */
export interface MergedInput {
  /** Name without folders, or how it is computed. */
  readonly source: string;
  readonly files: readonly MergedFile[];
}

/** How a merged checkpoint was made, as it is stored in its metadata. */
export interface MergeProvenance {
  readonly verb: "merge";
  /** Version of the program. */
  readonly version: string;
  readonly seed: number;
  /** The recipe, as JSON can hold it; null where none was named. */
  readonly recipe: unknown;
  readonly inputs: readonly MergedInput[];
  /** Name of what multiplied matrices, as `onnxruntime`; missing where no method needs whole matrices. */
  readonly products?: string;
}

/** Key of the entry of the metadata that says how a checkpoint was made. */
const KEY = "isthmus";

/** Digits that stand in the place of a hash until it is known. */
const UNKNOWN_HASH = "0".repeat(64);

/** Returns the version of the program that merges. */
export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return version;
}

/**
 * Returns the metadata of a merged checkpoint: what the plan says, and how it was made. Names of inputs are
 * without folders, so that the bytes do not depend on where files lie.
 * @param hashes - SHA-256 of each file by its path; a hash that is not known yet is filled up with zeros, and
 *   undefined leaves hashes out
 */
export function mergeMetadata(
  plan: MergePlan,
  recipe: unknown,
  hashes: ReadonlyMap<string, string> | undefined,
): Record<string, string> {
  const { networks, metadata, seed } = plan;
  const products = nameOfProducts(plan);
  const inputOf = ({ source, files }: Checkpoint): MergedInput => ({
    source: sourceName(source),
    files: files.map((path) => ({
      name: basename(path),
      ...(hashes && { sha256: hashes.get(path) ?? UNKNOWN_HASH }),
    })),
  });
  const provenance: MergeProvenance = {
    verb: "merge",
    version: programVersion(),
    seed,
    recipe: recipe ?? null,
    inputs: networks.map(inputOf),
    ...(products !== undefined && { products }),
  };
  return { ...metadata, [KEY]: JSON.stringify(provenance) };
}

/**
 * Returns the name of a network by its source, without folders; that of a merge, as `linear(a, b)`, without
 * the folders of what was merged.
 */
export function sourceName(source: string): string {
  return source.endsWith(")") ? source.replaceAll(/(?<=^|\(|, )[^(),]*\//g, "") : basename(source);
}

/** Returns the name of what multiplies matrices; undefined if no method of the plan holds whole tensors. */
export function nameOfProducts(plan: MergePlan): string | undefined {
  return needsProducts(plan) ? (plan.products ?? plainProducts).name : undefined;
}

/**
 * Reads how a checkpoint was merged.
 * @throws FormatError if its metadata do not say so
 */
export function readProvenance({ source, metadata }: Checkpoint): MergeProvenance {
  const text = metadata[KEY];
  const value = text === undefined ? undefined : parse(text);
  if (isProvenance(value)) return value;
  throw new FormatError(
    `Cannot verify "${source}" as its metadata must say how it was merged: they do not; only what saveMerge has written can be verified`,
    { format: "safetensors" },
  );
}

function isProvenance(value: unknown): value is MergeProvenance {
  const { verb, inputs, seed } = (value ?? {}) as Partial<MergeProvenance>;
  return verb === "merge" && typeof seed === "number" && Array.isArray(inputs) && inputs.every(isInput);
}

function isInput(value: unknown): boolean {
  const { source, files } = (value ?? {}) as Partial<MergedInput>;
  return (
    typeof source === "string" &&
    Array.isArray(files) &&
    files.every((file) => typeof file?.name === "string")
  );
}

function parse(text: string): unknown {
  try {
    return parseJson(Buffer.from(text), { attempt: "verify a merge" });
  } catch {
    return undefined;
  }
}

/**
 * Hashes files one after another, from their first to their last byte.
 * @returns SHA-256 in hexadecimal digits, by path
 * @throws InputError if a file cannot be read, or changes meanwhile
 */
export async function hashFiles(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const path of new Set(paths)) hashes.set(path, await digestFile(path, { signal }));
  return hashes;
}
