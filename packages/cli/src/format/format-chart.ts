import type { LayersResult } from "@isthmus/barrier";
import {
  type Drawable,
  type DrawableResult,
  formatBarrier,
  isNamedBarriers,
  renderLayersChart,
} from "@isthmus/report";
import type { Terminal } from "../terminal/terminal.ts";
import { formatBar } from "./format-bar.ts";
import { formatTable } from "./format-table.ts";

/** What a terminal can show. */
export type Screen = Pick<Terminal, "columns" | "unicode" | "color">;

/** The charts of results that a terminal shows, and the tables beside the first one. */
interface Shown<R> {
  /** Draws the chart; an empty text if there is nothing to draw. */
  readonly chart: (result: R, screen: Screen) => string;
  /** Names of further tables of its page. @defaultValue none */
  readonly tables?: readonly string[];
}

const SHOWN: { readonly [K in DrawableResult["kind"]]?: Shown<Extract<DrawableResult, { kind: K }>> } = {
  layers: { chart: formatLayersChart, tables: ["predictions", "robustness", "groups"] },
};

/** Returns what a terminal shows of a result beside its words and its first table. */
export function shownOf(result: Drawable): Shown<Drawable> | undefined {
  // The function of a kind takes the results of that kind.
  return isNamedBarriers(result) ? undefined : (SHOWN[result.kind] as Shown<Drawable> | undefined);
}

/** Cells of the longest bar. */
const BAR_WIDTH = 16;
/** Rows of a chart of lines, axis and legend aside. */
const CHART_HEIGHT = 9;
/** Columns beyond which a chart only gets coarser to read. */
const MOST_COLUMNS = 90;

function charsetOf({ unicode }: Screen): "braille" | "ascii" {
  return unicode ? "braille" : "ascii";
}

/** Draws the barriers of layers as bars, and the ones of growing sets of layers as lines. */
function formatLayersChart(result: LayersResult, screen: Screen): string {
  const { layers, whole } = result;
  const all = whole.wholeEndpoints.loss;
  const full = Math.max(...[...layers.map(({ barrier }) => barrier.loss), all].filter(Number.isFinite));
  const bar = (value: number) => formatBar(value, { full, width: BAR_WIDTH, unicode: screen.unicode });
  const rows = layers.map(({ group, a, b, barrier }) => {
    const halfway = [a, b].map(({ wholeEndpoints }) => formatBarrier(wholeEndpoints.loss, "loss"));
    return [group, ...halfway, bar(barrier.loss)];
  });
  const bars = formatTable(
    [
      { title: "layer" },
      { title: "in A", align: "right" },
      { title: "in B", align: "right" },
      { title: "barrier" },
    ],
    [...rows, ["all at once", "", "", bar(all)]],
  );
  const lines = renderLayersChart(result, {
    width: Math.min(screen.columns, MOST_COLUMNS),
    height: CHART_HEIGHT,
    charset: charsetOf(screen),
    color: screen.color,
  });
  return [bars, lines, ...rankWords(result)].filter((part) => part !== "").join("\n\n");
}

/** Says how well predicted barriers rank the measured ones; nothing if none were predicted. */
function rankWords({ predictions }: LayersResult): string[] {
  if (predictions === undefined) return [];
  const { rankCorrelation: rank } = predictions;
  return [
    `Rank correlation of predicted and measured barriers of layers: ${Number.isNaN(rank) ? "not defined" : rank.toFixed(2)}`,
  ];
}
