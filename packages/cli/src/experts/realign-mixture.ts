import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  at,
  describeMaking,
  entry,
  saveCheckpoint,
  seedField,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { nameNetworks, valuesOfNetworks } from "@isthmus/merge-learning";
import { REALIGN_FIELDS, type RealignMergedResult, realignMerged } from "@isthmus/mixtures";
import { copyModelFiles } from "@isthmus/recipe";
import { assertArchitecture, type GraphOptions, openBound } from "@isthmus/zoo";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { toFlag } from "../measurement/flag-names.ts";
import type { ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertNetworkOutput } from "../output/assert-output.ts";
import type { Context, Outcome } from "../verb.ts";

/** Options of `isthmus experts --realign`. */
export type RealignOptions = EngineOptions &
  ScalingOptions &
  GraphOptions & {
    /** Whether routers are realigned. @defaultValue false */
    readonly realign?: true | undefined;
    /** Paths of the mixtures that the mixture was merged from. */
    readonly from?: readonly string[] | undefined;
    /** File of the architecture. @defaultValue the config in the folder */
    readonly graph?: string | undefined;
    /** Names of the texts of each of these, or of all. */
    readonly data: readonly string[];
    /** Whether these mixtures are aligned to the merged one first. @defaultValue true */
    readonly align?: boolean | undefined;
    /** Path of the result. */
    readonly output?: string | undefined;
  };

const FIELDS = { ...REALIGN_FIELDS, seed: seedField("seed of the alignment") };
const ATTEMPT = "realign routers";

/** Adds the options that realign the routers of a merged mixture. */
export function addRealignOptions(command: CommandUnknownOpts): void {
  command
    .optionsGroup(HELP_GROUPS.routers)
    .option(
      "--realign",
      "let routers choose the experts that those of the merged mixtures chose; needs --from, with a few hundred texts of each",
    )
    .option("--from <networks...>", "of --realign: the mixtures that it was merged from")
    .option("--no-align", "of --realign: take their experts as they are, in the merged mixture's order");
  addFieldOptions(command, FIELDS);
}

/**
 * Lists the given options that belong to `--realign`.
 * @param options - values of the options of the command
 */
export function listRealignOptions(
  command: CommandUnknownOpts,
  { from, align }: Pick<RealignOptions, "from" | "align">,
): readonly string[] {
  const flags = Object.keys(readFields(ATTEMPT, command, FIELDS)).map((name) => `--${toFlag(name)}`);
  return [...(from === undefined ? [] : ["--from"]), ...(align === false ? ["--no-align"] : []), ...flags];
}

/** Realigns the routers of a merged mixture. */
export async function realignMixture(
  { command, path: merged }: { readonly command: CommandUnknownOpts; readonly path: string },
  options: RealignOptions & { readonly output: string },
  context: Context,
): Promise<Outcome> {
  const { output, from = [], data, realign: _, align, ...rest } = options;
  if (from.length === 0) {
    throw new UsageError(
      `Cannot realign the routers of "${merged}" as --from must name the mixtures that it was merged from: it is missing`,
    );
  }
  const rules = readFields(ATTEMPT, command, FIELDS);
  const paths = [merged, ...from];
  const dataOf = valuesOfNetworks(ATTEMPT, {
    option: "--data",
    values: data,
    networks: nameNetworks(from),
  });
  const names = Object.fromEntries(from.map((_, i) => [`${i}`, dataOf(i) ?? ""]));
  await assertArchitecture("experts --realign", paths, options);
  return withCheckpoints(paths, async (checkpoints) => {
    const inputs = checkpoints.flatMap(({ files }) => files);
    await assertNetworkOutput(output, { inputs, models: paths });
    const reading = await readingOf(rest, context);
    const { architecture, examples } = await openBound(paths, checkpoints, names, reading);
    const { network: mixture, restore } = at(architecture.networks, 0, "network");
    const parents = architecture.networks.slice(1).map(({ network }, i) => {
      return { network, data: entry(examples, `${i}`, "data") };
    });
    context.progress("Aligning");
    const result = await realignMerged(architecture, mixture, parents, {
      ...rules,
      align: align !== false,
      signal: context.signal,
      onProgress: ({ done }) => context.progress("Realigning routers", done),
    });
    const making = { verb: "experts", ...context.maker, realign: true, ...rules, data: data.join(",") };
    const { files } = await saveCheckpoint(restore(result.network), output, {
      metadata: describeMaking(checkpoints, making),
      overwrite: true,
      signal: context.signal,
    });
    const copied = await copyModelFiles(merged, output, { onNote: context.terminal.note });
    const { network: _, ...told } = result;
    const outputs = [...files, ...copied];
    return { result: { ...told, outputs }, text: formatRealigned(result, from, outputs) };
  });
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function formatRealigned(
  { routers, routing }: RealignMergedResult,
  from: readonly string[],
  outputs: readonly string[],
): string {
  const rows = routing.map(({ before, after }, i) => [
    at(from, i, "network"),
    `${before.tokens}`,
    `${percent(before.shared)} to ${percent(after.shared)}`,
    `${percent(before.same)} to ${percent(after.same)}`,
    `${before.divergence.toFixed(4)} to ${after.divergence.toFixed(4)}`,
  ]);
  const columns = [
    { title: "network" },
    { title: "tokens", align: "right" },
    { title: "of a token's experts, chosen as there" },
    { title: "tokens with all experts as there" },
    { title: "divergence in nats" },
  ] as const;
  const unfinished = routers.filter(({ stopped }) => stopped !== "converged").length;
  const changes = routers.map(({ change }) => change);
  const left = unfinished === 0 ? "" : `; ${unfinished} were not accurate enough, see --steps`;
  return [
    formatTable(columns, rows),
    "",
    formatPairs([
      [
        "routers",
        `${routers.length}, changed by ${percent(Math.min(...changes))} to ${percent(Math.max(...changes))} of their length${left}`,
      ],
      ["wrote", outputs.join(", ")],
    ]),
  ].join("\n");
}
