import { at } from "@isthmus/core";
import type { Table, TableRow } from "@isthmus/findings";
import type { ComparisonResult } from "../comparison-result.ts";
import { networkNames, pairName, shortName } from "./network-names.ts";

type Traits = ComparisonResult["networks"][number];

/** Makes the table of the properties of each network. */
export function networksTable(result: ComparisonResult): Table {
  const names = networkNames(result);
  const hasPeculiar = result.networks.some((traits) => peculiarities(traits).length > 0);
  return {
    name: "networks",
    title: "The networks",
    caption:
      "What is known about each network by itself. Embedding and head are tied where both are one matrix.",
    columns: [
      { title: "Network", kind: "text" },
      { title: "Tensors", kind: "count" },
      { title: "Parameters", kind: "count" },
      { title: "Types", kind: "text" },
      { title: "Vocabulary", kind: "count", unit: "rows" },
      { title: "Embedding and head", kind: "text" },
      ...(hasPeculiar ? [{ title: "Peculiarities", kind: "text" as const }] : []),
    ],
    rows: result.networks.map((traits, index) => ({
      cells: [
        at(names, index, "network"),
        traits.tensors,
        traits.parameters,
        formatTypes(traits),
        traits.vocabulary?.rows ?? null,
        traits.tied === null ? "" : traits.tied ? "tied" : "two matrices",
        ...(hasPeculiar ? [peculiarities(traits).join(", ")] : []),
      ],
    })),
  };
}

/** Formats element types; if there are several, each with its number of tensors. */
function formatTypes({ dtypes }: Traits): string {
  const types = Object.entries(dtypes);
  return types.length === 1
    ? types.map(([dtype]) => dtype).join("")
    : types.map(([dtype, count]) => `${dtype}\u00a0(${count})`).join(", ");
}

function peculiarities({ adapter, quantized, coarse, nonFinite, facts }: Traits): string[] {
  return [
    ...(adapter ? ["an adapter"] : []),
    ...(quantized === null ? [] : [`packed weights: ${quantized.scheme}`]),
    ...(coarse.matrices > 0 ? [`${coarse.matrices} of ${coarse.of} matrices have few values`] : []),
    ...nonFinite.map(({ tensor, count }) => `${count} numbers of ${tensor} are not finite`),
    ...(facts?.modelType ? [`model type ${facts.modelType}`] : []),
    ...(facts?.chat ? ["a template of chats"] : []),
  ];
}

/**
 * Makes the tables of the differences between networks: tensors, then vocabularies. Empty tables are left
 * out.
 */
export function differenceTables(result: ComparisonResult): Table[] {
  return [tensorDifferences(result), vocabularies(result)].filter(({ rows }) => rows.length > 0);
}

function tensorDifferences(result: ComparisonResult): Table {
  const rows = result.pairs.flatMap((pair): TableRow[] => {
    const { a, b, onlyA, onlyB, shapes, dtypes } = pair;
    const [names, one, two] = [pairName(result, pair), shortName(result, a), shortName(result, b)];
    const shapeText = (shape: readonly number[]) => `[${shape.join(", ")}]`;
    return [
      ...onlyA.map((name) => ({ cells: [names, `only in ${one}`, name, "present", "absent"] })),
      ...onlyB.map((name) => ({ cells: [names, `only in ${two}`, name, "absent", "present"] })),
      ...shapes.map(({ name, a: x, b: y }) => ({
        cells: [names, "shape", name, shapeText(x), shapeText(y)],
      })),
      ...dtypes.map(({ name, a: x, b: y }) => ({ cells: [names, "type", name, x, y] })),
    ];
  });
  return {
    name: "differences",
    title: "Tensors that differ",
    caption: "Tensors that differ in name, shape or element type.",
    columns: [
      { title: "Networks", kind: "text" },
      { title: "Difference", kind: "text" },
      { title: "Tensor", kind: "text" },
      { title: "In the first", kind: "text" },
      { title: "In the second", kind: "text" },
    ],
    rows,
  };
}

function vocabularies(result: ComparisonResult): Table {
  const isMoved = result.pairs.some(({ vocabulary }) => (vocabulary?.moved ?? null) !== null);
  return {
    name: "vocabularies",
    title: "Vocabularies",
    caption: `Rows of the embeddings of tokens.${isMoved ? " Moved rows have an equal row elsewhere in the other network and not in place." : ""}`,
    columns: [
      { title: "Networks", kind: "text" },
      { title: "Tensor", kind: "text" },
      { title: "Rows of the first", kind: "count" },
      { title: "Rows of the second", kind: "count" },
      { title: "Kinship", kind: "number" },
      ...(isMoved ? [{ title: "Moved", kind: "share" as const }] : []),
    ],
    rows: result.pairs.flatMap((pair) => {
      if (pair.vocabulary === null) return [];
      const { tensor, rows, kinship, moved } = pair.vocabulary;
      return [{ cells: [pairName(result, pair), tensor, ...rows, kinship, ...(isMoved ? [moved] : [])] }];
    }),
  };
}
