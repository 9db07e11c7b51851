import { marksPath, text } from "@isthmus/forms";
import type { z } from "zod";
import { moveDataFiles } from "../list-data-files.ts";

/** The name of a data set, in which paths are moved to where a worker finds them. */
export const DATA_NAME: z.ZodString = marksPath(text.min(1), moveDataFiles);
