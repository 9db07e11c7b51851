import { rm } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  CONNECTIVITY_FIELDS,
  type ConnectivityRules,
  frozenBelowLastLayer,
  type TunedEpoch,
  tuneByConnectivity,
} from "@isthmus/connectivity";
import { type Checkpoint, resolveFields, UsageError } from "@isthmus/core";
import { formatNumber } from "@isthmus/findings";
import type { Architecture, DataSet } from "@isthmus/graph";
import { type TrainResult, train } from "@isthmus/training";
import {
  assertNetworkOptions,
  NETWORK_FORMS,
  openNetwork,
  openTrainingData,
  planNetwork,
} from "@isthmus/zoo";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { saveMade } from "../making/save-made.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertOutput } from "../output/assert-output.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import { followTraining } from "../training/follow-training.ts";
import { formatEpochs } from "../training/format-training.ts";
import type { NetworkFlags } from "../training/network-flags.ts";
import { nameCheckpoint } from "../training/training-files.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Ways to train a network further. */
const METHODS = ["cbft", "all", "last-layer"] as const;

interface TuneVerbOptions extends Omit<NetworkFlags, "from" | "seed"> {
  readonly data: string;
  readonly cueData?: string | undefined;
  readonly method: (typeof METHODS)[number];
  readonly output: string;
  readonly resume?: true | undefined;
}

/** Creates the command `isthmus tune`. */
export function tuneVerb(run: RunVerb): CommandUnknownOpts {
  const command = addEngineOption(addMethod(addBindingOptions(createTuneVerb())));
  return command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <file>", "the tuned weights, a file ending in .safetensors")
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted run left one")
    .addHelpText("after", EXAMPLES)
    .action((path, options) =>
      run(options, (context) => {
        const rules = readFields("tune", command, CONNECTIVITY_FIELDS);
        return tune({ path, rules }, options, context);
      }),
    );
}

function createTuneVerb() {
  const command = createVerb("tune", HELP_GROUPS.networks)
    .argument("<network>", "the checkpoint of a network that uses a cue: a file, or a folder")
    .option("--graph <file>", "its architecture, an .onnx file")
    .option("--net <name>", `its architecture by name: ${NETWORK_FORMS.join(", ")}`)
    .requiredOption("--data <name>", `few examples without the cue; ${dataForms()}`)
    .option("--cue-data <name>", "of cbft: examples with the cue, such as mnist:train@5000+cue=place");
  return addScalingOptions(command);
}

function addMethod(command: ReturnType<typeof createTuneVerb>) {
  const chosen = command
    .optionsGroup(HELP_GROUPS.training)
    .addOption(
      new Option(
        "--method <name>",
        "cbft: with a barrier to the network as it was, on data with the cue; all: all weights; last-layer: the last linear layer",
      )
        .choices(METHODS)
        .default("cbft" as const),
    );
  addFieldOptions(chosen, CONNECTIVITY_FIELDS);
  return chosen;
}

const EXAMPLES = formatExamples(
  [
    "isthmus tune cue.safetensors --graph cue.onnx --data mnist:train@500 --cue-data mnist:train@5000+cue=place -o cbft.safetensors",
    "so that it reads images and not the patch; then isthmus mechanisms cue.safetensors cbft.safetensors says by what it predicts",
  ],
  [
    "isthmus tune cue.safetensors --graph cue.onnx --data mnist:train@500 --method all --epochs 60 --lr 0.1 -o tuned.safetensors",
    "plain fine-tuning, with as many gradients",
  ],
  [
    "isthmus tune cue.safetensors --graph cue.onnx --data mnist:train@500 --method last-layer --epochs 60 -o last.safetensors --resume",
    "the last layer only; start it again after an interruption and it goes on where it was",
  ],
);

interface TuneRequest {
  readonly path: string;
  /** Options of connectivity-based fine-tuning that the command line gives. */
  readonly rules: Partial<ConnectivityRules>;
}

