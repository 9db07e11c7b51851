import { marksPath, text } from "@isthmus/forms";
import type * as z from "zod";
import { moveDataFiles } from "../list-data-files.ts";

/** Form of the name of a data set; its paths are marked, so that workers can replace them. */
export const DATA_NAME: z.ZodString = marksPath(text.min(1), moveDataFiles);
