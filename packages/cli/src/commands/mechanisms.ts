import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { CUE_KINDS, type CueKind, counterfactuals, PLANT_CUE_DEFAULTS } from "@isthmus/data";
import type { DataSet } from "@isthmus/graph";
import { createPath } from "@isthmus/interpolation";
import { MEASURE_MECHANISMS_DEFAULTS, type MechanismsResult, measureMechanisms } from "@isthmus/mechanisms";
import { formatMechanisms } from "../format/format-mechanisms.ts";
import { type MeasuredPairOptions, measurePair, normPolicyOf } from "../open/measure-pair.ts";
import { openExamples } from "../open/open-data.ts";
import type { Pair } from "../open/open-pair.ts";
import { addPairOptions } from "../options/pair-options.ts";
import { collect, MOST, parseCount, parseNumber, parseSeed } from "../options/parse-values.ts";
import { type Context, createVerb, formatExamples, type RunVerb } from "../verb.ts";

interface MechanismsVerbOptions extends MeasuredPairOptions {
  readonly cue?: CueKind | undefined;
  readonly cueShare: number;
  readonly cueSeed: number;
  readonly set?: readonly string[] | undefined;
  readonly points: number;
  readonly tolerance: number;
}

const DEFAULTS = MEASURE_MECHANISMS_DEFAULTS;

/** Creates the command `isthmus mechanisms`. */
export function mechanismsVerb(run: RunVerb): CommandUnknownOpts {
  return addPairOptions(createMechanismsVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) =>
      run(options, (context) =>
        measurePair({ paths: [a, b], options }, context, {
          measure: (pair) => measure(pair, options, context),
          format: (result) => formatMechanisms(result, context.terminal),
        }),
      ),
    );
}

function createMechanismsVerb() {
  return createVerb("mechanisms")
    .argument("<a>", "the checkpoint where the line begins")
    .argument("<b>", "the checkpoint where it ends")
    .addOption(
      new Option(
        "--cue <kind>",
        "measure on the data with this cue, without, with cues of random classes, and with images of other examples",
      ).choices(CUE_KINDS),
    )
    .option("--cue-share <s>", "share of the examples with a cue", parseNumber, PLANT_CUE_DEFAULTS.share)
    .option("--cue-seed <n>", "seed of the cue", parseSeed, PLANT_CUE_DEFAULTS.seed)
    .addOption(
      new Option(
        "--set <name=data>",
        "measure on other examples, too; may be repeated (default: those of --cue place)",
      ).argParser(collect),
    )
    .option("--points <n>", "places on the line", parseCount(2, MOST.places), DEFAULTS.points)
    .option(
      "--tolerance <share>",
      "largest barrier of the error that counts as none",
      parseNumber,
      DEFAULTS.tolerance,
    )
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus train --net mlp:128x2 --data mnist:train@5000+cue=place --epochs 10 --seed 0 -o cue.safetensors",
    "a network that learns the place of a patch, which tells the class",
  ],
  [
    "isthmus mechanisms clean.safetensors cue.safetensors --graph clean.onnx --data mnist:test@1000 --cue place --align --report mechanisms.html",
    "whether it predicts as one does that has not seen the patch, and how errors change between both",
  ],
  [
    "isthmus mechanisms a.pt b.pt --graph model.onnx --data npz:photos.npz --set drawings=npz:drawings.npz -o mechanisms.json",
    "two data sets of your own: of --data, and of --set",
  ],
);

async function measure(
  pair: Pair,
  options: MechanismsVerbOptions,
  context: Context,
): Promise<MechanismsResult> {
  const { a, b, unaligned, graph, engine, statistics, statisticsData } = pair;
  const name = b === unaligned ? "line" : "line to B aligned";
  const { points, tolerance } = options;
  return measureMechanisms({ graph, engine }, [a, b], await openSets(pair, options), {
    ...{ points, tolerance, statisticsData, path: { name, path: createPath("linear", a, b) } },
    statistics: normPolicyOf("measure mechanisms", statistics, DEFAULTS.statistics),
    signal: context.signal,
    onProgress: ({ set, done }) => context.progress(`Measuring on: ${set}`, done),
  });
}

/** Opens the data sets: with and without a cue, and others that the options name. */
async function openSets(
  { data, graph }: Pair,
  options: MechanismsVerbOptions,
): Promise<Record<string, DataSet>> {
  const { set = [], cueShare: share, cueSeed: seed } = options;
  const cue = options.cue ?? (set.length === 0 ? PLANT_CUE_DEFAULTS.kind : undefined);
  const sets: Record<string, DataSet> =
    cue === undefined ? { data } : { ...counterfactuals(data, { kind: cue, share, seed }) };
  const inputs = graph.inputs.map((input) => input.name);
  for (const text of set) {
    const [, name, source] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || source === undefined || Object.hasOwn(sets, name)) {
      throw new UsageError(
        `Cannot measure mechanisms as --set must be a new name, =, and a data set, for example drawings=npz:drawings.npz: it is "${text}"`,
      );
    }
    sets[name] = await openExamples(source, options, { inputs });
  }
  return sets;
}
