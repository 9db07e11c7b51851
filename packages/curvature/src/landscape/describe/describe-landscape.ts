import { at, UsageError } from "@isthmus/core";
import {
  dataWords,
  factsOf,
  formatCount,
  formatCounted,
  formatMeasure,
  formatNumber,
  formatShort,
  lossWords,
  measureWords,
  type PageFact,
  type Report,
  type Tile,
} from "@isthmus/findings";
import type { LandscapeResult } from "../landscape-result.ts";
import { topologyOf } from "../topology/grid-topology.ts";
import { landscapeFigures } from "./landscape-figures.ts";
import { coordinatesOf } from "./landscape-planes.ts";
import { directionsTable, gridTable, networksTable } from "./landscape-tables.ts";
import { DIRECTION_WORDS, monotoneWords, SIZE_WORDS } from "./landscape-words.ts";
import { countMinima } from "./minima-words.ts";
import { topologySections, topologyWords } from "./topology-sections.ts";

/**
 * Says what a landscape shows.
 * @throws UsageError if its losses do not fit its axes, or none is finite
 */
export function describeLandscape(read: LandscapeResult): Report {
  assertGrid(read);
  // The topology is computed again, as indices in a file may be invalid.
  const topology = topologyOf(read);
  const result = { ...read, topology };
  const { loss, basis, networks } = result;
  const losses = lossWords(result);
  return {
    subject: "loss around a network",
    summary: [summarize(result), monotoneWords(result), topologyWords(topology, losses)]
      .filter(Boolean)
      .join(" "),
    tiles: tilesOf(result),
    sections: [
      { name: "landscape", title: "The landscape", figures: landscapeFigures(result), tables: [] },
      ...topologySections({
        topology,
        values: loss,
        losses,
        label: measureWords("loss", losses, result.data).axis,
        examples: dataWords(result.data, result.examples),
        coordinates: basis.map(({ label }, axis) => ({
          name: label,
          of: (place: number) => at(coordinatesOf(result, place), axis, "coordinate"),
        })),
      }),
      { name: "directions", title: "Directions", figures: [], tables: [directionsTable(result)] },
      { name: "networks", title: "Networks", figures: [], tables: [networksTable(result)] },
      { name: "grid", title: "Every measured place", figures: [], tables: [gridTable(result)] },
    ],
    facts: [
      { name: "Network", value: at(networks, 0, "network").source },
      ...factsOf(result, measuredFacts(result)),
    ],
    notes: notesOf(result),
    shownTables: ["directions", "networks"],
    data: read,
  };
}

function summarize(result: LandscapeResult): string {
  const { loss, networks, directions } = result;
  const values = loss.filter(Number.isFinite);
  const [network] = networks;
  return `Along ${DIRECTION_WORDS[directions]} the loss goes from ${formatNumber(Math.min(...values))} to ${lossWords(result).amount(Math.max(...values))}${network === undefined ? "" : `; it is ${formatNumber(network.loss)} at ${network.label}`}.`;
}

function tilesOf(result: LandscapeResult): Tile[] {
  const { networks, basis, topology, interpolation } = result;
  const { unit } = lossWords(result);
  const [network] = networks;
  const middle = network && {
    name: network.label,
    value: formatNumber(network.loss),
    unit,
    style: 0,
    more: Number.isNaN(network.error) ? [] : [`error ${formatMeasure(network.error, "error")}`],
  };
  const rise = interpolation && {
    name: "largest rise",
    value: formatNumber(interpolation.largestRise),
    unit,
    more: [
      interpolation.monotone
        ? "monotone up to rounding"
        : `from ${formatShort(interpolation.from)} to ${formatShort(interpolation.to)}`,
    ],
  };
  const curved = basis.flatMap(({ label, curvature, slope }): Tile[] =>
    curvature === undefined || slope === undefined
      ? []
      : [
          {
            name: `curvature, ${label}`,
            value: formatNumber(curvature),
            unit: "",
            more: [`slope ${formatNumber(slope)}`],
          },
        ],
  );
  const { saddles, saddleMinimumDistance } = topology;
  const counts = countMinima(topology);
  return [
    ...(middle ? [middle] : []),
    ...(rise ? [rise] : []),
    ...curved.slice(0, 2),
    {
      name: "minima inside the grid",
      value: formatCount(counts.inside),
      unit: "",
      more: [
        ...(counts.onEdge === 0 ? [] : [`${formatCount(counts.onEdge)} on the edge`]),
        formatCounted(saddles.length, "saddle"),
        `SMAD ${formatNumber(saddleMinimumDistance.mean)}`,
      ],
    },
  ];
}

function measuredFacts(result: LandscapeResult): PageFact[] {
  const { directions, normalization, vectors, axes, hessianExamples, derivatives } = result;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Directions", `${DIRECTION_WORDS[directions]}, ${SIZE_WORDS[normalization]}`],
    ["Tensors of one axis", vectors === "ignore" ? "not moved" : "moved"],
    ["Grid", `${axes.map(({ length }) => length).join(" by ")} places`],
    ["Examples of the Hessian", hessianExamples === undefined ? undefined : formatCount(hessianExamples)],
    ["Derivatives", derivatives === "exact" ? "exact" : derivatives && "by differences of gradients"],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function notesOf({ derivatives, reason, converged, directions, topology }: LandscapeResult): string[] {
  const notes: string[] = [];
  if (derivatives === "finite-differences") {
    notes.push(
      `Products with the Hessian are differences of gradients, as exact ones cannot be had: ${reason}.`,
    );
  } else if (reason !== undefined) {
    notes.push(`Slope and curvature at the network are not measured: ${reason}.`);
  }
  if (converged === false)
    notes.push("Eigenvectors have not all converged: true eigenvalues are within the residual of each.");
  if (directions === "random" || directions === "eigenvectors") {
    notes.push(
      "Scaling a whole layer up and the next one down leaves landscapes along directions of filters' or layers' sizes as they are, not ones along others; scaling single units leaves none. Compare networks after canonicalizing them.",
    );
  }
  if (topology.missing > 0)
    notes.push("Minima and saddles are of the places that have a loss; nothing leads through the others.");
  return notes;
}

/** Checks that a landscape can be drawn. */
function assertGrid({ axes, loss, error, lossKind, networks, basis }: LandscapeResult): void {
  const fail = (rule: string): never => {
    throw new UsageError(`Cannot draw a landscape as ${rule}`);
  };
  const places = axes.reduce((product, { length }) => product * length, 1);
  const ascends = (axis: readonly number[]) =>
    axis.length > 1 && axis.every((value, i) => i === 0 || value > (axis[i - 1] ?? value));
  if (axes.length === 0 || !axes.every(ascends)) fail(`"axes" must be lists of at least 2 ascending numbers`);
  for (const [name, values] of Object.entries({ loss, error })) {
    if (values.length !== places)
      fail(`"${name}" must have a value for each of ${places} places: it has ${values.length}`);
    const isNeeded = name === "loss" || lossKind === undefined;
    if (isNeeded && !values.some(Number.isFinite)) fail(`"${name}" must have a finite value: it has none`);
  }
  if (basis.length !== axes.length)
    fail(`"basis" must have one direction for every axis: it has ${basis.length}`);
  if (networks.length === 0) fail(`it must be around a network: "networks" has none`);
  const odd = networks.find(({ place }) => place.length !== axes.length);
  if (odd) fail(`every network must have ${axes.length} coordinates: "${odd.label}" has ${odd.place.length}`);
}
