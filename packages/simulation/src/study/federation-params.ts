import { InputError } from "@isthmus/core";
import { assertTaskParams, fingerprint, type MovePath, movePathsBy, schemaOf } from "@isthmus/forms";
import * as z from "zod";
import type { FederationDescription } from "../description/federation-description.ts";
import { FEDERATION } from "../file/simulation-schema.ts";
import { checkNames } from "./check-federation.ts";

/** A federation to simulate, with fingerprints of the data and the network that it names. */
export interface FederationTaskParams {
  /** Description of the federation, all that decides its result besides the contents of the data. */
  readonly federation: FederationDescription;
  /**
   * Fingerprints of the examples to train and to evaluate on, and of the network's graph and first weights.
   */
  readonly digests: Readonly<Record<"data" | "evaluate" | "graph" | "weights", string>>;
}

const examples = z.string().regex(/^\d{1,10} [\da-f]{32}$/, {
  error: "must be the number of examples and 32 hexadecimal digits",
});

const PARAMS = schemaOf<FederationTaskParams>()(
  z.strictObject({
    federation: FEDERATION,
    digests: z.strictObject({
      data: examples,
      evaluate: examples,
      graph: fingerprint,
      weights: fingerprint,
    }),
  }),
);

/**
 * Checks the parameters of a simulated federation that may come from another machine: their form, and that
 * the rules, steps, partition and attack that they name exist and have such parameters.
 * @throws InputError if something is wrong
 */
export function assertFederationParams(params: unknown): void {
  assertTaskParams("federation", PARAMS, params);
  try {
    checkNames((params as FederationTaskParams).federation);
  } catch (cause) {
    throw new InputError(
      `Cannot run a task of kind "federation" as its parameters must fit: ${(cause as Error).message}`,
      { input: "federation", cause },
    );
  }
}

/** Returns the parameters with other paths in the names of the data sets. */
export function moveFederationPaths(params: FederationTaskParams, move: MovePath): FederationTaskParams {
  return movePathsBy(PARAMS, params, move);
}
