import { formatNumber, formatShare, lossWords } from "@isthmus/findings";
import type { BarrierDecomposition } from "../../decomposition-result.ts";

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
