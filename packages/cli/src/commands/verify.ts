import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { productsModuleOn } from "@isthmus/engine/products";
import { type MergeProvenance, type VerifyMergeResult, verifyMerge } from "@isthmus/merging";
import { openRecordedMixture } from "@isthmus/mixtures";
import { createAligner, openRecordedRecipe } from "@isthmus/recipe";
import { formatPairs } from "../format/format-table.ts";
import { openEngine } from "../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { collect } from "../options/parse-values.ts";
import {
  type CommonOptions,
  type Context,
  createVerb,
  formatExamples,
  type Outcome,
  type RunVerb,
} from "../verb.ts";

type VerifyOptions = CommonOptions & EngineOptions & { readonly methods?: readonly string[] | undefined };

/** Creates the command `isthmus verify`. */
export function verifyVerb(run: RunVerb): CommandUnknownOpts {
  return addEngineOption(
    createVerb("verify", HELP_GROUPS.done).argument(
      "<checkpoint>",
      "a file or folder that isthmus merge made by a recipe, or isthmus moe",
    ),
  )
    .option(
      "--methods <file>",
      "a JavaScript file that exports methods of your own, which is run; may be repeated",
      collect,
    )
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", `\nBits: ${PROMISE}.\n`)
    .action((path, options) => run(options, (context) => verify(path, options, context)));
}

const EXAMPLES = formatExamples(
  ["isthmus verify merged", "make the merge again as its metadata say, and compare every bit"],
  ["isthmus verify merged.safetensors --methods mine.js", "a merge by a method of your own"],
);

async function verify(path: string, options: VerifyOptions, context: Context): Promise<Outcome> {
  const { methods: methodFiles, device } = options;
  const { signal } = context;
  const engine = await openEngine(options, context);
  const open = (provenance: MergeProvenance) =>
    provenance.verb === "moe"
      ? openRecordedMixture(path, provenance, { engine, signal })
      : openRecordedRecipe(path, provenance, {
          productsModule: productsModuleOn(device),
          methodFiles,
          align: createAligner(engine),
        });
  const result = await verifyMerge(path, open, {
    signal,
    onProgress: ({ done }) => context.progress("Comparing", done),
  });
  const failure = result.ok ? undefined : `"${path}" is not what its recipe makes`;
  return { result: { checkpoint: path, ...result }, text: formatVerified(result), failure };
}

/** Condition under which a merge made again has the same bits, as the help and the outcome state it. */
const PROMISE =
  "the same are promised of processors only: merges that were aligned or multiplied on another device may differ in the last digits";

/** Number of deviations that are listed. */
const SHOWN = 5;

function formatVerified({ ok, same, deviations, changedInputs, provenance }: VerifyMergeResult): string {
  const inputs = provenance.inputs.map(({ source }) => source).join(", ");
  const more =
    deviations.length > SHOWN ? [["", `and ${deviations.length - SHOWN} more`] as [string, string]] : [];
  return formatPairs([
    [
      "made by",
      `Isthmus ${provenance.version} of ${inputs}, seed ${provenance.seed}${provenance.device === undefined ? "" : `, on device ${provenance.device}`}`,
    ],
    ["tensors", `${same} are the same, bit for bit`],
    ...deviations
      .slice(0, SHOWN)
      .map(({ tensor, reason }): [string, string] => ["differs", `${tensor}: ${reason}`]),
    ...more,
    ...changedInputs.map((name): [string, string] => ["changed", `${name} is not the file that was merged`]),
    ["verdict", ok ? "the same, made again" : "not the same"],
    ...(ok && provenance.device === undefined ? [] : [["bits", PROMISE] as [string, string]]),
  ]);
}
