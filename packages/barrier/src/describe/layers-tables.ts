import { lossWords, type Table, type TableColumn } from "@isthmus/findings";
import type { LayerCut, LayersResult } from "../layers-result.ts";
import { BARRIER_DEFINITIONS, hasPerplexity } from "./barrier-tables.ts";
import { ALL_GROUPS } from "./layers-figures.ts";

/** Makes the table of the groups: their contents, and the distances of the networks in them. */
export function groupsTable({ groups }: LayersResult): Table {
  return {
    name: "groups",
    title: "The groups",
    caption:
      "Groups of parameters in the order the network uses them, and how far A and B are apart in them.",
    columns: [
      { title: "Group", kind: "text" },
      { title: "Elements", kind: "count" },
      { title: "Euclidean distance", kind: "number" },
      { title: "Cosine similarity", kind: "number" },
      { title: "Tensors", kind: "text" },
    ],
    rows: groups.map(({ name, tensors, elements, euclideanDistance, cosineSimilarity }) => ({
      cells: [name, elements, euclideanDistance, cosineSimilarity, tensors.join(", ")],
    })),
  };
}

/** Columns of the perplexity with one group half-way. */
const PERPLEXITY_COLUMNS: readonly TableColumn[] = [
  { title: "Perplexity half-way, others as in A", kind: "number" },
  { title: "Perplexity half-way, others as in B", kind: "number" },
];

/** Returns the perplexity of a language model in the middle of a cut; null if it is no language model. */
export function halfwayPerplexity({ points }: LayerCut): number | null {
  return points[(points.length - 1) / 2]?.perplexity ?? null;
}

/** Makes the table of the costs of averaging each group alone, and all groups. */
export function layerBarriersTable(result: LayersResult): Table {
  const { layers, whole } = result;
  const { loss, error } = whole.wholeEndpoints;
  const isText = hasPerplexity(whole.points);
  const halfway = (...cuts: readonly LayerCut[]) => (isText ? cuts.map(halfwayPerplexity) : []);
  return {
    name: "layers",
    title: "Barriers of each group",
    caption: `Loss ${lossWords(result).inUnits("percentage points")}: half-way, less the mean of A and B, on average over the networks in which the other groups stay.`,
    columns: [
      { title: "Group", kind: "text" },
      { title: "Loss barrier", kind: "loss" },
      { title: "Error barrier", kind: "points" },
      ...(isText ? PERPLEXITY_COLUMNS : []),
    ],
    rows: [
      ...layers.map(({ group, a, b, barrier }) => ({
        cells: [group, barrier.loss, barrier.error, ...halfway(a, b)],
      })),
      { cells: [ALL_GROUPS, loss, error, ...halfway(whole, whole)], strong: true },
    ],
  };
}

/** Makes the table of the barriers of single groups and of the whole, by every definition. */
export function layerDefinitionsTable(result: LayersResult): Table {
  const losses = lossWords(result);
  const { layers, whole } = result;
  const row = (group: string, others: string, { barrier, wholeEndpoints }: LayerCut) => ({
    cells: [
      group,
      others,
      ...BARRIER_DEFINITIONS.map(({ key }) => barrier.loss[key]),
      wholeEndpoints.loss,
      barrier.error.chord,
    ],
  });
  return {
    name: "layer-definitions",
    title: "Barriers of each group, by every definition in use",
    caption: `Loss ${losses.inUnit} against the ends of each way, and half-way against the mean of the whole networks${losses.hasErrors ? "; error in percentage points above the chord" : ""}.`,
    columns: [
      { title: "Group", kind: "text" },
      { title: "Others as in", kind: "text" },
      ...BARRIER_DEFINITIONS.map(({ name }) => ({ title: name, kind: "loss" as const })),
      { title: "Against whole networks", kind: "loss" },
      { title: "Error", kind: "points" },
    ],
    rows: [
      ...layers.flatMap(({ group, a, b }) => [row(group, "A", a), row(group, "B", b)]),
      { ...row(ALL_GROUPS, "", whole), strong: true },
    ],
  };
}

/** Makes the table of the steps of every order. */
export function cumulativeTable(result: LayersResult): Table {
  const { cumulative } = result;
  return {
    name: "cumulative",
    title: "Growing sets of groups",
    caption: `Barriers after each step, half-way against the whole networks and above the chord of its own ends; loss ${lossWords(result).inUnits("percentage points")}.`,
    columns: [
      { title: "Order", kind: "text" },
      { title: "Groups", kind: "count" },
      { title: "Added", kind: "text" },
      { title: "Loss barrier", kind: "loss" },
      { title: "Error barrier", kind: "points" },
      { title: "Loss above the chord", kind: "loss" },
      { title: "Error above the chord", kind: "points" },
    ],
    rows: cumulative.flatMap(({ order, steps }) =>
      steps.map(({ added, cut }, index) => ({
        cells: [
          order.replaceAll("-", " "),
          index + 1,
          added,
          cut.wholeEndpoints.loss,
          cut.wholeEndpoints.error,
          cut.barrier.loss.chord,
          cut.barrier.error.chord,
        ],
      })),
    ),
  };
}

/** Makes the table of loss and error at every place of every group's path. */
export function layerPointsTable(result: LayersResult): Table {
  const { layers, whole } = result;
  const cuts = [
    ...layers.flatMap(({ group, a, b }) => [
      { group, cut: a },
      { group, cut: b },
    ]),
    { group: ALL_GROUPS, cut: whole },
  ];
  const isText = hasPerplexity(whole.points);
  return {
    name: "layer-points",
    title: "Every measured point",
    caption: `Loss ${lossWords(result).inUnits("percent")}, at every place of the way of each group.`,
    columns: [
      { title: "Group", kind: "text" },
      { title: "Others as in", kind: "text" },
      { title: "t", kind: "place" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
      ...(isText ? [{ title: "Perplexity", kind: "number" as const }] : []),
    ],
    rows: cuts.flatMap(({ group, cut }) =>
      cut.points.map(({ t, loss, error, perplexity = null }) => ({
        cells: [
          group,
          group === ALL_GROUPS ? "" : cut.fixed.toUpperCase(),
          t,
          loss,
          error,
          ...(isText ? [perplexity] : []),
        ],
      })),
    ),
  };
}
