import { at } from "@isthmus/core";
import type { Table } from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";
import { listBlocks, measureBlocks } from "./blocks.ts";
import { angleOf, networkNames, pairName, shortName, verdictAt } from "./network-names.ts";
import { VERDICT_MEANINGS } from "./verdict-meanings.ts";

/** Makes the table of the verdict on every pair, with the numbers behind it. */
export function pairsTable(result: ComparisonResult): Table {
  const hasAligned = result.pairs.some(({ alignment }) => alignment !== null);
  return {
    name: "pairs",
    title: "Every two networks",
    caption:
      "What two networks are to each other and what that means for a merge. Kinship is the mean cosine of rows in the same place: 1 for equal networks, about 0 for units in no common order. Distances are in units of the geometric mean of both norms.",
    columns: [
      { title: "Networks", kind: "text" },
      { title: "Verdict", kind: "text" },
      { title: "Sure", kind: "share" },
      { title: "Kinship", kind: "number" },
      { title: "Distance", kind: "number" },
      { title: "Angle", kind: "number", unit: "degrees" },
      ...(hasAligned ? [{ title: "Distance, aligned", kind: "number" as const }] : []),
    ],
    rows: result.pairs.map((pair, index) => {
      const { verdict, confidence } = verdictAt(result, index);
      return {
        cells: [
          pairName(result, pair),
          `${verdict}: ${VERDICT_MEANINGS[verdict]}`,
          confidence,
          pair.kinship,
          pair.distance,
          angleOf(pair.cosine),
          ...(hasAligned ? [pair.alignment?.after ?? null] : []),
        ],
      };
    }),
  };
}

/** Makes the table of the obstacles to a merge and of the remedies; none if there are no findings. */
export function findingsTables({ findings }: ComparisonResult): Table[] {
  if (findings.length === 0) return [];
  return [
    {
      name: "findings",
      title: "What to know before a merge",
      caption: "An error makes a merge meaningless, a warning may do so, a note does not.",
      columns: [
        { title: "Kind", kind: "text" },
        { title: "What was found", kind: "text" },
        { title: "What to do", kind: "text" },
      ],
      rows: findings.map(({ severity, message, advice }) => ({
        cells: [severity, message, advice],
        strong: severity === "error",
      })),
      fixed: true,
    },
  ];
}

/** Makes the table of the steps from the base; none without a base. */
export function stepsTables(result: ComparisonResult): Table[] {
  const { taskVectors } = result;
  if (taskVectors === null) return [];
  const { base, networks, lengths, cosines } = taskVectors;
  const names = networkNames(result);
  return [
    {
      name: "steps",
      title: "Steps from the base",
      caption: `What training added to ${at(names, base, "network")}: the length in units of the base's norm, and angles between steps, in degrees.`,
      columns: [
        { title: "Network", kind: "text" },
        { title: "Length", kind: "number" },
        ...networks.map((network) => ({
          title: `To step ${shortName(result, network)}`,
          kind: "number" as const,
          unit: "degrees",
        })),
      ],
      rows: networks.map((network, i) => ({
        cells: [
          at(names, network, "network"),
          at(lengths, i, "length"),
          ...at(cosines, i, "row").map((cosine, j) => (i === j ? null : angleOf(cosine))),
        ],
      })),
    },
  ];
}

/** Makes the tables of distances along the depth: of blocks, then of tensors. */
export function depthTables(result: ComparisonResult): Table[] {
  const names = result.pairs.flatMap(({ tensors }) => tensors.map(({ name }) => name));
  const blocks = listBlocks([...new Set(names)]);
  const columns = [
    { title: "Median distance", kind: "number" },
    { title: "Lowest", kind: "number" },
    { title: "Highest", kind: "number" },
  ] as const;
  return [
    {
      name: "blocks",
      title: "Distance by block",
      caption: "Distances of the tensors of each block, in units of the geometric mean of both norms.",
      columns: [
        { title: "Networks", kind: "text" },
        { title: "Block", kind: "text" },
        { title: "Tensors", kind: "count" },
        ...columns,
      ],
      rows: result.pairs.flatMap((pair) => {
        const distances = measureBlocks(pair);
        return blocks.flatMap((block) => {
          const one = distances.get(block);
          if (one === undefined) return [];
          return [{ cells: [pairName(result, pair), block, one.tensors, one.median, one.low, one.high] }];
        });
      }),
    },
    {
      name: "tensors",
      title: "Every tensor",
      caption: "Tensors of numbers that two networks have under one name, in the order of the first file.",
      columns: [
        { title: "Networks", kind: "text" },
        { title: "Tensor", kind: "text" },
        { title: "Distance", kind: "number" },
        { title: "Angle", kind: "number", unit: "degrees" },
        { title: "Kinship", kind: "number" },
        { title: "Read", kind: "share" },
      ],
      rows: result.pairs.flatMap((pair) =>
        pair.tensors.map(({ name, distance, cosine, kinship, sampled }) => ({
          cells: [pairName(result, pair), name, distance, angleOf(cosine), kinship, Math.min(1, sampled)],
        })),
      ),
    },
  ];
}
