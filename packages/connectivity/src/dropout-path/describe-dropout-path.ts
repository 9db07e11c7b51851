import { factsOf, formatPlace, lossWords, type Report, type Table } from "@isthmus/findings";
import { describePaths, worstLossBetween } from "../path/describe-paths.ts";
import type { DropoutPathResult } from "./measure-dropout-path.ts";

/**
 * Says what a path through dropout-stable networks shows, beside the straight line and other paths.
 * @throws UsageError if one of them has fewer than two points
 */
export function describeDropoutPath(result: DropoutPathResult): Report {
  return {
    subject: "a path through networks without half of their units",
    summary: summarize(result),
    ...describePaths(result, {
      label: "through halved networks",
      origin: `half of the units were chosen by seed ${result.seed}`,
      tables: [segmentsTable(result)],
    }),
    facts: factsOf(result, [
      {
        name: "Units that stay",
        value:
          result.choice === "largest" ? "the largest half" : `the best of ${result.trials} halves at random`,
      },
      { name: "Rescaled", value: result.rescale === "fit" ? "to the least loss" : "by 2" },
    ]),
    notes: notesOf(result),
    data: result,
  };
}

function summarize(result: DropoutPathResult): string {
  const { path, line, bound, segments } = result;
  const losses = lossWords(result);
  const lines = `The path has ${segments.length} straight lines, and nothing was trained for it.`;
  const worst = `Its worst loss is ${losses.amount(path.loss.max)}, on the straight line it is ${losses.amount(line.loss.max)}.`;
  return `${worst} ${lines} The worst of both networks without half of their units has a loss of ${losses.amount(bound)}.`;
}

function notesOf({ order, mixed }: DropoutPathResult): readonly string[] {
  const guaranteed =
    "The loss on the path is at most the loss of the worst network without half of its units, as outputs change linearly where they change at all.";
  const not =
    "All layers lost their units on one line, as they are not computed one after the other: on this line nothing is guaranteed.";
  const combined = `Something combines the units of ${mixed.join(", ")}, as layer norm does, so that units change what others compute even where nothing reads them: nothing is guaranteed on any line.`;
  return [order === "layers" ? guaranteed : mixed.length > 0 ? combined : not];
}

function segmentsTable(result: DropoutPathResult): Table {
  const { segments, path } = result;
  return {
    name: "lines",
    title: "What is done on each line",
    caption: `Worst measured loss on each line, ${lossWords(result).inUnit}, its ends included.`,
    columns: [
      { title: "From t", kind: "place" },
      { title: "Step", kind: "text" },
      { title: "Outputs", kind: "text" },
      { title: "Worst loss", kind: "loss" },
    ],
    rows: segments.map(({ step, from, to, isChange }) => ({
      cells: [
        Number(formatPlace(from)),
        step,
        isChange ? "change" : "stay",
        worstLossBetween(path, from, to),
      ],
    })),
  };
}
