import { BARRIER_RESULT, type ComparedBarrierResult } from "@isthmus/barrier";
import type { Figure } from "@isthmus/findings";
import type { DrawnFigure } from "./lab-requests.ts";

/**
 * Draws the figures of a barrier as the command draws them, for light and dark pages.
 * @param script - address of the script that draws, which is loaded when it is first needed
 * @param isNarrow - whether all figures are drawn in the narrow one of their two widths, to be read on a small screen
 */
export async function drawFigures(
  result: ComparedBarrierResult,
  script: string,
  isNarrow: boolean,
): Promise<DrawnFigure[]> {
  const { renderFigure }: typeof import("./report-figure.ts") = await import(script);
  const figures = BARRIER_RESULT.describe(result).sections.flatMap((section) => section.figures);
  const sized = isNarrow ? figures.map((figure): Figure => ({ ...figure, size: "half" })) : figures;
  return Promise.all(
    sized.map(async (figure) => ({
      name: figure.name,
      description: figure.words,
      light: (await renderFigure(figure, { theme: "light" })).svg,
      dark: (await renderFigure(figure, { theme: "dark" })).svg,
    })),
  );
}
