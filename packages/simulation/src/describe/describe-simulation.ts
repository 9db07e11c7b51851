import { factsOf, formatCounted, type Report } from "@isthmus/findings";
import type { SimulationResult } from "../result/simulation-result.ts";
import { summarizeRuns } from "../result/summarize-runs.ts";
import { scoreWords } from "./score-words.ts";
import { attackHeat, barrierBars, fairnessBars, partitionStacks, scoreLines } from "./simulation-figures.ts";
import { barriersTable, normsTable, partitionTable, roundsTable, scoreTable } from "./simulation-tables.ts";

/** Describes the results of simulated federations as a report. */
export function describeSimulation(result: SimulationResult): Report {
  const { description, federation, runs, seeds, engine } = result;
  const summaries = summarizeRuns(result);
  const barriers = barrierBars(result);
  const words = scoreWords(result);
  return {
    subject: "simulation",
    summary: description === "" ? `${formatCounted(runs.length, "federation")} simulated.` : description,
    tiles: [],
    sections: [
      {
        name: `section-${words.name}`,
        title: words.title,
        figures: [...attackHeat(result, summaries), ...fairnessBars(result, summaries)],
        tables: [scoreTable(summaries, words), ...normsTable(summaries, words)],
      },
      {
        name: "section-rounds",
        title: "Rounds and bytes",
        figures: [...scoreLines(result, "rounds"), ...scoreLines(result, "bytes")],
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
