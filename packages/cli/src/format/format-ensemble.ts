import type { EnsembleResult } from "@isthmus/ensemble";
import { formatNumber, formatShort } from "@isthmus/findings";
import { formatPredictors } from "./format-predictors.ts";
import { formatPairs, formatTable } from "./format-table.ts";

/** Formats ways to predict by several networks as text. */
export function formatEnsemble(result: EnsembleResult): string {
  const { predictors, greedy, others, data, examples, recalibrated } = result;
  const pairs: [string, string][] = [["predicted", describe({ data, examples })]];
  others.forEach((other, i) => {
    pairs.push([others.length === 1 ? "other data" : `other data ${i + 1}`, describe(other)]);
  });
  if (greedy) pairs.push(["chosen on", describe(greedy)]);
  if (recalibrated) pairs.push(["batch norms", "of the mean of weights measured anew"]);
  return [formatPredictors(predictors), ...(greedy ? [formatChoice(greedy)] : []), formatPairs(pairs)].join(
    "\n\n",
  );
}

const describe = ({ data, examples }: { readonly data: string; readonly examples: number }): string =>
  `${data}, ${examples.toLocaleString("en-US")} examples`;

function formatChoice({ chosen, diversity, members }: NonNullable<EnsembleResult["greedy"]>): string {
  const table = formatTable(
    [
      { title: "chosen greedily" },
      ...["NLL", "likeness", "ensemble NLL"].map((title) => ({ title, align: "right" as const })),
    ],
    chosen.map(({ network, nll, likeness, ensembleNll }) => [
      network,
      ...[nll, likeness, ensembleNll].map(formatNumber),
    ]),
  );
  return `${table}
each has the least sum of NLL and likeness; likeness is log sum exp(-${formatShort(diversity)} / ${members} d) over the squared distances d of its probabilities from the networks before, higher the more alike they are`;
}
