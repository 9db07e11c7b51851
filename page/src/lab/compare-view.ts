import { draw, make } from "../shell/dom.ts";
import type { Compared, ComparedPair } from "../worker/lab/lab-requests.ts";
import { showFinding } from "./finding.ts";
import { formatNumber, formatPercent, formatSeconds } from "./format.ts";
import type { ShownResult } from "./step.ts";
import { makeTable } from "./table.ts";

/** Size of the picture of distances. */
const WIDTH = 640;
const HEIGHT = 120;

/** Most bars of the picture; more tensors are joined. */
const MOST_BARS = 160;

/** Distance of networks that have nothing in common. */
const STRANGERS = Math.SQRT2;

/**
 * Shows a comparison: the verdict, its reasons, the distances by depth.
 * @param toAlign - leads to the step that aligns networks
 */
export function showComparison(
  { verdict, meaning, confidence, sampled, pairs, findings, advice, tree, seconds }: Compared,
  toAlign: () => void,
): ShownResult {
  const read = sampled < 1 ? ` ${(100 * sampled).toPrecision(2)} % of all numbers were read.` : "";
  const rows = pairs.map(({ a, b, verdict: judged, distance, cosine, kinship }) => [
    `${a} and ${b}`,
    judged,
    formatNumber(distance),
    formatNumber(cosine),
    formatNumber(kinship),
  ]);
  return {
    say: `${verdict[0]?.toUpperCase()}${verdict.slice(1)}: ${meaning} (${formatPercent(confidence)} sure, in ${formatSeconds(seconds)}).${read}`,
    nodes: [
      ...findings.map((finding) => showFinding(finding, toAlign)),
      make("p", { class: "advice" }, make("b", {}, `Advice: ${advice.way}. `), `${advice.reason}.`),
      ...showText("The advised recipe", advice.recipe === null ? [] : [advice.recipe]),
      ...showText("Which was trained from which", tree),
      ...pairs.slice(0, 3).flatMap(drawDistances),
      makeTable(
        "Pairs of networks",
        ["Networks", "Verdict", ">Distance", ">Cosine", ">Kinship"],
        rows,
        "pair",
      ),
      ...pairs.slice(0, 1).map(listDistances),
    ],
  };
}

/** Makes a title that opens preformatted lines of text; makes nothing if there are no lines. */
function showText(title: string, lines: readonly string[]): HTMLElement[] {
  if (lines.length === 0) return [];
  return [make("details", {}, make("summary", {}, title), make("pre", {}, lines.join("\n")))];
}

function drawDistances({ a, b, tensors, evidence }: ComparedPair): HTMLElement[] {
  const distances = tensors.map(({ distance }) => distance ?? 0);
  if (distances.length === 0) return [];
  const each = Math.ceil(distances.length / MOST_BARS);
  const bars = Array.from({ length: Math.ceil(distances.length / each) }, (_, bar) =>
    Math.max(...distances.slice(bar * each, (bar + 1) * each)),
  );
  const top = Math.max(STRANGERS * 1.1, ...bars);
  const y = (distance: number) => HEIGHT - (distance / top) * HEIGHT;
  const step = WIDTH / bars.length;
  const svg = draw(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "distances" },
    ...bars.map((distance, bar) =>
      draw("rect", {
        x: (bar + 0.12) * step,
        width: 0.76 * step,
        y: y(distance),
        height: Math.max(HEIGHT - y(distance), 0.5),
      }),
    ),
    draw("line", { x1: 0, x2: WIDTH, y1: y(STRANGERS), y2: y(STRANGERS) }),
  );
  svg.setAttribute(
    "aria-label",
    `Distance between ${a} and ${b}, tensor by tensor, from the first to the last: from ${formatNumber(Math.min(...bars))} to ${formatNumber(Math.max(...bars))}`,
  );
  return [
    make(
      "figure",
      { class: "depth" },
      make(
        "figcaption",
        {},
        make("b", {}, `Distance by depth`),
        make("span", {}, `${a} and ${b}; the line is the distance of strangers, √2`),
      ),
      svg,
      make("p", { class: "small" }, `${evidence}.`),
    ),
  ];
}

function listDistances({ a, b, tensors }: ComparedPair): HTMLElement {
  const rows = tensors.map(({ name, distance }) => [name, formatNumber(distance)]);
  return make(
    "details",
    {},
    make("summary", {}, "Distances of all tensors"),
    makeTable(`Distances between ${a} and ${b}`, ["Tensor", ">Distance"], rows, "tensor"),
  );
}
