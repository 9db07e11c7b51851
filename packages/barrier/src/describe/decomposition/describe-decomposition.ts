import type { Section } from "@isthmus/findings";
import type { BarrierDecomposition } from "../../decomposition-result.ts";
import { exampleFigure, partFigures } from "./decomposition-figures.ts";
import { partsTable, quantilesTable, sharesTable, worstTable } from "./decomposition-tables.ts";

/** Makes the sections of the decomposition of a barrier: by part of the network, and by example. */
export function decompositionSections(decomposition: BarrierDecomposition): Section[] {
  const { worst } = decomposition.byExample;
  return [
    {
      name: "parts",
      title: "The barrier half-way, by part",
      figures: partFigures(decomposition),
      tables: [partsTable(decomposition)],
    },
    {
      name: "examples",
      title: "The barrier half-way, by example",
      figures: [exampleFigure(decomposition)],
      tables: [
        ...(worst.length === 0 ? [] : [worstTable(decomposition)]),
        quantilesTable(decomposition),
        sharesTable(decomposition),
      ],
    },
  ];
}
