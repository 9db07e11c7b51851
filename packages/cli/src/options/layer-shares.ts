import { basename } from "node:path";
import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { chooseLayers } from "@isthmus/barrier";
import { FormatError, MismatchError, OutOfRangeError, readJsonFile, UsageError } from "@isthmus/core";
import { z } from "zod";
import { parseLayerShares, parseNumber } from "./parse-values.ts";

/** Which layers a merge averages; an alias, as commander wants it. */
export type LayerShareOptions = {
  readonly layers?: ReadonlyMap<string, number> | undefined;
  readonly layersFrom?: string | undefined;
  readonly maxBarrier?: number | undefined;
};

/** Adds the options that say which layers are averaged. */
export function addLayerShareOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & LayerShareOptions> {
  (command as CommandUnknownOpts)
    .addOption(
      new Option(
        "--layers <list>",
        "how much of the second checkpoint each layer gets, as conv*=.5,fc=1; the others stay as in the first",
      ).argParser(parseLayerShares),
    )
    .option(
      "--layers-from <file>",
      "average the layers that a result of isthmus layers allows; see --max-barrier",
    )
    .option(
      "--max-barrier <x>",
      "with --layers-from: those whose barrier in the first is at most x",
      parseNumber,
    );
  return command as unknown as Command<A, O & LayerShareOptions>;
}

/**
 * Checks that the options of a layer-wise merge belong together.
 * @throws UsageError if not
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
      `Cannot merge by layer with --statistics ${statistics} as it wants one share for all layers: use recalibrate`,
    );
  }
}

/**
 * Checks that a file is a result of `isthmus layers`, before anything is said of the other options.
 * @throws FormatError if it is not
 */
export async function assertLayersResult(file: string): Promise<void> {
  parseResult(file, await readJsonFile(file));
}

/** How much of the second checkpoint each layer gets. */
export interface LayerShares {
  /** By patterns of layers and tensors. */
  readonly shares: ReadonlyMap<string, number>;
  /** The same in words. */
  readonly told: string;
}

/**
 * How much of the second checkpoint each layer gets; undefined where all layers are merged alike.
 * @throws FormatError if the file is not a result of `isthmus layers`
 * @throws MismatchError if the result is of the same two checkpoints the other way round, or of the second aligned and it is not
 * @throws OutOfRangeError if no layer's barrier is low enough
 */
export async function openLayerShares(
  { layers, layersFrom, maxBarrier = 0 }: LayerShareOptions,
  merge: MergedPair,
): Promise<LayerShares | undefined> {
  if (layers !== undefined) {
    const told = [...layers].map(([pattern, share]) => `${Number(share.toPrecision(4))} of ${pattern}`);
    return { shares: layers, told: told.join(", ") };
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
  return { shares: new Map(tensors.map((name) => [name, 0.5])), told: `half of ${[...chosen].join(", ")}` };
}

/** The checkpoints of a merge, and whether the others are aligned to the first. */
interface MergedPair {
  readonly paths: readonly string[];
  readonly align?: true | undefined;
}

/** What the source of a checkpoint ends with that is derived of a file, such as " (permuted)". */
const DERIVED = /(?: \([a-z ]+\))+$/;

/** Files of other names may be the same networks elsewhere, or aligned before: they are taken on trust. */
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

/** A number, null in JSON where it is not finite. */
const NUMBER = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** What is read of a result. */
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
    `Cannot merge by "${path}" as it must be a result of isthmus layers, of -o or --json: it is something else`,
    { format: "layers", cause: parsed.error },
  );
}
