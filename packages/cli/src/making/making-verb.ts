import { existsSync } from "node:fs";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, expandPaths, InvariantError, resolveFields, UsageError, withCheckpoints } from "@isthmus/core";
import {
  type MadeOf,
  type MakerSubject,
  type MakingControl,
  madeFacts,
  type NetworkMaker,
  type TrainingPace,
} from "@isthmus/findings";
import type { Architecture } from "@isthmus/graph";
import { formatReport } from "../format/format-result.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { toAttribute, toFlag } from "../measurement/flag-names.ts";
import { addScalingOptions } from "../open/open-data.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { createPace } from "../terminal/pace.ts";
import { sayHowToGoOn } from "../terminal/say-how-to-go-on.ts";
import { formatSpeed } from "../training/format-training.ts";
import { nameState } from "../training/training-files.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, type CreateVerb, createVerb, formatExamples, type Outcome } from "../verb.ts";
import { OPEN_TENSORS, type OpenedStart, openWithGraph, type ReadingOptions } from "./open-start.ts";
import { type WritingRequest, writeNetwork } from "./write-network.ts";

/** Arguments of commands that make a network, by the sort of start. */
const ARGUMENTS: Readonly<Record<NetworkMaker["from"], readonly [name: string, help: string]>> = {
  network: ["<network>", "the checkpoint: a file, or a folder"],
  networks: ["<networks...>", "the checkpoints: files, or folders; * and ? are wildcards for files"],
};

/** File of the state that a training keeps, and whether the training goes on from an existing one. */
interface Kept {
  readonly state: string | undefined;
  readonly resume: boolean;
}

/** Makes the function that creates the command of a maker of networks. */
export function makingVerb(maker: NetworkMaker): CreateVerb {
  return (run) => {
    const command: CommandUnknownOpts = createVerb(maker.name, HELP_GROUPS.done);
    command.argument(...ARGUMENTS[maker.from]);
    addFieldOptions(command, maker.options);
    if (maker.needsGraph) addReadingOptions(command, maker);
    const output = [
      "-o, --output <path>",
      `${maker.makes}: a file ending in .safetensors, or a folder`,
    ] as const;
    if (maker.explain) command.option(...output);
    else command.requiredOption(...output);
    command.option("--report <file>", "write a page with the settings and what was made (.html)");
    if (maker.explain) command.option("--dry-run", "only print what would be done; nothing is written");
    if (maker.resumes)
      command.option("--resume", "go on from OUTPUT.state.safetensors if an interrupted run left it");
    return command
      .addHelpText("after", formatExamples(...usageOf(maker)))
      .action(() => run(command.opts(), (context) => make(maker, command, context)));
  };
}

const usageOf = ({ name, usage }: NetworkMaker): (readonly [command: string, purpose: string])[] =>
  usage.map(([words, purpose]) => [`isthmus ${name} ${words}`, purpose]);

/** Adds the options for reading the architecture, and for the examples that the maker asks for. */
function addReadingOptions(command: CommandUnknownOpts, { examples }: NetworkMaker): void {
  command.option(
    "--graph <file>",
    "the architecture, .onnx or model.json of a LayersModel (default: from config.json)",
  );
  const asked = Object.entries(examples);
  for (const [name, { help, isOptional }] of asked) {
    const option = [`--${toFlag(name)} <name>`, `${help}; ${dataForms()}`] as const;
    if (isOptional) command.option(...option);
    else command.requiredOption(...option);
  }
  if (asked.length > 0) addScalingOptions(command);
  addBindingOptions(addEngineOption(command));
}

/** Options of every command that makes a network, beside the ones of its maker. */
type Flags = ReadingOptions & {
  readonly output?: string;
  readonly report?: string;
  readonly resume?: true;
  readonly dryRun?: true;
};

