import { at, UsageError } from "@isthmus/core";
import {
  dataWords,
  type Figure,
  formatCounted,
  formatNumber,
  type LineSeries,
  type Section,
  type Table,
} from "@isthmus/findings";
import type { CurvatureResult } from "../curvature-result.ts";
import type { CurvatureKind } from "../operators/operator-options.ts";
import type { ComputedEigenvalue } from "../ritz-pairs.ts";
import type { SpectralDensity } from "../spectral-density.ts";

/** Names of matrices in sentences. */
export const OPERATOR_WORDS: Readonly<Record<CurvatureKind, string>> = {
  hessian: "Hessian",
  "gauss-newton": "Gauss-Newton matrix",
  "sampled-gauss-newton": "sampled Gauss-Newton matrix",
  "empirical-fisher": "empirical Fisher information",
  kfac: "KFAC matrix",
  ekfac: "EKFAC matrix",
};

/** Indices of curves, which decide the colours of the density and of both ends of the spectrum. */
export const CURVATURE_STYLES = { density: 0, largest: 1, smallest: 2 } as const;

type Spectrum = NonNullable<CurvatureResult["eigenvalues"]>;

/** Both ends of the spectrum. */
const ENDS = ["largest", "smallest"] as const;

/** Fraction of the height of one eigenvalue's Gaussian at which the axis of a density ends. */
const LOWEST_PART = 0.01;
/** Bounds of that end of the axis, as fractions of the highest density. */
const FLOORS = { least: 1e-12, most: 0.1 } as const;

/** Density in the form in which a figure shows it. */
interface DrawnDensity {
  readonly places: readonly { readonly x: number; readonly y: number }[];
  readonly peak: { readonly x: number; readonly y: number };
  /** Lower end of the axis. */
  readonly floor: number;
}

/**
 * Describes the density of all eigenvalues, and marks the computed eigenvalues on it; returns no section if
 * the result has no density.
 * @throws UsageError if no value of the density is above 0
 */
export function densitySection(result: CurvatureResult): Section[] {
  const { density } = result;
  if (density === undefined) return [];
  const drawn = drawnDensity(density, result.dimension);
  return [
    {
      name: "density",
      title: "Density of all eigenvalues",
      figures: [densityFigure(result, density, drawn)],
      tables: [
        {
          name: "density",
          title: "Density of all eigenvalues",
          caption: `Its integral is 1. Standard deviation of the Gaussians: ${formatNumber(density.width)}.`,
          columns: [
            { title: "Eigenvalue", kind: "number" },
            { title: "Density", kind: "number" },
          ],
          rows: drawn.places.map(({ x, y }) => ({ cells: [x, y] })),
          fixed: true,
        },
      ],
    },
  ];
}

function drawnDensity({ range, density, width }: SpectralDensity, dimension: number): DrawnDensity {
  const [begin, end] = range;
  const last = Math.max(1, density.length - 1);
  const places = density.map((y, index) => ({ x: begin + (index / last) * (end - begin), y }));
  const [peak] = places.toSorted((one, other) => other.y - one.y);
  if (!peak || !(peak.y > 0)) {
    throw new UsageError(
      `Cannot draw the density of eigenvalues as one of its values must be above 0: of ${density.length} none is`,
    );
  }
  const single = 1 / (dimension * width * Math.sqrt(2 * Math.PI));
  const floor = Math.min(FLOORS.most * peak.y, Math.max(FLOORS.least * peak.y, LOWEST_PART * single));
  return { places, peak, floor };
}

function densityFigure(result: CurvatureResult, density: SpectralDensity, drawn: DrawnDensity): Figure {
  const { places, peak, floor } = drawn;
  const { eigenvalues, operator } = result;
  const marked = eigenvalues !== undefined && hasValues(eigenvalues);
  const marks = marked ? " Marks are eigenvalues that were computed by themselves, on the line." : "";
  const matrix = OPERATOR_WORDS[operator];
  return {
    name: "density",
    title: `Density of the eigenvalues of the ${matrix},`,
    caption: `estimated from ${formatCounted(density.runs, "random vector")} (seed ${result.seed}), every eigenvalue seen as a Gaussian of standard deviation ${formatNumber(density.width)}. The axis ends where there is less than a hundredth of one eigenvalue.${marks} Measured on ${dataWords(result.data, result.examples)}.`,
    words:
      `A line of the density of eigenvalues from ${formatNumber(density.range[0])} to ${formatNumber(density.range[1])}, highest at ${formatNumber(peak.x)}. ${eigenvalues ? endWords(eigenvalues) : ""}`.trim(),
    table: "density",
    size: "hero",
    plot: {
      kind: "lines",
      series: [
        { label: "density", style: CURVATURE_STYLES.density, points: aboveFloor(drawn) },
        ...(eigenvalues
          ? seriesOf(eigenvalues, ({ value }) => ({
              x: value,
              y: Math.max(floor, densityAt(value, places)),
            }))
          : []),
      ],
      x: { label: "Eigenvalue" },
      y: { label: "Density", scale: "log", domain: [floor, Math.min(2 * peak.y, Number.MAX_VALUE)] },
    },
  };
}

