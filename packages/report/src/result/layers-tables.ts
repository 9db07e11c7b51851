import type { LayerCut, LayersResult } from "@isthmus/barrier";
import type { Table, TableColumn } from "../table/table.ts";
import { BARRIER_DEFINITIONS } from "./barrier-tables.ts";
import { ALL_GROUPS, FIXED } from "./layers-figures.ts";

/** Table of the groups: what they hold and how far apart the networks are in them. */
export function groupsTable({ groups }: LayersResult): Table {
  return {
    name: "groups",
    title: "The groups",
    caption:
      "Groups of parameters in the order the network uses them, and how far A and B are apart in them.",
    columns: [
      { title: "Group", kind: "text" },
      { title: "Elements", kind: "count" },
      { title: "Distance", kind: "number" },
      { title: "Cosine distance", kind: "number" },
      { title: "Tensors", kind: "text" },
    ],
    rows: groups.map(({ name, tensors, elements, distance }) => ({
      cells: [name, elements, distance.euclidean, distance.cosine, tensors.join(", ")],
    })),
  };
}

/** Table of the barriers of single groups and of the whole, by every definition. */
export function layerBarriersTable({ layers, whole }: LayersResult): Table {
  const titles = [...BARRIER_DEFINITIONS.map(({ name }) => name), "Against whole networks"];
  const columns = FIXED.flatMap(({ label: group }, style): TableColumn[] => [
    ...titles.map((title) => ({ title, kind: "loss" as const, group, style })),
    { title: "Error above the chord", kind: "points", group, style },
  ]);
  const values = (cut: LayerCut): number[] => [
    ...BARRIER_DEFINITIONS.map(({ key }) => cut.barrier.loss[key]),
    cut.wholeEndpoints.loss,
    cut.barrier.error.chord,
  ];
  return {
    name: "layers",
    title: "Barriers of each group",
    caption:
      "Loss in nats, error in percentage points. The first columns are the mean of both networks’ “against whole networks”, which is L(1/2) less the mean of A and B; the others are definitions against the ends of each way.",
    columns: [
      { title: "Group", kind: "text" },
      { title: "Loss barrier", kind: "loss" },
      { title: "Error barrier", kind: "points" },
      ...columns,
    ],
    rows: [
      ...layers.map(({ group, a, b, barrier }) => ({
        cells: [group, barrier.loss, barrier.error, ...values(a), ...values(b)],
      })),
      {
        cells: [
          ALL_GROUPS,
          whole.wholeEndpoints.loss,
          whole.wholeEndpoints.error,
          ...values(whole),
          ...values(whole).map(() => null),
        ],
        strong: true,
      },
    ],
  };
}

/** Table of the steps of every order. */
export function cumulativeTable({ cumulative }: LayersResult): Table {
  return {
    name: "cumulative",
    title: "Growing sets of groups",
    caption:
      "Barriers after each step, half-way against the whole networks and above the chord of its own ends; loss in nats, error in percentage points.",
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

/** Table of loss and error at every place of every group's way. */
export function layerPointsTable({ layers, whole }: LayersResult): Table {
  const cuts = [
    ...layers.flatMap(({ group, a, b }) => [
      { group, cut: a },
      { group, cut: b },
    ]),
    { group: ALL_GROUPS, cut: whole },
  ];
  return {
    name: "layer-points",
    title: "Every measured point",
    caption: "Loss in nats, error in percent, at every place of the way of each group.",
    columns: [
      { title: "Group", kind: "text" },
      { title: "Others as in", kind: "text" },
      { title: "t", kind: "place" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
    ],
    rows: cuts.flatMap(({ group, cut }) =>
      cut.points.map(({ t, loss, error }) => ({
        cells: [group, group === ALL_GROUPS ? "" : cut.fixed.toUpperCase(), t, loss, error],
      })),
    ),
  };
}