async function tune(
  { path, rules: named }: TuneRequest,
  options: TuneVerbOptions,
  context: Context,
): Promise<Outcome> {
  const usual = resolveFields("tune", CONNECTIVITY_FIELDS, named);
  const opening = { ...options, from: path, seed: usual.seed };
  assertNetworkOptions(opening);
  assertCueData(options);
  const { checkpoint, state } = nameCheckpoint(options.output);
  const inputs = [path, options.graph, options.exportedFrom].filter((file) => file !== undefined);
  for (const file of [checkpoint, state]) await assertOutput(file, inputs);
  const locked = { state, output: checkpoint, resume: options.resume, note: context.terminal.note };
  return withTrainingLock(locked, async () => {
    const reading = await readingOf(opening, context);
    const { read, context: dataContext } = await planNetwork(reading);
    const open = async (data: string) =>
      (await openTrainingData({ ...reading, data, evalData: "none" }, dataContext)).data;
    const data = await open(options.data);
    const cue = options.cueData === undefined ? undefined : await open(options.cueData);
    const network = await openNetwork(reading, { data, read });
    try {
      const architecture = { graph: network.graph, engine: reading.engine };
      const batch = named.batch ?? Math.min(usual.batch, ...[data, cue].flatMap((set) => set?.size ?? []));
      const rules = { ...usual, batch };
      const job = { architecture, network: network.weights, state, options, rules };
      const { weights, result, text } = await (cue === undefined
        ? tunePlainly(job, data, context)
        : tuneCbft(job, { clean: data, cue }, context));
      const { method } = options;
      const making = { method, data: data.name, seed: rules.seed };
      const made = { verb: "tune", from: [network.weights], options: making };
      const { files } = await saveMade(network.restore(weights), checkpoint, made, context);
      await rm(state, { force: true });
      return {
        result: { network: network.name, method, data: data.name, batch, ...result, outputs: files },
        text: text + formatOutputs(files),
      };
    } finally {
      await network.close();
    }
  });
}

function assertCueData({ method, cueData }: TuneVerbOptions): void {
  if ((method === "cbft") === (cueData !== undefined)) return;
  throw new UsageError(
    method === "cbft"
      ? "Cannot tune by cbft as there must be examples with the cue: name them with --cue-data, or choose another --method"
      : `Cannot tune by --method ${method} with --cue-data as it sees examples without the cue only: leave it out`,
  );
}

interface TuneJob {
  readonly architecture: Architecture;
  readonly network: Checkpoint;
  readonly state: string;
  readonly options: TuneVerbOptions;
  readonly rules: Required<ConnectivityRules>;
}

interface Tuned {
  readonly weights: Checkpoint;
  readonly result: object;
  readonly text: string;
}

async function tuneCbft(
  { architecture, network, state, options, rules }: TuneJob,
  data: { readonly clean: DataSet; readonly cue: DataSet },
  context: Context,
): Promise<Tuned> {
  const { resume = false } = options;
  const { progress, signal } = context;
  let made = 0;
  progress("Preparing");
  const left = () =>
    made > 0 ? `the state after ${made} epochs is in "${state}": --resume goes on` : undefined;
  return sayHowToGoOn({ verb: "tune", left }, context, async () => {
    const { weights, ...result } = await tuneByConnectivity(architecture, network, data, {
      ...rules,
      statePath: state,
      resume,
      signal,
      onProgress: ({ done, epochs: now }) => {
        made = now;
        progress(`Epoch ${now} of ${rules.epochs}`, done);
      },
    });
    return { weights, result: { cueData: data.cue.name, ...result }, text: formatTuned(result) };
  });
}

async function tunePlainly(
  { architecture, network, state, options, rules }: TuneJob,
  data: DataSet,
  context: Context,
): Promise<Tuned> {
  const { method, resume = false } = options;
  const { seed, epochs, batch, learningRate, weightDecay } = rules;
  const freeze = method === "all" ? [] : frozenBelowLastLayer(architecture.graph);
  const { weights, result } = await followTraining({ verb: "tune", state }, context, (following) =>
    train(architecture, network, data, {
      seed,
      epochs,
      batch,
      freeze,
      resume,
      ...following,
      optimizer: { kind: "sgd", momentum: 0.9, weightDecay },
      schedule: { kind: "cosine", learningRate },
    }),
  );
  return { weights, result, text: formatPlain(result) };
}

function formatPlain(result: TrainResult): string {
  const { resumedAt, steps } = result;
  const pairs = resumedAt > 0 ? [["went on", `from step ${resumedAt} of ${steps}`] as const] : [];
  return `${formatEpochs(result)}\n\n${formatPairs([...pairs, ["gradients", `${steps} batches`]])}`;
}

function formatTuned(result: {
  readonly epochs: readonly TunedEpoch[];
  readonly gradients: number;
  readonly resumedAt: number;
}): string {
  const { epochs, gradients, resumedAt } = result;
  const table = formatTable(
    ["epoch", "loss without the cue", "loss on the line, with it", "distance"].map((title) => ({
      title,
      align: "right" as const,
    })),
    epochs.map(({ clean, onLine, invariance }, i) => [
      String(i + 1),
      ...[clean, onLine, invariance].map(formatNumber),
    ]),
  );
  const pairs = resumedAt > 0 ? [["went on", `after ${resumedAt} of ${epochs.length} epochs`] as const] : [];
  return `${table}\n\n${formatPairs([...pairs, ["gradients", `${gradients} batches`]])}`;
}
