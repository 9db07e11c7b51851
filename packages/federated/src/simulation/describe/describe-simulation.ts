import { factsOf, formatCounted, type Report } from "@isthmus/findings";
import type { SimulationResult } from "../result/simulation-result.ts";
import { summarizeRuns } from "../result/summarize-runs.ts";
import {
  accuracyLines,
  attackHeat,
  barrierBars,
  fairnessBars,
  partitionStacks,
} from "./simulation-figures.ts";
import {
  accuracyTable,
  barriersTable,
  normsTable,
  partitionTable,
  roundsTable,
} from "./simulation-tables.ts";

/** Says what simulated federations came to. */
export function describeSimulation(result: SimulationResult): Report {
  const { description, federation, runs, seeds, engine } = result;
  const summaries = summarizeRuns(result);
  const barriers = barrierBars(result);
  return {
    subject: "simulation",
    summary: description === "" ? `${formatCounted(runs.length, "federation")} simulated.` : description,
    tiles: [],
    sections: [
      {
        name: "section-accuracy",
        title: "Accuracy",
        figures: [...attackHeat(result, summaries), ...fairnessBars(result, summaries)],
        tables: [accuracyTable(summaries), ...normsTable(summaries)],
      },
      {
        name: "section-rounds",
        title: "Rounds and bytes",
        figures: [...accuracyLines(result, "rounds"), ...accuracyLines(result, "bytes")],
        tables: [roundsTable(result)],
      },
      ...(barriers.length === 0
        ? []
        : [
            {
              name: "section-barriers",
              title: "Barriers between clients",
              figures: barriers,
              tables: [barriersTable(result)],
            },
          ]),
      {
        name: "section-partitions",
        title: "Who has which examples",
        figures: partitionStacks(result),
        tables: [partitionTable(result)],
      },
    ],
    facts: factsOf({ engine }, [
      { name: "Network", value: federation.net },
      { name: "Examples", value: `${federation.data}, evaluated on ${federation.evaluate}` },
      { name: "Clients", value: String(federation.clients) },
      { name: "Rounds", value: String(federation.rounds) },
      { name: "Federations", value: String(runs.length) },
      { name: "Seeds", value: seeds.join(", ") },
    ]),
    data: result,
  };
}
