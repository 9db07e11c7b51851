import type { PlacePlot, PlaceSeries } from "@isthmus/findings";
import { frameOf, horizontalAxis, verticalAxis } from "./axes.ts";
import type { Drawing } from "./drawing.ts";
import { type Label, labelMark } from "./labels.ts";
import { layOutLegend, legendMarks } from "./legend.ts";
import { curveStyle } from "./palette.ts";

const MARGIN = { right: 20, bottom: 46, left: 52, top: 10 } as const;
/** Height of the frame relative to its width. */
const ASPECT = 0.85;
/** Distance, as a share of the radius, below which points count as one place with one label. */
const SAME = 1e-3;

/** Draws points in the plane around the origin, with the same scale on both axes. */
export function drawPlaces({ series, radius, label }: PlacePlot): Drawing {
  return (plot, width) => {
    const inner = width - MARGIN.left - MARGIN.right;
    const legend = layOutLegend(
      series.map((one) => one.label),
      inner,
    );
    const marginTop = MARGIN.top + legend.height;
    const x = [-radius / ASPECT, radius / ASPECT] as const;
    const y = [-radius, radius] as const;
    const points = series.flatMap((one) => one.points);
    return {
      ...frameOf(width, Math.round(marginTop + MARGIN.bottom + inner * ASPECT), {
        ...MARGIN,
        top: marginTop,
      }),
      x: { domain: [...x] },
      y: { domain: [...y] },
      marks: [
        ...verticalAxis(plot, { label: "", beside: true }, y),
        ...horizontalAxis(plot, { label }, x, { count: width < 400 ? 4 : 6, grid: true }),
        plot.frame({ stroke: "var(--isthmus-grid)" }),
        ...series.flatMap((one, index) => {
          const { color, symbol } = curveStyle(index);
          return plot.dot(one.points, {
            x: "x",
            y: "y",
            r: index === 0 ? 4.5 : 6.5,
            symbol,
            fill: color,
            fillOpacity: 0.85,
            stroke: "var(--isthmus-background)",
            strokeWidth: 1.25,
            title: "name",
          });
        }),
        labelMark(labelsOf(points, radius), { avoid: points }),
        ...series.flatMap((_, index) =>
          legendMarks(plot, { ...curveStyle(index), filled: true }, legend.items[index]),
        ),
      ],
    };
  };
}

/** Names places; points on one place share a label. */
function labelsOf(points: PlaceSeries["points"], radius: number): Label[] {
  const places: { readonly x: number; readonly y: number; readonly names: string[] }[] = [];
  for (const { name, x, y } of points) {
    const place = places.find((one) => Math.hypot(one.x - x, one.y - y) <= SAME * radius);
    if (place === undefined) places.push({ x, y, names: [name] });
    else place.names.push(name);
  }
  return places.map(({ x, y, names }) => ({ places: [{ x, y }], text: names.join(", "), important: true }));
}
