import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  describeMaking,
  saveCheckpoint,
  UsageError,
  withCheckpoints,
} from "@isthmus/core";
import { type Architecture, createEvaluator, type DataSet } from "@isthmus/graph";
import {
  FIT_ROUTERS_DEFAULTS,
  type FittedRouter,
  fitRouters,
  type LayerRouting,
  measureRouting,
  REDUCTIONS,
  type ReducedLayer,
  type Reduction,
  reduceConfig,
  reduceMixture,
} from "@isthmus/mixtures";
import { copyModelFiles } from "@isthmus/recipe";
import { assertArchitecture, openBound } from "@isthmus/zoo";
import {
  addRealignOptions,
  listRealignOptions,
  type RealignOptions,
  realignMixture,
} from "../experts/realign-mixture.ts";
import { formatExperts } from "../format/format-experts.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";
import { addSeveralDataOptions, type SeveralDataOptions } from "../options/several-data.ts";
import { assertNetworkOutput } from "../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface ExpertsVerbOptions
  extends EngineOptions,
    ScalingOptions,
    BindingOptions,
    Pick<SeveralDataOptions, "data">,
    Pick<RealignOptions, "realign" | "from" | "align" | "graph"> {
  readonly fitRouters?: true | undefined;
  readonly ridge?: number | undefined;
  readonly through?: "experts" | "mixture" | undefined;
  readonly reduce?: number | undefined;
  readonly by?: Reduction | undefined;
  readonly output?: string | undefined;
}

/** Creates the command `isthmus experts`. */
export function expertsVerb(run: RunVerb): CommandUnknownOpts {
  const command = addBindingOptions(addScalingOptions(addEngineOption(createExpertsVerb())));
  return command
    .addHelpText("after", COLUMNS)
    .addHelpText("after", EXAMPLES)
    .action((path, options) =>
      run(options, (context) => {
        const asked: ExpertsVerbOptions = options;
        assertOptions(asked, listRealignOptions(command, asked));
        const { output } = asked;
        if (asked.realign === undefined || output === undefined) return experts(path, asked, context);
        return realignMixture({ command, path }, { ...asked, output }, context);
      }),
    );
}

const COLUMNS = `
The table has a line for each layer and text: the share of each expert of all choices. Of a layer, entropy is that of the
router's softmax (0 sure, 1 no idea), balance that of the shares of all texts (1 even, 0 all at one expert), capacity the
multiple of an even share that the busiest expert needs, and dropped the share of choices lost at a capacity of 1.25.
`;

const EXAMPLES = formatExamples(
  [
    "isthmus experts mixture --data text:plays.txt text:code.txt",
    "which experts are used on what, layer by layer",
  ],
  [
    "isthmus experts mixture --data text:plays.txt text:code.txt --fit-routers -o routed",
    "find all routers anew in closed form: text 1 is that of expert 0, text 2 that of expert 1",
  ],
  [
    "isthmus experts mixtral --data text:chat.txt --reduce 4 -o smaller",
    "half of eight experts, alike ones merged; the losses before and after are printed",
  ],
  [
    "isthmus experts merged --data text:a.txt@200 text:b.txt@200 --realign --from a b -o realigned",
    "a merged mixture whose routers choose the experts that those of a and b did",
  ],
);

function createExpertsVerb() {
  const command = createVerb("experts", HELP_GROUPS.networks).argument(
    "<mixture>",
    "the mixture of experts: a folder with config.json",
  );
  const changed = addSeveralDataOptions(command, {
    what: "texts, which count alike,",
    of: "any number, or of each expert (--fit-routers), or of each network of --from or all (--realign)",
  })
    .option("--graph <file>", "the architecture, an .onnx file (default: from config.json)")
    .optionsGroup(HELP_GROUPS.done)
    .option("--fit-routers", "find routers by ridge regression; the texts are those of the experts, in order")
    .option(
      "--ridge <x>",
      `of --fit-routers: added to the diagonal of the products of hidden states, as a share of its mean (default: ${FIT_ROUTERS_DEFAULTS.ridge})`,
      parseNumber,
    )
    .addOption(
      new Option(
        "--through <network>",
        "of --fit-routers: hidden states with all tokens at the text's own expert, or layer by layer in the mixture itself (default: experts)",
      ).choices(["experts", "mixture"] as const),
    )
    .option("--reduce <n>", "experts that each layer has afterwards", parseCount(1))
    .addOption(
      new Option(
        "--by <way>",
        "of --reduce: merge alike experts, or drop those that contribute least (default: merge)",
      ).choices(REDUCTIONS),
    )
    .optionsGroup(HELP_GROUPS.output)
    .option("-o, --output <folder>", "the changed mixture");
  addRealignOptions(changed);
  return changed;
}

