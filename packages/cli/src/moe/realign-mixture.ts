import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  assertNoInput,
  at,
  describeMaking,
  entry,
  resolveOutputPlace,
  saveCheckpoint,
  seedField,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { REALIGN_FIELDS, type RealignMergedResult, realignMerged } from "@isthmus/mixtures";
import { copyModelFiles } from "@isthmus/recipe";
import { assertArchitecture, assertNoModelFolder, openBound } from "@isthmus/zoo";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { readingOf } from "../open/reading-of.ts";
import { dataForms } from "../options/data-forms.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import type { Context, Outcome } from "../verb.ts";

/** Options of `isthmus moe --realign`. */
export interface RealignOptions extends EngineOptions {
  /** Path of the merged mixture. @defaultValue routers are not realigned */
  readonly realign?: string | undefined;
  /** Paths of the mixtures that it was merged from. */
  readonly from?: readonly string[] | undefined;
  /** Names of the texts of each of these, or of all. */
  readonly data?: readonly string[] | undefined;
  /** File of the architecture. @defaultValue the config in the folder */
  readonly graph?: string | undefined;
  /** Whether the mixtures are aligned to the merged one first. @defaultValue true */
  readonly align?: boolean | undefined;
  /** Path of the result. */
  readonly output?: string | undefined;
}

const FIELDS = { ...REALIGN_FIELDS, seed: seedField("seed of everything random") };

/** Adds the options that realign the routers of a merged mixture. */
export function addRealignOptions(command: CommandUnknownOpts): void {
  command
    .optionsGroup(HELP_GROUPS.routers)
    .option(
      "--realign <mixture>",
      "a merged mixture whose routers are realigned; needs --from, --data and -o",
    )
    .option("--from <networks...>", "the mixtures that it was merged from")
    .option("--data <names...>", `texts of each of them, or of all: a few hundred; ${dataForms()}`)
    .option("--graph <file>", "their architecture, an .onnx file (default: the config in the folder)")
    .option("--no-align", "take the experts of the networks as they are, in the merged mixture's order");
  addFieldOptions(command, FIELDS);
}

/** Realigns the routers of a merged mixture. */
export async function realignMixture(
  command: CommandUnknownOpts,
  options: RealignOptions,
  context: Context,
): Promise<Outcome> {
  const { merged, output, from, data } = namesOf(options);
  const rules = readFields("realign routers", command, FIELDS);
  const paths = [merged, ...from];
  await assertArchitecture("moe --realign", paths, options);
  await resolveOutputPlace(output);
  await assertNoModelFolder(output, paths);
  return withCheckpoints(paths, async (checkpoints) => {
    await assertNoInput(
      [output],
      checkpoints.flatMap(({ files }) => files),
    );
    const reading = await readingOf(options, context);
    const names = Object.fromEntries(data.map((name, i) => [`${i}`, name]));
    const { architecture, examples } = await openBound(paths, checkpoints, names, reading);
    const { network: mixture, restore } = at(architecture.networks, 0, "network");
    const parents = architecture.networks.slice(1).map(({ network }, i) => {
      return { network, data: entry(examples, `${Math.min(i, data.length - 1)}`, "data") };
    });
    context.progress("Aligning");
    const result = await realignMerged(architecture, mixture, parents, {
      ...rules,
      align: options.align !== false,
      signal: context.signal,
      onProgress: ({ done }) => context.progress("Realigning routers", done),
    });
    const making = { verb: "moe", ...context.maker, realign: merged, ...rules, data: data.join(",") };
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

/**
 * Returns the names of the files and texts.
 * @throws UsageError if some are missing, or there is neither one text for all networks nor one for each
 */
function namesOf({ realign: merged = "", from = [], data = [], output }: RealignOptions) {
  const attempt = `Cannot realign the routers of "${merged}" as`;
  if (from.length === 0) {
    throw new UsageError(`${attempt} --from must name the mixtures that it was merged from: it is missing`);
  }
  if (data.length !== 1 && data.length !== from.length) {
    throw new UsageError(
      `${attempt} --data must name one text for all of the ${from.length} mixtures of --from, or one for each: it names ${data.length}`,
    );
  }
  if (output === undefined) {
    throw new UsageError(`${attempt} -o must name the result: it is missing`);
  }
  return { merged, from, data, output };
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
