import { basename } from "node:path";
import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { at, UsageError } from "@isthmus/core";
import {
  ATTACK_DEFAULTS,
  ATTACK_EPSILONS,
  ATTACK_METHODS,
  ATTACK_NORMS,
  type AttackMethod,
  type AttackNorm,
  type AttackOptions,
  type AttackSource,
  measureAttack,
  type SourceMode,
} from "@isthmus/ensemble";
import type { BoundNetwork } from "@isthmus/graph";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds } from "../format/describe-feeds.ts";
import { formatAttack } from "../format/format-attack.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { expandPaths } from "../open/expand-paths.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { collect, parseCount, parseNumber, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface AttackVerbOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly surrogate?: readonly string[] | undefined;
  readonly together?: readonly string[] | undefined;
  readonly inTurn?: readonly string[] | undefined;
  readonly method: AttackMethod;
  readonly norm: AttackNorm;
  readonly eps?: number | undefined;
  readonly steps?: number | undefined;
  readonly stepSize?: number | undefined;
  readonly randomStart: boolean;
  readonly seed: number;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus attack`. */
export function attackVerb(run: RunVerb): CommandUnknownOpts {
  return withAttack(addBindingOptions(addScalingOptions(addEngineOption(createAttackVerb()))))
    .addHelpText("after", EXAMPLES)
    .action((paths, options) => run(options, (context) => attack(paths, options, context)));
}

function createAttackVerb() {
  return createVerb("attack")
    .argument("<targets...>", "networks that changed examples are shown to; * and ? are wildcards for files")
    .option(
      "--graph <file>",
      "the architecture of all, .onnx or model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption("--data <name>", `labelled examples to change; ${dataForms()}`)
    .addOption(
      new Option(
        "--surrogate <file>",
        "a network that examples are made on alone, of several matches each; may be repeated",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--together <files>",
        "networks that examples are made on by the mean of their logits, such as 'nets/*.pt'; may be repeated",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--in-turn <files>",
        "networks of which one makes each step, as LGV does; may be repeated",
      ).argParser(collect),
    )
    .option("--journal <file>", "keep finished batches in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

function withAttack<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  const usual = ATTACK_NORMS.map((norm) => `${norm} ${ATTACK_EPSILONS[norm].toPrecision(3)}`).join(", ");
  return command
    .optionsGroup("How to attack:")
    .addOption(
      new Option("--method <name>", "fgsm: one step; pgd: several, brought back to the distance")
        .choices(ATTACK_METHODS)
        .default(ATTACK_DEFAULTS.method),
    )
    .addOption(
      new Option("--norm <name>", "distance: the largest change of a number, or the Euclidean one")
        .choices(ATTACK_NORMS)
        .default(ATTACK_DEFAULTS.norm),
    )
    .option(
      "--eps <x>",
      `largest distance; for images of bytes in pixels from 0 to 1 (default: ${usual})`,
      parseNumber,
    )
    .option("--steps <n>", `steps of pgd (default: ${ATTACK_DEFAULTS.steps})`, parseCount(1))
    .option("--step-size <x>", "size of a step of pgd (default: 2.5 times --eps over --steps)", parseNumber)
    .option("--no-random-start", "start pgd at the example itself, as LGV does")
    .option("--seed <n>", "seed of random starts, and of the order of networks in turn", parseSeed, 0);
}

const EXAMPLES = formatExamples(
  [
    "isthmus attack 'nets/*.safetensors' --surrogate a.safetensors --graph a.onnx --data mnist:test@500 --eps 0.1 --report attack.html",
    "which networks examples made on one of them fool, also as a page",
  ],
  [
    "isthmus attack t.safetensors --surrogate a.safetensors --together 'nets/*.safetensors' --in-turn 'lgv/net-*.safetensors' --graph a.onnx --data mnist:test@500 --eps 0.1 --steps 50 --no-random-start",
    "one surrogate, an ensemble and networks that isthmus collect --method lgv has collected, side by side",
  ],
);

/** Networks of a source by their paths. */
interface NamedSource {
  readonly name: string;
  readonly mode: SourceMode;
  readonly paths: readonly string[];
}

async function attack(
  patterns: readonly string[],
  options: AttackVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { journal, output, report } = options;
  if (report !== undefined) assertPageName(report);
  const targets = await expandPaths(patterns);
  const sources = await expandSources(options);
  const paths = [...new Set([...targets, ...sources.flatMap((source) => source.paths)])];
  return withCheckpoints(paths, async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of [...outputs, ...(journal === undefined ? [] : [journal])])
      await assertOutput(file, inputs);
    await assertArchitecture("attack networks", paths, options);
    const read = await openSharedArchitecture(paths, options);
    const data = await openExamples(options.data, options, dataContext(read));
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { graph, engine, networks, binding } = bound;
    for (const line of describeFeeds("attack networks", graph, data, options)) context.terminal.note(line);
    const attacked = networksOf(paths, networks, { targets, sources });
    const result = await measureAttack({ graph, engine }, attacked, data, {
      ...attackOptions(options),
      journalPath: journal,
      signal: context.signal,
      onProgress: ({ source, done }) => context.progress(`Attacking by ${source}`, done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return { result: { ...result, binding }, text: formatAttack(result) + formatOutputs(outputs) };
  });
}

async function expandSources({
  surrogate = [],
  together = [],
  inTurn = [],
}: AttackVerbOptions): Promise<NamedSource[]> {
  const sources: NamedSource[] = [];
  for (const path of await expandPaths(surrogate))
    sources.push({ name: basename(path), mode: "together", paths: [path] });
  for (const [patterns, mode] of [
    [together, "together"],
    [inTurn, "in-turn"],
  ] as const) {
    for (const pattern of patterns) {
      const paths = await expandPaths(pattern.split(","));
      sources.push({ name: `${paths.length} networks ${mode.replace("-", " ")}`, mode, paths });
    }
  }
  if (sources.length > 0) return sources;
  throw new UsageError(
    "Cannot attack networks as examples must be made on some: give --surrogate, --together or --in-turn",
  );
}

function networksOf(
  paths: readonly string[],
  networks: readonly BoundNetwork[],
  { targets, sources }: { readonly targets: readonly string[]; readonly sources: readonly NamedSource[] },
) {
  const networkOf = (path: string) => at(networks, paths.indexOf(path), "network").network;
  return {
    targets: targets.map(networkOf),
    sources: sources.map(
      ({ name, mode, paths: of }): AttackSource => ({ name, mode, networks: of.map(networkOf) }),
    ),
  };
}

function attackOptions(options: AttackVerbOptions): AttackOptions {
  const { method, norm, eps: epsilon, steps, stepSize, randomStart, seed } = options;
  return { method, norm, epsilon, seed, stepSize, randomStart, ...(steps === undefined ? {} : { steps }) };
}
