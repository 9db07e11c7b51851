import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { readTextFile } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import {
  listMissingFederations,
  planSimulation,
  type RunSimulationResult,
  readSimulation,
  runSimulation,
  type SimulationDescription,
  type SimulationResult,
} from "@isthmus/federated";
import { readTaskResult } from "@isthmus/tasks";
import { formatSimulation } from "../../federate/format-simulation.ts";
import { addEngineOption, createEngine, type EngineOptions } from "../../options/engine-option.ts";
import { HELP_GROUPS } from "../../options/help-groups.ts";
import { parseCount } from "../../options/parse-values.ts";
import { addQueueOptions, type QueueOptions } from "../../options/queue-options.ts";
import { describeCommand } from "../../result/result-provenance.ts";
import { describeFailures } from "../../study/describe-failures.ts";
import { findDescribed } from "../../study/find-described.ts";
import { formatMissing, formatTasks, formatTimeLeft } from "../../study/format-study.ts";
import { saveDescribed, TASKS } from "../../study/save-described.ts";
import { withExecutor } from "../../study/with-executor.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

interface SimulateVerbOptions extends EngineOptions, QueueOptions {
  readonly output?: string | undefined;
  readonly workers: number;
  readonly list?: true | undefined;
  readonly print?: true | undefined;
}

/** The script of the threads that federations are simulated in. */
const SIMULATION_WORKER = new URL("../../work/simulation-worker.js", import.meta.url);

/** Creates the command `isthmus federate simulate`. */
export function federateSimulateVerb(run: RunVerb): CommandUnknownOpts {
  const summary = "Simulate federations that a file describes: partitions, strategies, attacks, seeds";
  return addQueueOptions(addEngineOption(createSimulateVerb()))
    .summary(summary)
    .description(`${summary}.`)
    .addHelpText("after", EXAMPLES)
    .addHelpText(
      "after",
      "\nFinished federations are kept, whatever ends the command: the same command goes on with those that are missing.\n",
    )
    .action((simulation, options) => run(options, (context) => simulate(simulation, options, context)));
}

function createSimulateVerb() {
  return createVerb("simulate", HELP_GROUPS.done)
    .argument("<simulation>", "a YAML file, or the name of a simulation that comes with this program")
    .option(
      "-o, --output <folder>",
      "folder for the results (default: a folder beside the file, with its name)",
    )
    .option(
      "--workers <n>",
      "number of federations that run at once, each in a thread of its own",
      parseCount(1),
      availableParallelism(),
    )
    .option("--list", "show the federations that would be simulated, and simulate none")
    .option("--print", "print the file of the simulation, to make a changed one from it");
}

const EXAMPLES = formatExamples(
  ["isthmus federate simulate attacks", "six attacks on nine rules; results go to attacks/"],
  ["isthmus federate simulate dirichlet --print > mine.yaml", "start a simulation of your own from a copy"],
  ["isthmus federate simulate mine.yaml --list", "show what would be simulated"],
  ["isthmus federate simulate mine.yaml -o results --workers 8", "simulate what is missing"],
);

async function simulate(name: string, options: SimulateVerbOptions, context: Context): Promise<Outcome> {
  const file = await findDescribed("simulation", name);
  const description = await readSimulation(file.path);
  if (options.print) return { result: description, text: (await readTextFile(file.path)).trimEnd() };
  const folder = options.output ?? file.folder;
  if (options.list) return listFederations(description, folder, options);
  const provenance = describeCommand(["federate", "simulate", name], context);
  return runFederations({ description, folder }, options, { ...context, provenance });
}

async function planPorts({ engine }: SimulateVerbOptions) {
  return {
    engine: (await createEngine(engine)).name,
    openData: (name: string) => openDataSet(name),
  };
}

async function listFederations(
  description: SimulationDescription,
  folder: string,
  options: SimulateVerbOptions,
): Promise<Outcome> {
  const plan = await planSimulation(description, await planPorts(options));
  const { results, missing } = await listMissingFederations(plan, {
    read: (key) => readTaskResult(join(folder, TASKS), key),
  });
  const federations = missing.map(({ key, kind, label }) => ({ key, kind, label }));
  return {
    result: { missing: federations, kept: results.size, folder },
    text: formatMissing(missing, results.size),
  };
}

async function runFederations(
  { description, folder }: { readonly description: SimulationDescription; readonly folder: string },
  options: SimulateVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { signal, progress } = context;
  const work = { verb: "federate simulate", script: SIMULATION_WORKER, folder, context };
  return withExecutor(options, work, async (executor, tasks) => {
    const outcome = await runSimulation(description, {
      ...(await planPorts(options)),
      folder: tasks,
      ...{ executor, signal },
      onProgress: (at) => progress(formatTasks(at), at.done, () => formatTimeLeft(at)),
    });
    const { simulation, failures, ran, kept } = outcome;
    return simulation === undefined
      ? await describeFailures({ failures, ran, kept }, "federations")
      : await describeSimulation({ ...outcome, simulation }, folder, context);
  });
}

async function describeSimulation(
  { simulation, ran, kept }: RunSimulationResult & { readonly simulation: SimulationResult },
  folder: string,
  { provenance }: Context,
): Promise<Outcome> {
  const outputs = await saveDescribed({ ...simulation, provenance }, folder);
  return {
    result: { ...simulation, provenance, ran, kept, outputs },
    text: `${formatSimulation(simulation)}\n\n${ran} federations simulated, ${kept} there before\nWrote ${outputs.length} files to "${folder}"; to look at: ${outputs.find((path) => path.endsWith(".html"))}`,
  };
}
