import { at } from "@isthmus/core";
import { lossWords, type Table } from "@isthmus/findings";
import type { MapResult } from "../../map-result.ts";
import { MAP_STAGES, mapNames } from "./map-networks.ts";

/** Makes the table of the networks and of their means, with their places in the plane. */
export function networksTable(result: MapResult): Table {
  const { networks, before, after } = result;
  const names = mapNames(result);
  const placeColumns = MAP_STAGES.flatMap(({ name }) =>
    (["x", "y"] as const).map((title) => ({ title, kind: "number" as const, group: name })),
  );
  return {
    name: "networks",
    title: "Networks and their mean",
    caption: `Loss ${lossWords(result).inUnits("percent")}; places in units of distance between weights, each picture with axes of its own.`,
    columns: [
      { title: "Network", kind: "text" },
      { title: "Loss", kind: "loss" },
      { title: "Error", kind: "share" },
      ...placeColumns,
      { title: "File", kind: "text" },
    ],
    rows: [
      ...networks.map(({ source, role, loss, error }, i) => ({
        cells: [
          role === "star" ? `${at(names, i, "name")} (star)` : at(names, i, "name"),
          loss,
          error,
          ...at(before.places.networks, i, "place"),
          ...at(after.places.networks, i, "place"),
          source,
        ],
      })),
      {
        cells: [
          "mean, as trained",
          before.mean.loss,
          before.mean.error,
          ...before.places.mean,
          null,
          null,
          null,
        ],
      },
      {
        cells: ["mean, aligned", after.mean.loss, after.mean.error, null, null, ...after.places.mean, null],
        strong: true,
      },
    ],
  };
}

/** Makes the table of all pairs. */
export function pairsTable(result: MapResult): Table {
  const losses = lossWords(result);
  const { before, after } = result;
  const names = mapNames(result);
  return {
    name: "pairs",
    title: "Every pair",
    caption: `Chord barriers on the line between two networks, loss ${losses.inUnit}${losses.hasErrors ? " and error in percentage points" : ""}; and the distance of their weights.`,
    columns: [
      { title: "From", kind: "text" },
      { title: "To", kind: "text" },
      ...MAP_STAGES.flatMap(({ name }) => [
        { title: "Loss barrier", kind: "loss" as const, group: name },
        { title: "Error barrier", kind: "points" as const, group: name },
        { title: "Distance", kind: "number" as const, group: name },
      ]),
    ],
    rows: before.pairs.map(({ a, b, loss, error, distance }, index) => {
      const aligned = at(after.pairs, index, "pair");
      return {
        cells: [
          at(names, a, "name"),
          at(names, b, "name"),
          ...[loss, error, distance, aligned.loss, aligned.error, aligned.distance],
        ],
      };
    }),
  };
}

/** Makes the tables of the joins of the trees. */
export function joinTables(result: MapResult): Table[] {
  const names = mapNames(result);
  return MAP_STAGES.map(({ key, name }) => {
    const members = names.map((network) => [network]);
    return {
      name: `tree-${key}`,
      title: `The tree, ${name.toLowerCase()}`,
      caption: `Groups in the order in which they are joined, and the mean barrier between them, ${lossWords(result).inUnit}.`,
      columns: [
        { title: "Join", kind: "count" },
        { title: "One", kind: "text" },
        { title: "Other", kind: "text" },
        { title: "Mean loss barrier", kind: "loss" },
      ],
      rows: result[key].tree.joins.map(({ a, b, height }, index) => {
        const [one, other] = [at(members, a, "group"), at(members, b, "group")];
        members.push([...one, ...other]);
        return { cells: [index + 1, one.join(", "), other.join(", "), height] };
      }),
      fixed: true,
    };
  });
}
