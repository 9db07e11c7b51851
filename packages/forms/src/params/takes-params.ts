import type * as z from "zod";
import { assertTaskParams } from "./assert-task-params.ts";
import { type MovePath, movePathsBy } from "./moved-paths.ts";

/** Functions that check the parameters of a kind of task, and move the paths in them. */
export interface ParamsForm<P> {
  /**
   * Checks parameters.
   * @throws InputError if they are not the parameters of a task of the kind
   */
  readonly assertParams: (params: unknown) => void;
  /** Returns the parameters with moved paths. */
  readonly movePaths: (params: P, move: MovePath) => P;
}

/**
 * Returns the functions by which tasks of a kind run on other machines: a check of parameters that come from
 * elsewhere, and a function that moves the paths in them, both by one schema.
 * @param kind - name of the kind of task
 * @param schema - schema of the parameters, which lets no other keys pass and marks paths
 */
export function takesParams<P extends object>(kind: string, schema: z.ZodType<P>): ParamsForm<P> {
  return {
    assertParams: (params) => assertTaskParams(kind, schema, params),
    movePaths: (params, move) => movePathsBy(schema, params, move),
  };
}