async function experts(path: string, options: ExpertsVerbOptions, context: Context): Promise<Outcome> {
  return withCheckpoints([path], async (checkpoints) => {
    const { output } = options;
    const inputs = checkpoints.flatMap(({ files }) => files);
    if (output !== undefined) await assertNetworkOutput(output, { inputs, models: [path] });
    const before = await openMixture(path, at(checkpoints, 0, "mixture"), options, context);
    if (output === undefined) {
      const layers = await routingOf(before, context);
      const losses = await lossesOf(before, context);
      const result = { mixture: path, texts: options.data, losses, layers };
      return { result: withoutSimilarities(result), text: formatExperts(result) };
    }
    const changed = await change(before, options, context);
    const losses = await lossesOf(before, context);
    const outputs = await save(
      { path, checkpoint: at(checkpoints, 0, "mixture"), changed },
      options,
      context,
    );
    // The written folder is opened again, so that the losses are of the files that others load.
    return withCheckpoints([output], async ([written]) => {
      const after = await openMixture(output, at([written], 0, "mixture"), options, context);
      const layers = await routingOf(after, context, options);
      const { routers, reduced } = changed;
      const result = {
        mixture: path,
        texts: options.data,
        losses,
        lossesAfter: await lossesOf(after, context),
        layers,
        routers,
        reduced,
        outputs,
      };
      return { result: withoutSimilarities(result), text: formatExperts(result) + formatOutputs(outputs) };
    });
  });
}

/** Leaves out the similarities of experts, a matrix for each layer, from what `--json` prints. */
function withoutSimilarities<T extends { readonly layers: readonly LayerRouting[] }>(result: T) {
  return { ...result, layers: result.layers.map(({ similarities: _, ...layer }) => layer) };
}

/** A mixture with its texts. */
interface OpenedMixture {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly restore: (network: Checkpoint) => Checkpoint;
  readonly texts: readonly DataSet[];
}

async function openMixture(
  path: string,
  checkpoint: Checkpoint,
  options: ExpertsVerbOptions,
  context: Context,
): Promise<OpenedMixture> {
  await assertArchitecture("experts", [path], options);
  const names = Object.fromEntries(options.data.map((name, i) => [`text ${i + 1}`, name]));
  const { data: _, ...reading } = options;
  const { architecture, examples } = await openBound(
    [path],
    [checkpoint],
    names,
    await readingOf(reading, context),
  );
  const { network, restore } = at(architecture.networks, 0, "mixture");
  return { architecture, network, restore, texts: [...examples.values()] };
}

async function lossesOf(
  { architecture, network, texts }: OpenedMixture,
  { progress, signal }: Context,
): Promise<number[]> {
  const losses: number[] = [];
  for (const [i, text] of texts.entries()) {
    progress("Measuring losses", i / texts.length);
    const evaluator = await createEvaluator(architecture, text);
    try {
      losses.push((await evaluator.evaluate(network, signal)).loss);
    } finally {
      await evaluator.release();
    }
  }
  return losses;
}

/** Measures the use of experts; a mixture that was reduced to one expert has no choice to measure. */
const routingOf = async (
  { architecture, network, texts }: OpenedMixture,
  { progress, signal }: Context,
  { reduce }: Pick<ExpertsVerbOptions, "reduce"> = {},
): Promise<LayerRouting[]> =>
  reduce === 1
    ? []
    : measureRouting(architecture, network, texts, {
        signal,
        onProgress: ({ done }) => progress("Measuring the use of experts", done),
      });

