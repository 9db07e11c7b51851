import { type BarrierResult, measureBarrier } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { dataContext, openExamples } from "@isthmus/zoo";
import type { Handling } from "../protocol.ts";
import { commandOf } from "./commands.ts";
import { drawFigures } from "./draw-figures.ts";
import type { LabRequests, Line } from "./lab-requests.ts";
import type { AlignedPair } from "./pairs.ts";

/** The page's own digits, as commands name them. */
const OWN_DIGITS = /^mnist:test(?:@(\d+))?$/;

/** Opens examples by their name: of the given files, or the page's own digits. */
export async function openData(
  name: string,
  architecture: AlignedPair["architecture"],
  digits: () => Promise<DataSet>,
): Promise<DataSet> {
  const own = OWN_DIGITS.exec(name);
  if (own === null) return openExamples(name, dataContext(architecture));
  const all = await digits();
  const [, count] = own;
  return count === undefined ? all : limitExamples("measure a barrier", all, Number(count));
}

/**
 * Measures the lines from A to B as it was given, and to the aligned B.
 * @param choice - what is measured, with the address of the script that draws its figures
 */
export async function measureLines(
  { architecture, second }: AlignedPair,
  data: DataSet,
  choice: LabRequests["lab.barrier"]["params"] & { readonly figures: string },
  { signal, report }: Handling<LabRequests["lab.barrier"]["progress"]>,
): Promise<LabRequests["lab.barrier"]["result"]> {
  const began = performance.now();
  const [a, b] = [0, 1].map((index) => at(architecture.networks, index, "network").network);
  if (a === undefined || b === undefined) throw new TypeError("Cannot measure as there must be two networks");
  const measure = (aligned: boolean): Promise<BarrierResult> =>
    measureBarrier(architecture, [a, aligned ? second.network : b], data, {
      points: choice.points,
      signal,
      onProgress: ({ done, point }) =>
        report({ done: (Number(aligned) + done) / 2, stage: "Measuring", aligned, place: point }),
    });
  const [before, after] = [await measure(false), await measure(true)];
  const { a: first, b: other, graph, data: name, points } = choice;
  return {
    before: lineOf(before),
    after: lineOf(after),
    figures: await drawFigures({ ...after, asGiven: before }, choice.figures, choice.isNarrow),
    seconds: (performance.now() - began) / 1000,
    command: commandOf(
      ...["barrier", first, other, "--graph", graph, "--data", name, "--align", "--compare"],
      ...(points === 25 ? [] : ["--points", String(points)]),
    ),
  };
}

function lineOf({ points, barrier }: BarrierResult): Line {
  return { places: points.map(({ t, loss, error }) => ({ t, loss, error })), barrier: barrier.loss.chord };
}