async function make(maker: NetworkMaker, command: CommandUnknownOpts, context: Context): Promise<Outcome> {
  const { name, attempt, options: fields, from, needsGraph, resumes } = maker;
  const options = resolveFields(attempt, fields, readFields(attempt, command, fields));
  // Commander cannot know the types of options from tables.
  const flags = command.opts() as unknown as Flags;
  const { output, report, resume = false } = flags;
  const examples = namedExamples(maker, command);
  const paths = from === "network" ? command.args : await expandPaths(command.args);
  const opening = needsGraph ? openWithGraph({ verb: name, paths, reading: flags, examples }) : OPEN_TENSORS;
  if (flags.dryRun) return explain(maker, { paths, opening, options }, context);
  if (output === undefined)
    throw new UsageError(
      `Cannot ${attempt} as the result needs a place: add -o, or --dry-run to write nothing`,
    );
  const state = resumes ? nameState(output) : undefined;
  const request: WritingRequest<Architecture | undefined> = {
    verb: name,
    paths,
    output,
    report,
    states: state === undefined ? [] : [state],
    opening,
  };
  const work = () =>
    writeNetwork(request, context, async (start) => {
      const control = makingControl({ state, resume }, context);
      const { weights, result } = await maker.make(subjectOf(maker, start), options, control);
      // What it is made of stands first, whatever else the maker calls so.
      const made = { kind: name, ...sourcesOf(maker, start) };
      const whole = { ...made, ...result, ...made };
      const described = maker.describe(whole);
      const making = { ...options, ...examples };
      const page = {
        report: described,
        ...madeFacts(described, sourcesOf(maker, start), { ...making, output }),
      };
      return { weights, result: whole, making, text: formatReport(described, context.terminal), page };
    });
  if (state === undefined) return work();
  const left = () => (existsSync(state) ? `the state is in "${state}": --resume goes on` : undefined);
  const locked = { state, output, resume, note: context.terminal.note };
  return withTrainingLock(locked, () => sayHowToGoOn({ verb: name, left }, context, work));
}

interface Explained {
  readonly paths: readonly string[];
  readonly opening: WritingRequest<Architecture | undefined>["opening"];
  readonly options: object;
}

/** Prints what a maker would do. */
function explain(
  maker: NetworkMaker,
  { paths, opening, options }: Explained,
  context: Context,
): Promise<Outcome> {
  return withCheckpoints(paths, async (checkpoints) => {
    const start = await opening.open(checkpoints, context);
    const control = makingControl({ state: undefined, resume: false }, context);
    const plan = await maker.explain?.(subjectOf(maker, start), { ...options }, control);
    if (plan === undefined) throw new InvariantError("only makers that explain have --dry-run");
    return { result: plan.result, text: formatReport(plan.report, context.terminal) };
  });
}

/** Returns the examples that a command line names, by the names that the maker has for them. */
function namedExamples(
  { examples }: NetworkMaker,
  command: CommandUnknownOpts,
): Readonly<Record<string, string | undefined>> {
  const names = Object.keys(examples);
  const named = names.map((name) => [name, command.getOptionValue(toAttribute(toFlag(name)))] as const);
  return Object.fromEntries(named.map(([name, source]) => [name, source as string | undefined]));
}

type Opened = OpenedStart<Architecture | undefined>;

function subjectOf({ from }: NetworkMaker, { networks, architecture, examples }: Opened): MakerSubject {
  const opened = { architecture, examples };
  return from === "network" ? { ...opened, network: at(networks, 0, "network") } : { ...opened, networks };
}

/** Returns the sources of the networks that another one was made from. */
function sourcesOf({ from }: NetworkMaker, { networks }: Opened): MadeOf {
  const sources = networks.map(({ source }) => source);
  return from === "network" ? { network: at(sources, 0, "network") } : { networks: sources };
}

/** Creates the controls of a command that makes a network. */
function makingControl({ state, resume }: Kept, { signal, progress }: Context): MakingControl {
  const pace = createPace();
  const report = (stage: string, done?: number, training?: Partial<TrainingPace>): void => {
    if (done !== undefined) pace.note(done);
    progress(stage, done, () => formatSpeed(training, pace.left()));
  };
  return {
    signal,
    report: (stage, done) => report(stage, done),
    resuming: {
      statePath: state,
      resume,
      signal,
      onProgress: ({ step, steps, ...training }) =>
        report(`Step ${step} of ${steps}`, step / steps, training),
    },
  };
}
