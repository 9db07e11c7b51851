import { fieldsOf, type SchemasOf } from "@isthmus/forms";
import * as z from "zod";
import type { StudyFigure } from "../study-result.ts";

const text = z.string();

/** Schema of a border between regions of a figure. */
const BORDER = { of: text, at: z.number() };

/**
 * Makes the schemas of the fields of a figure, as studies describe it and results repeat it.
 * @param open - whether borders may have further keys, as in results of later versions
 */
export function figureFields(open: boolean): SchemasOf<StudyFigure> {
  return fieldsOf<StudyFigure>()({
    title: text,
    caption: text,
    table: text,
    mark: z.enum(["line", "bar", "dot", "heat"]),
    x: text,
    y: text,
    low: text.optional(),
    high: text.optional(),
    spread: z.enum(["std"]).optional(),
    series: text.optional(),
    xScale: z.enum(["linear", "log", "band"]).optional(),
    yScale: z.enum(["linear", "log"]).optional(),
    color: text.optional(),
    colorScale: z.enum(["linear", "log", "unit", "diverging"]).optional(),
    borders: z.array(open ? z.looseObject(BORDER) : z.strictObject(BORDER)).optional(),
    best: z.enum(["least", "greatest"]).optional(),
  });
}