/** Cuts the line of a density off at the lower end of the axis. */
function aboveFloor({ places, floor }: DrawnDensity): LineSeries["points"] {
  const isAbove = (index: number) => (places[index]?.y ?? floor) > floor;
  return places.map(({ x, y }, index) => {
    if (y > floor) return { x, y };
    return { x, y: isAbove(index - 1) || isAbove(index + 1) ? floor : Number.NaN };
  });
}

/** Returns the density at a place, on the straight line between its neighbours; 0 beyond the ends. */
function densityAt(place: number, places: DrawnDensity["places"]): number {
  const next = places.findIndex(({ x }) => x >= place);
  if (next < 1) return 0;
  const [left, right] = [at(places, next - 1, "place"), at(places, next, "place")];
  return left.y + ((place - left.x) / (right.x - left.x)) * (right.y - left.y);
}

/** Makes a series of each end that has eigenvalues; the first of an end has rank 1. */
function seriesOf(
  eigenvalues: Spectrum,
  placeOf: (eigenvalue: ComputedEigenvalue, rank: number) => LineSeries["points"][number],
  joined = false,
): LineSeries[] {
  return ENDS.filter((end) => eigenvalues[end].length > 0).map((end) => ({
    label: `${end} eigenvalues`,
    style: CURVATURE_STYLES[end],
    joined,
    points: eigenvalues[end].map((eigenvalue, index) => placeOf(eigenvalue, index + 1)),
  }));
}

const hasValues = (eigenvalues: Spectrum): boolean => ENDS.some((end) => eigenvalues[end].length > 0);

function endWords(eigenvalues: Spectrum): string {
  const words = ENDS.flatMap((end) => {
    const [first] = eigenvalues[end];
    return first ? [`the ${end} eigenvalue is ${formatNumber(first.value)}`] : [];
  });
  return words.length === 0 ? "" : `At the ends, ${words.join(", ")}.`;
}

/** Describes the eigenvalues at both ends of the spectrum; returns no section if the result has none. */
export function eigenvaluesSection(result: CurvatureResult): Section[] {
  const { eigenvalues } = result;
  if (eigenvalues === undefined || !hasValues(eigenvalues)) return [];
  return [
    {
      name: "eigenvalues",
      title: "Eigenvalues at both ends",
      figures: [eigenvaluesFigure(eigenvalues, result)],
      tables: [eigenvaluesTable(eigenvalues)],
    },
  ];
}

type Eigenvalues = NonNullable<CurvatureResult["eigenvalues"]>;

function eigenvaluesFigure(
  eigenvalues: Eigenvalues,
  { operator, data, examples, seed }: CurvatureResult,
): Figure {
  const { converged } = eigenvalues;
  const bands = converged ? "" : " Bands reach as far as the residuals: not all values have converged.";
  return {
    name: "eigenvalues",
    title: `Eigenvalues of the ${OPERATOR_WORDS[operator]},`,
    caption: `from either end of its spectrum inwards, from a random start (seed ${seed}).${bands} Measured on ${dataWords(data, examples)}.`,
    words: `Lines of eigenvalues by their rank from either end. ${endWords(eigenvalues)}`,
    table: "eigenvalues",
    size: "hero",
    plot: {
      kind: "lines",
      series: seriesOf(
        eigenvalues,
        ({ value, residual }, rank) => ({
          x: rank,
          y: value,
          ...(converged ? {} : { low: value - residual, high: value + residual }),
        }),
        true,
      ),
      x: { label: "Rank from its end", whole: true },
      y: { label: "Eigenvalue" },
    },
  };
}

function eigenvaluesTable(eigenvalues: Eigenvalues): Table {
  return {
    name: "eigenvalues",
    title: "Eigenvalues at both ends",
    caption: "An eigenvalue is at most the residual away from each value.",
    columns: [
      { title: "End", kind: "text" },
      { title: "Rank", kind: "count" },
      { title: "Value", kind: "number" },
      { title: "Residual", kind: "number" },
    ],
    rows: ENDS.flatMap((end) =>
      eigenvalues[end].map(({ value, residual }, index) => ({
        cells: [end, index + 1, value, residual],
      })),
    ),
  };
}
