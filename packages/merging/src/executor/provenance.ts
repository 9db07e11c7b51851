import { type Checkpoint, digestFile, FormatError, parseJson } from "@isthmus/core";
import { plainProducts } from "@isthmus/linear-algebra";
import { basename, encodeUtf8 } from "@isthmus/platform";
import type { MergePlan } from "../merge-plan.ts";
import { VERSION } from "../version.ts";
import { needsProducts } from "./merge-products.ts";

/** A file that a merge has read. */
export interface MergedFile {
  /** Name of the file without folders. */
  readonly name: string;
  /** SHA-256 of the content in hexadecimal digits; missing unless hashes were requested. */
  readonly sha256?: string;
}

/** A network that a merge has read. */
export interface MergedInput {
  /** Name of the network without folders, or a description of its computation. */
  readonly source: string;
  /** Files of the network; empty if it was computed or held in memory. */
  readonly files: readonly MergedFile[];
}

/** Record of how a checkpoint was merged, in its metadata. */
export interface MergeProvenance {
  /** Verb of the command line that makes such a checkpoint, such as `merge` or `moe`. */
  readonly verb: string;
  /** Version of the program. */
  readonly version: string;
  /** Seed of methods that draw random numbers. */
  readonly seed: number;
  /** Recipe as JSON; null if the merge has none. */
  readonly recipe: unknown;
  /** Folder of the file in a result of several folders; missing if it has one. */
  readonly part?: string;
  /** Networks in the order of the plan. */
  readonly inputs: readonly MergedInput[];
  /** Name of the multiplier of matrices, such as `onnxruntime`; missing if no method needs whole matrices. */
  readonly products?: string;
  /** Name of the device; missing for the processor, whose bits are promised. */
  readonly device?: string;
}

/** Options of a merge that its record holds. */
export interface RecordedOptions {
  /** Recipe to store in the metadata, as JSON. @defaultValue none */
  readonly recipe?: unknown;
  /**
   * Record of a result that is made of networks but is no merge of them, such as an adapter: its verb and
   * its settings, as JSON, which decide the result together with the plan and the files. It takes the place
   * of the recipe in the metadata, and lets a later process go on although the plan has a computed network.
   * @defaultValue none
   */
  readonly making?: (Readonly<Record<string, unknown>> & { readonly verb: string }) | undefined;
  /**
   * Name of the device that aligned the networks or multiplies matrices, to store in the metadata.
   * @defaultValue none: the processor, whose bits are promised
   */
  readonly device?: string | undefined;
}

/** Key of the metadata that holds the record of the merge. */
const KEY = "isthmus";

/** Placeholder for a hash until it is known. */
const UNKNOWN_HASH = "0".repeat(64);

/**
 * Returns the metadata of a merged checkpoint: the metadata of the plan, and the record of the merge. Names
 * of inputs omit folders, so that the bytes do not depend on the places of files.
 * @param hashes - SHA-256 of each file by its path; zeros replace a hash that is not known yet; undefined for
 *   metadata without hashes
 */
export function mergeMetadata(
  plan: MergePlan,
  { recipe, making, device }: RecordedOptions,
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
  const provenance = {
    ...(making === undefined ? { verb: "merge" } : making),
    version: VERSION,
    ...(making === undefined && { seed, recipe: recipe ?? null }),
    inputs: networks.map(inputOf),
    ...(products !== undefined && { products }),
    ...(device !== undefined && { device }),
  };
  return { ...metadata, [KEY]: JSON.stringify(provenance) };
}

/**
 * Returns the name of a network from its source, without folders. In the name of a merge, such as
 * `linear(a, b)`, the names of its inputs lose their folders.
 */
export function sourceName(source: string): string {
  return source.endsWith(")") ? source.replaceAll(/(?<=^|\(|, )[^(),]*\//g, "") : basename(source);
}

/** Returns the name of the multiplier of matrices; undefined if no method of the plan holds whole tensors. */
export function nameOfProducts(plan: MergePlan): string | undefined {
  return needsProducts(plan) ? (plan.products ?? plainProducts).name : undefined;
}

/**
 * Reads the record of how a checkpoint was merged.
 * @throws FormatError if the metadata have no valid record
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
  return (
    typeof verb === "string" && typeof seed === "number" && Array.isArray(inputs) && inputs.every(isInput)
  );
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
    return parseJson(encodeUtf8(text), { attempt: "verify a merge" });
  } catch {
    return undefined;
  }
}

/**
 * Computes the hashes of files, one file after another.
 * @returns SHA-256 in hexadecimal digits, by path
 * @throws InputError if a file cannot be read, or changes while it is read
 */
export async function hashFiles(
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const path of new Set(paths)) hashes.set(path, await digestFile(path, { signal }));
  return hashes;
}
