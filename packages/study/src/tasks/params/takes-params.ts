import type { TaskKind } from "@isthmus/tasks";
import type { z } from "zod";
import { assertTaskParams } from "./assert-task-params.ts";
import { movePathsBy } from "./moved-paths.ts";

/**
 * Returns what lets tasks of a kind run on other machines: a check of parameters that come from elsewhere,
 * and what moves the paths in them, both by one schema.
 * @param kind - name of the kind of task
 * @param schema - of the parameters, which lets no other keys pass and marks what is a path
 */
export function takesParams<P extends object>(
  kind: string,
  schema: z.ZodType<P>,
): Required<Pick<TaskKind<P>, "assertParams" | "movePaths">> {
  return {
    assertParams: (params) => assertTaskParams(kind, schema, params),
    movePaths: (params, move) => movePathsBy(schema, params, move),
  };
}