/** A mixture that was changed, and how. */
interface ChangedMixture {
  readonly weights: Checkpoint;
  readonly routers?: readonly FittedRouter[];
  readonly reduced?: readonly ReducedLayer[];
}

/** Fits routers, and then reduces experts, as options ask. */
async function change(
  { architecture, network, restore, texts }: OpenedMixture,
  { fitRouters: fits, ridge, through, reduce, by }: ExpertsVerbOptions,
  { progress, signal }: Context,
): Promise<ChangedMixture> {
  const fitted = fits
    ? await fitRouters(architecture, network, texts, {
        ...(ridge === undefined ? {} : { ridge }),
        ...(through === undefined ? {} : { through }),
        signal,
        onProgress: ({ done }) => progress("Fitting routers", done),
      })
    : undefined;
  const mixture = fitted?.mixture ?? network;
  const routers = fitted === undefined ? {} : { routers: fitted.routers };
  if (reduce === undefined) return { weights: restore(mixture), ...routers };
  const reading = {
    ...(by === undefined ? {} : { by }),
    signal,
    onProgress: ({ done }: { readonly done: number }) => progress("Comparing experts", done),
  };
  const reduced = await reduceMixture(architecture, mixture, { texts, experts: reduce }, reading);
  return { weights: reduced.mixture, ...routers, reduced: reduced.layers };
}

async function save(
  {
    path,
    checkpoint,
    changed,
  }: {
    readonly path: string;
    readonly checkpoint: Checkpoint;
    readonly changed: ChangedMixture;
  },
  { output = "", data, fitRouters: fits, ridge, through, reduce, by }: ExpertsVerbOptions,
  { maker, signal, progress, terminal }: Context,
): Promise<string[]> {
  const making = { data, fitRouters: fits, ridge, through, reduce, by };
  const { files } = await saveCheckpoint(changed.weights, output, {
    metadata: {
      ...checkpoint.metadata,
      ...describeMaking([checkpoint], { verb: "experts", ...maker, ...making }),
    },
    overwrite: true,
    signal,
    onProgress: ({ done }) => progress("Writing", done),
  });
  const reshapeConfig =
    reduce === undefined
      ? undefined
      : (config: Readonly<Record<string, unknown>>) => reduceConfig(config, reduce);
  return [...files, ...(await copyModelFiles(path, output, { reshapeConfig, onNote: terminal.note }))];
}

/**
 * Checks that the options belong together.
 * @param ofRealign - given options that belong to `--realign`
 * @throws UsageError if not
 */
function assertOptions(
  { fitRouters: fits, ridge, through, reduce, by, realign, output }: ExpertsVerbOptions,
  ofRealign: readonly string[],
): void {
  const others = fits === true || reduce !== undefined;
  if (realign && others) {
    throw new UsageError(
      "Cannot realign routers and change the mixture in other ways at once: run the verb twice, the second time on the result of the first",
    );
  }
  const changes = realign === true || others;
  if (changes && output === undefined) {
    throw new UsageError("Cannot change a mixture as its folder must be named: add -o FOLDER");
  }
  if (!changes && output !== undefined) {
    throw new UsageError(
      "Cannot write a mixture as nothing of it is changed: add --fit-routers, --reduce N or --realign, or leave -o out",
    );
  }
  if (output?.endsWith(".safetensors")) {
    throw new UsageError(
      `Cannot write a mixture to "${output}" as it must be a folder, with its config: name one without .safetensors`,
    );
  }
  const alone = [
    { option: "--ridge", of: "--fit-routers", wrong: ridge !== undefined && fits === undefined },
    { option: "--through", of: "--fit-routers", wrong: through !== undefined && fits === undefined },
    { option: "--by", of: "--reduce", wrong: by !== undefined && reduce === undefined },
    ...ofRealign.map((option) => ({ option, of: "--realign", wrong: realign === undefined })),
  ].find(({ wrong }) => wrong);
  if (alone !== undefined) {
    throw new UsageError(
      `Cannot use ${alone.option} without ${alone.of}, which it is about: add it, or leave ${alone.option} out`,
    );
  }
}
