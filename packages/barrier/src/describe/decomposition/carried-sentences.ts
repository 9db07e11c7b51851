import { formatNumber, formatShort, lossWords } from "@isthmus/findings";
import type { BarrierDecomposition } from "../../decomposition-result.ts";

/** Says how many examples carry how much of the excess, sentence by sentence. */
export function carriedSentences(decomposition: BarrierDecomposition): string[] {
  const { byExample, excess } = decomposition;
  const { rising, half, top, rise, fall } = byExample;
  const percent = (share: number) => `${formatShort(100 * share)} %`;
  const shares = top.map(({ share, ofExcess }) => `the highest ${percent(share)} carry ${percent(ofExcess)}`);
  return [
    ...(excess.loss > 0
      ? [`${percent(half)} of the examples carry half of the excess; ${shares.join(", ")}.`]
      : []),
    `For ${percent(rising)} of the examples the loss rises, which adds ${lossWords(decomposition).amount(rise)}; the others take ${formatNumber(fall)} from it.`,
  ];
}
