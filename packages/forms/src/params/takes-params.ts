import type { z } from "zod";
import { assertTaskParams } from "./assert-task-params.ts";
import { type MovePath, movePathsBy } from "./moved-paths.ts";

/** The check of the parameters of a kind of task, and what moves the paths in them. */
export interface ParamsForm<P> {
  /** @throws InputError if they are not the parameters of a task of the kind */
  readonly assertParams: (params: unknown) => void;
  /** Returns the parameters with other paths in them. */
  readonly movePaths: (params: P, move: MovePath) => P;
}

/**
 * Returns what lets tasks of a kind run on other machines: a check of parameters that come from elsewhere,
 * and what moves the paths in them, both by one schema.
 * @param kind - name of the kind of task
 * @param schema - of the parameters, which lets no other keys pass and marks what is a path
 */
export function takesParams<P extends object>(kind: string, schema: z.ZodType<P>): ParamsForm<P> {
  return {
    assertParams: (params) => assertTaskParams(kind, schema, params),
    movePaths: (params, move) => movePathsBy(schema, params, move),
  };
}
