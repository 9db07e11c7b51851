import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { openDataSet } from "@isthmus/data";
import {
  listMissingFederations,
  planSimulation,
  readSimulation,
  runSimulation,
  type SimulationResult,
} from "@isthmus/simulation";
import { formatSimulation } from "../../federate/format-simulation.ts";
import { addEngineOption } from "../../options/engine-option.ts";
import { addQueueOptions } from "../../options/queue-options.ts";
import { findDescribed } from "../../study/find-described.ts";
import {
  addShowOptions,
  createDescribedVerb,
  type Described,
  type DescribedOptions,
  runDescribed,
} from "../../study/run-described.ts";
import { type Context, formatExamples, type Outcome, type RunVerb } from "../../verb.ts";

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
  const list = "the federations that would be simulated, and simulate none";
  return addShowOptions(createDescribedVerb("simulate", "simulation", "federations"), "simulation", list);
}

const EXAMPLES = formatExamples(
  ["isthmus federate simulate attacks", "six attacks on nine rules; results go to attacks/"],
  ["isthmus federate simulate dirichlet --print > mine.yaml", "start a simulation of your own from a copy"],
  ["isthmus federate simulate mine.yaml --list", "show what would be simulated"],
  ["isthmus federate simulate mine.yaml -o results --workers 8", "simulate what is missing"],
);

async function simulate(name: string, options: DescribedOptions, context: Context): Promise<Outcome> {
  const file = await findDescribed("simulation", name);
  const description = await readSimulation(file.path);
  const openData = (data: string) => openDataSet(data);
  const work: Described<SimulationResult> = {
    file,
    printed: description,
    words: ["federate", "simulate", name],
    device: description.device,
    verb: "federate simulate",
    sort: "simulation",
    tasks: "federations",
    format: formatSimulation,
    formatCounts: (ran, finished) => `${ran} federations simulated, ${finished} there before`,
    missing: async (engine, store) =>
      listMissingFederations(await planSimulation(description, { engine, openData }), store),
    async run(engine, running) {
      const { simulation: result, ...run } = await runSimulation(description, {
        engine,
        openData,
        ...running,
      });
      return { ...run, result };
    },
  };
  return runDescribed(work, options, context);
}
