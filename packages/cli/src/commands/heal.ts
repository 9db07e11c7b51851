import { rm } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, type Checkpoint, withCheckpoints } from "@isthmus/core";
import { formatNumber, formatShare } from "@isthmus/findings";
import { HEAL_FIELDS, type HealResult, type HealRules, heal, openHealing } from "@isthmus/merge-learning";
import { copyModelFiles } from "@isthmus/recipe";
import type { TrainProgress } from "@isthmus/training";
import { findModelConfig } from "@isthmus/zoo";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatPairs, formatTable } from "../format/format-table.ts";
import { saveMade } from "../making/save-made.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { readingOf } from "../open/reading-of.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import {
  addSeveralDataOptions,
  addSeveralGraphsOption,
  type SeveralDataOptions,
  type SeveralGraphsOption,
} from "../options/several-data.ts";
import { assertNetworkOutput } from "../output/assert-output.ts";
import { followTraining } from "../training/follow-training.ts";
import { nameState } from "../training/training-files.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface HealVerbOptions
  extends Omit<BindingOptions, "graph">,
    EngineOptions,
    ScalingOptions,
    SeveralDataOptions,
    SeveralGraphsOption {
  readonly from: readonly string[];
  readonly output: string;
  readonly resume?: true | undefined;
}

/** Creates the command `isthmus heal`. */
export function healVerb(run: RunVerb): CommandUnknownOpts {
  const command = addEngineOption(addBindingOptions(createHealVerb()));
  return command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <path>", "the healed network: a file ending in .safetensors, or a folder")
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted healing left one")
    .addHelpText("after", EXAMPLES)
    .action((path, options) =>
      run(options, (context) => {
        const rules: Partial<HealRules> = readFields("heal", command, HEAL_FIELDS);
        return healNetwork({ path, rules }, options, context);
      }),
    );
}

function createHealVerb() {
  const command = addScalingOptions(
    createVerb("heal", HELP_GROUPS.networks)
      .argument("<merged>", "the merged network: a file, or a folder")
      .requiredOption("--from <experts...>", "the networks that it was merged from, which teach it"),
  );
  const named = addSeveralDataOptions(command, {
    what: "examples, whose labels are not used,",
    of: "each of --from, or of all",
    splits: ":train (if not said)",
    evaluated: 'the test split of --data, else, or for "none", the first 256 of it',
  });
  const described = addSeveralGraphsOption(named);
  addFieldOptions(described.optionsGroup(HELP_GROUPS.training), HEAL_FIELDS);
  return described;
}

const EXAMPLES = formatExamples(
  [
    "isthmus heal merged --from poet coder --data text:plays.txt text:code.txt -o healed",
    "a merged language model learns from each expert on texts of its kind; start it again with --resume after an interruption",
  ],
  [
    "isthmus heal merged.safetensors --from a.safetensors b.safetensors --graph a.onnx b.onnx --data mnist fashion-mnist --unread keep -o healed.safetensors",
    "one body with a head for each task: a graph for each expert",
  ],
  [
    "isthmus heal merged --from poet coder --data text:plays.txt text:code.txt --only '*norm*' '*.mlp.*' --steps 100 -o healed",
    "some parameters only",
  ],
);

interface HealRequest {
  readonly path: string;
  /** Options of the healing that the command line gives. */
  readonly rules: Partial<HealRules>;
}

async function healNetwork(
  { path, rules }: HealRequest,
  options: HealVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { from, data, evalData, graph: graphs, output, resume = false, ...rest } = options;
  const paths = [path, ...from];
  const state = nameState(output);
  return withCheckpoints(paths, async (checkpoints) => {
    const named = [...(graphs ?? []), rest.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    await assertNetworkOutput(output, { inputs, models: paths });
    const networks = checkpoints.map((checkpoint, i) => ({ path: at(paths, i, "path"), checkpoint }));
    const [merged, ...experts] = networks as [(typeof networks)[number], ...typeof networks];
    return withTrainingLock({ state, output, resume, note: context.terminal.note }, async () => {
      const reading = await readingOf(rest, context);
      const healing = await openHealing({ ...reading, merged, experts, data, evalData, graphs });
      const phase = ({ step, steps }: TrainProgress) => `Step ${step} of ${steps}`;
      const { weights, result } = await followTraining({ verb: "heal", state, phase }, context, (following) =>
        heal(healing, { ...rules, ...following, resume, onStage: (stage) => context.progress(stage) }),
      );
      const outputs = await save(weights, { checkpoints, paths, rules }, { result, output }, context);
      await rm(state, { force: true });
      return { result: { ...result, outputs }, text: format(result, outputs) };
    });
  });
}

interface HealSources extends Pick<HealRequest, "rules"> {
  readonly checkpoints: readonly Checkpoint[];
  readonly paths: readonly string[];
}

/** Writes the healed network, and beside it what makes it a model, with a card that names its sources. */
async function save(
  weights: Checkpoint,
  { checkpoints, paths, rules }: HealSources,
  { result, output }: { readonly result: HealResult; readonly output: string },
  context: Context,
): Promise<readonly string[]> {
  const data = result.experts.map((expert) => expert.data);
  const made = { verb: "heal", from: checkpoints, options: { ...rules, steps: result.steps, data } };
  const { files } = await saveMade(weights, output, made, context);
  const [merged = "", ...experts] = paths;
  const sentence = `Healed from \`${merged}\` in ${result.steps} steps by distillation from ${experts.map((name) => `\`${name}\``).join(", ")} on ${data.join(", ")}, without labels.`;
  // A merged file may lie beside no config; the experts are models of the same kind.
  const hasConfig = (await findModelConfig(merged)) !== undefined;
  const copied = await copyModelFiles(hasConfig ? merged : at(experts, 0, "expert"), output, {
    onNote: context.terminal.note,
    card: {
      networks: [{ name: merged, isBase: true }, ...experts.map((name) => ({ name }))],
      method: "heal",
      notes: [sentence],
    },
  });
  return [...files, ...copied];
}

function format(result: HealResult, outputs: readonly string[]): string {
  const right = { align: "right" } as const;
  const { experts, steps, resumedAt, parameters } = result;
  const rows = experts.map(({ expert, expertLoss, before, after }) => [
    expert,
    numberOf(expertLoss),
    ...[before, after].flatMap(({ loss, divergence, agreement }) => [
      numberOf(loss),
      formatNumber(divergence),
      agreement === undefined ? "-" : formatShare(agreement),
    ]),
  ]);
  const titles = [
    "its loss",
    "loss before",
    "divergence",
    "agreement",
    "loss after",
    "divergence",
    "agreement",
  ];
  const table = formatTable([{ title: "expert" }, ...titles.map((title) => ({ title, ...right }))], rows);
  const pairs: [string, string][] = [
    ["measured on", experts.map(({ measuredOn }) => measuredOn).join(", ")],
    [
      "healed",
      `${parameters.learned.toLocaleString("en-US")} of ${parameters.all.toLocaleString("en-US")} parameters in ${steps} steps`,
    ],
  ];
  if (resumedAt > 0) pairs.push(["went on", `from step ${resumedAt} of ${steps}`]);
  if (result.recalibrated) pairs.push(["batch norms", "measured anew on examples of all experts"]);
  return `${table}\n\n${formatPairs(pairs)}${formatOutputs(outputs)}`;
}

const numberOf = (value: number | undefined): string => (value === undefined ? "-" : formatNumber(value));
