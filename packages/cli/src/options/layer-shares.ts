import { basename } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { chooseLayers } from "@isthmus/barrier";
import { FormatError, MismatchError, OutOfRangeError, readJsonFile, UsageError } from "@isthmus/core";
import * as z from "zod";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseLayerShares, parseNumber } from "./parse-values.ts";

/** Options that choose the layers that a merge averages. */
export type LayerShareOptions = {
  /**
   * Share of the second checkpoint by pattern of layers; layers that match none stay as in the first.
   * @defaultValue all layers alike
   */
  readonly layers?: ReadonlyMap<string, number> | undefined;
  /**
   * File of a result of `isthmus layers`, whose layers of low barrier are averaged.
   * @defaultValue all layers alike
   */
  readonly layersFrom?: string | undefined;
  /** Largest loss barrier of a layer that is averaged; required by `layersFrom`, and absent without it. */
  readonly maxBarrier?: number | undefined;
};

/** Adds the options that choose the layers to average. */
export const addLayerShareOptions: AddOptions<LayerShareOptions> = optionGroup((command) => {
  command
    .addOption(
      new Option(
        "--layers <list>",
        "share of the second checkpoint in each layer, for example conv*=.5,fc=1; other layers stay as in the first",
      ).argParser(parseLayerShares),
    )
    .option(
      "--layers-from <file>",
      "average the layers whose barrier is low in a result of isthmus layers; see --max-barrier",
    )
    .option(
      "--max-barrier <x>",
      "with --layers-from: average the layers whose barrier in the first checkpoint is at most x",
      parseNumber,
    );
});

/**
 * Checks that the options of a layer-wise merge belong together.
 * @throws UsageError if they do not
 */
export function assertLayerShares(
  { layers, layersFrom, maxBarrier }: LayerShareOptions,
  merge: {
    readonly paths: readonly string[];
    readonly weights?: readonly number[] | undefined;
    readonly path: string;
    readonly statistics: string;
  },
): void {
  if (layers !== undefined && layersFrom !== undefined) {
    throw new UsageError("Cannot merge as --layers and --layers-from exclude each other: got both");
  }
  if ((layersFrom === undefined) !== (maxBarrier === undefined)) {
    throw new UsageError(
      `Cannot merge as --layers-from and --max-barrier belong together: got only ${layersFrom === undefined ? "--max-barrier" : "--layers-from"}`,
    );
  }
  if (layers === undefined && layersFrom === undefined) return;
  const { paths, weights, path, statistics } = merge;
  if (paths.length !== 2) {
    throw new UsageError(`Cannot merge by layer as there must be two checkpoints: got ${paths.length}`);
  }
  if (weights !== undefined || path !== "linear") {
    throw new UsageError(
      "Cannot merge by layer as every layer has its own share, on the line: leave out --weights and --path",
    );
  }
  if (statistics.startsWith("repair")) {
    throw new UsageError(
      `Cannot merge by layer with --statistics ${statistics} as repair needs one share for all layers: use recalibrate`,
    );
  }
}

/**
 * Checks that a file is a result of `isthmus layers`, before the other options are checked.
 * @throws FormatError if it is not
 */
export async function assertLayersResult(file: string): Promise<void> {
  parseResult(file, await readJsonFile(file));
}

/** Share of the second checkpoint in each layer. */
export interface LayerShares {
  /** Shares by patterns of layers and tensors. */
  readonly shares: ReadonlyMap<string, number>;
  /** The shares in words. */
  readonly description: string;
}

/**
 * Reads the share of the second checkpoint in each layer; returns undefined if all layers are merged alike.
 * @throws FormatError if the file is not a result of `isthmus layers`
 * @throws MismatchError if the result is of the same two checkpoints in the other order, or only one of the
 *   result and the merge aligns the second checkpoint
 * @throws OutOfRangeError if no layer's barrier is low enough
 */
export async function openLayerShares(
  { layers, layersFrom, maxBarrier = 0 }: LayerShareOptions,
  merge: MergedPair,
): Promise<LayerShares | undefined> {
  if (layers !== undefined) {
    const parts = [...layers].map(([pattern, share]) => `${Number(share.toPrecision(4))} of ${pattern}`);
    return { shares: layers, description: parts.join(", ") };
  }
  if (layersFrom === undefined) return undefined;
  const result = parseResult(layersFrom, await readJsonFile(layersFrom));
  assertSamePair(layersFrom, result, merge);
  const chosen = new Set(chooseLayers(result, maxBarrier));
  if (chosen.size === 0) {
    const least = Math.min(...result.layers.map(({ a }) => a.wholeEndpoints.loss));
    throw new OutOfRangeError(
      `Cannot merge by "${layersFrom}" as a layer's barrier must be at most ${maxBarrier}: the lowest is ${least}`,
    );
  }
  const tensors = result.groups.filter(({ name }) => chosen.has(name)).flatMap((group) => group.tensors);
  return {
    shares: new Map(tensors.map((name) => [name, 0.5])),
    description: `half of ${[...chosen].join(", ")}`,
  };
}

/** The checkpoints of a merge, and whether the others are aligned to the first. */
interface MergedPair {
  readonly paths: readonly string[];
  readonly align?: true | undefined;
}

/** Pattern of the end of the source of a checkpoint that was derived from a file, such as " (permuted)". */
const DERIVED = /(?: \([a-z ]+\))+$/;

/**
 * Checks that a result was measured between the checkpoints of a merge, as far as names of files tell. Files
 * of other names are trusted, as they may be copies of the same networks, or networks aligned before.
 * @throws MismatchError if it was not
 */
function assertSamePair(
  file: string,
  { a, b }: { readonly a: string; readonly b: string },
  { paths, align }: MergedPair,
): void {
  const [first, second] = paths.map((path) => basename(path));
  const measured = [a, b].map((source) => basename(source.replace(DERIVED, "")));
  const refuse = (rule: string): never => {
    throw new MismatchError(`Cannot merge by "${file}" as ${rule}`, { parameters: [] });
  };
  if (first !== second && measured[0] === second && measured[1] === first) {
    refuse(`it was measured from "${a}" to "${b}": name them in that order`);
  }
  if (measured[0] !== first || measured[1] !== second) return;
  const wasAligned = DERIVED.test(b);
  if (wasAligned && !align) refuse(`it was measured with "${paths[1]}" aligned: add --align`);
  if (!wasAligned && align) refuse(`it was measured with "${paths[1]}" as it is: leave out --align`);
}

/** Form of a number, which is null in JSON if it is not finite. */
const NUMBER = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** Form of the part of a result that is read. */
const RESULT = z.object({
  kind: z.literal("layers"),
  a: z.string(),
  b: z.string(),
  groups: z.array(z.object({ name: z.string(), tensors: z.array(z.string()) })),
  layers: z.array(
    z.object({ group: z.string(), a: z.object({ wholeEndpoints: z.object({ loss: NUMBER }) }) }),
  ),
});

function parseResult(path: string, json: unknown): z.infer<typeof RESULT> {
  const parsed = RESULT.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new FormatError(
    `Cannot merge by "${path}" as it must be a result of isthmus layers, written by -o or --json: it is something else`,
    { format: "layers", cause: parsed.error },
  );
}
