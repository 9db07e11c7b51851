import type { StudyFigure } from "@isthmus/study";
import { z } from "zod";

const text = z.string();

/** Fields of a figure of a study, the same in its description and in its result. */
export const FIGURE_SHAPE: Readonly<Record<keyof StudyFigure, z.ZodType>> = {
  title: text,
  caption: text,
  table: text,
  mark: z.enum(["line", "bar", "dot"]),
  x: text,
  y: text,
  low: text.optional(),
  high: text.optional(),
  series: text.optional(),
  xScale: z.enum(["linear", "log", "band"]).optional(),
  yScale: z.enum(["linear", "log"]).optional(),
};
