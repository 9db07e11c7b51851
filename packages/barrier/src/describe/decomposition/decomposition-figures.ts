import { dataWords, type Figure, formatNumber, formatShare, lossWords } from "@isthmus/findings";
import type { BarrierDecomposition, LossAndError, PartExcess } from "../../decomposition-result.ts";
import { ALL_PARTS } from "./decomposition-tables.ts";

/** Losses and errors for both networks. */
interface Both {
  readonly a: LossAndError;
  readonly b: LossAndError;
}

const meanLoss = ({ a, b }: Both) => (a.loss + b.loss) / 2;

/** Says on which examples the losses were measured, and whether they are with temperature. */
function measuredWords({ data, examples, tempered }: BarrierDecomposition): string {
  const losses = tempered ? " All losses are with a temperature fitted to each network." : "";
  return `${losses} Measured on ${dataWords(data, examples)}.`;
}

/** Makes the figures of the cost of averaging each part alone, and of putting it back alone. */
export function partFigures(decomposition: BarrierDecomposition): Figure[] {
  const { parts, excess } = decomposition;
  const losses = lossWords(decomposition);
  const sum = parts.reduce((total, { averaged }) => total + meanLoss(averaged), 0);
  const averaged = barsOf(parts, (part) => part.averaged, ["in A", "in B"]);
  const putBack = barsOf(parts, (part) => part.putBack, ["to A", "to B"]);
  return [
    {
      name: "parts-averaged",
      title: "What averaging one part adds",
      caption: `to the loss of A (circle) and of B (diamond), whose other parts stay; the bar is the mean of both marks. One by one they add up to ${losses.amount(sum)}; all at once cost ${formatNumber(excess.loss)} above the mean of A and B.${measuredWords(decomposition)}`,
      words: `Bars of the loss that averaging one part adds, ${losses.inUnit}. ${averaged.words}; ${ALL_PARTS} ${formatNumber(excess.loss)}.`,
      table: "parts",
      size: "hero",
      plot: {
        kind: "bars",
        rows: [...parts.map(({ part }) => part), ALL_PARTS],
        series: ["one part: mean of marks", ALL_PARTS],
        bars: [...averaged.bars, { row: ALL_PARTS, series: 1, value: excess.loss }],
        points: averaged.points,
        axis: { label: losses.axis("Added loss") },
        single: true,
      },
    },
    {
      name: "parts-put-back",
      title: "What putting one part back adds",
      caption: `to the loss of the average of all parts: to A (circle) and to B (diamond); the bar is the mean of both marks. Below 0 the average is better for it; above 0 the part fits the averages of the others better than that of either network does.${measuredWords(decomposition)}`,
      words: `Bars of the loss that putting one part back adds to the midpoint, ${losses.inUnit}. ${putBack.words}.`,
      table: "parts",
      size: "hero",
      plot: {
        kind: "bars",
        rows: parts.map(({ part }) => part),
        series: ["one part: mean of marks"],
        bars: putBack.bars,
        points: putBack.points,
        axis: { label: losses.axis("Added loss") },
        single: true,
      },
    },
  ];
}

/**
 * Makes a bar of the mean of both networks for each part, marks for each network, and a description of the
 * bars in words.
 */
function barsOf(
  parts: readonly PartExcess[],
  of: (part: PartExcess) => Both,
  [inA, inB]: readonly [string, string],
) {
  const marks = (label: string, network: "a" | "b") => ({
    label,
    values: parts.map((part) => ({ row: part.part, value: of(part)[network].loss })),
  });
  return {
    bars: parts.map((part) => ({ row: part.part, series: 0, value: meanLoss(of(part)) })),
    points: [marks(inA, "a"), marks(inB, "b")],
    words: parts.map((part) => `${part.part} ${formatNumber(meanLoss(of(part)))}`).join("; "),
  };
}

/** Makes the figure of the part of the excess that the examples carry, in the order of falling excess. */
export function exampleFigure(decomposition: BarrierDecomposition): Figure {
  const { byExample, excess } = decomposition;
  const losses = lossWords(decomposition);
  const told = carriedSentences(decomposition).join(" ");
  return {
    name: "examples",
    title: "Which examples carry the excess:",
    caption: `what the examples up to a share of them add to the mean excess, the highest first; a straight line would be all alike. ${told}${measuredWords(decomposition)}`,
    words: `Line of the excess, ${losses.inUnit}, over the share of the examples that carry it. ${told}`,
    table: "example-shares",
    size: "hero",
    plot: {
      kind: "lines",
      series: [
        {
          label: "highest excess first",
          points: byExample.cumulative.map(({ share, excess: y }) => ({ x: share, y })),
        },
        {
          label: "all alike",
          points: [0, 1].map((share) => ({ x: share, y: share * excess.loss })),
        },
      ],
      x: { label: "Share of the examples (%)", percent: true, domain: [0, 1] },
      y: { label: losses.axis("Excess they add"), fromZero: true },
    },
  };
}

/** Says how many examples carry how much of the excess, sentence by sentence. */
export function carriedSentences(decomposition: BarrierDecomposition): string[] {
  const { byExample, excess } = decomposition;
  const { rising, half, top, rise, fall } = byExample;
  const shares = top.map(
    ({ share, ofExcess }) => `the highest ${formatShare(share)} carry ${formatShare(ofExcess)}`,
  );
  return [
    ...(excess.loss > 0
      ? [`${formatShare(half)} of the examples carry half of the excess; ${shares.join(", ")}.`]
      : []),
    `For ${formatShare(rising)} of the examples the loss rises, which adds ${lossWords(decomposition).amount(rise)}; the others take ${formatNumber(fall)} from it.`,
  ];
}
