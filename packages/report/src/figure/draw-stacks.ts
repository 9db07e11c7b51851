import { at } from "@isthmus/core";
import { fitText, type StackPlot, textWidth } from "@isthmus/findings";
import { frameOf, horizontalAxis } from "./axes.ts";
import type { Drawing } from "./drawing.ts";
import { layOutLegend, legendMarks } from "./legend.ts";
import { rampColor } from "./ramp.ts";

const BAR = 15;
const MARGIN = { top: 10, right: 24, bottom: 46 } as const;
/** Maximum share of the width for names of rows. */
const NAME_SHARE = 0.3;

/** Draws stacked bars in rows: each row shows the amounts of all parts. */
export function drawStacks({ rows, parts, values, axis }: StackPlot): Drawing {
  const pieces = rows.flatMap((row, i) => {
    const ofRow = at(values, i, "row");
    let end = 0;
    return parts.flatMap((part, k) => {
      const begin = end;
      end += at(ofRow, k, "part");
      return end > begin ? [{ row, part, begin, end, color: colorOf(k, parts.length) }] : [];
    });
  });
  const domain: [number, number] = [0, Math.max(1, ...pieces.map(({ end }) => end))];
  return (plot, width) => {
    const marginLeft = Math.min(Math.max(24, ...rows.map(textWidth)) + 16, width * NAME_SHARE);
    const legend = layOutLegend(parts, width - marginLeft - MARGIN.right);
    const marginTop = MARGIN.top + legend.height;
    return {
      ...frameOf(width, marginTop + MARGIN.bottom + rows.length * BAR, {
        ...MARGIN,
        top: marginTop,
        left: marginLeft,
      }),
      x: { domain },
      y: { domain: [...rows], padding: 0.15, axis: null },
      marks: [
        ...horizontalAxis(plot, axis, domain, { count: width < 400 ? 3 : 6, grid: true }),
        plot.axisY({
          anchor: "left",
          label: null,
          tickSize: 0,
          tickFormat: (name: string) => fitText(name, marginLeft - 12),
          fill: "var(--isthmus-text)",
        }),
        plot.barX(pieces, {
          y: "row",
          x1: "begin",
          x2: "end",
          fill: "color",
          stroke: "var(--isthmus-background)",
          strokeWidth: 0.5,
          title: ({ row, part, begin, end }: (typeof pieces)[number]) => `${row}, ${part}: ${end - begin}`,
        }),
        ...parts.flatMap((_, k) =>
          legendMarks(
            plot,
            { color: colorOf(k, parts.length), symbol: "square", filled: true },
            legend.items[k],
          ),
        ),
      ],
    };
  };
}

/**
 * Returns the colour of a part; neighbouring parts are far apart on the ramp, so that they can be told apart.
 */
function colorOf(part: number, count: number): string {
  if (count < 2) return rampColor(0.5);
  const half = Math.ceil(count / 2);
  const place = part % 2 === 0 ? part / 2 : half + (part - 1) / 2;
  return rampColor(place / (count - 1));
}
