import { assertWholeOptions, at, createRandom, InputError, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { type GivenParameters, type ParameterSpecs, resolveParameters } from "@isthmus/merging";
import { listClients } from "./clients.ts";
import type { FeatureShift } from "./examples/feature-shift.ts";
import { haveClasses, readLabels } from "./examples/read-labels.ts";
import type { PartitionScheme } from "./partitions/partition-scheme.ts";

/** Options of {@link partitionExamples}. */
export interface PartitionExamplesOptions<P extends ParameterSpecs = ParameterSpecs> {
  /** Partition that decides which client has which examples, one of `PARTITIONS` or a custom one. */
  readonly scheme: PartitionScheme<P>;
  /** Values of the scheme's parameters. @defaultValue the defaults of the scheme */
  readonly parameters?: GivenParameters<P>;
  /** Number of clients, at least 1. */
  readonly clients: number;
  /** Seed of all random choices, a whole number in `[0, 2^53)`. */
  readonly seed: number;
}

/** The examples of one client. */
export interface ClientExamples {
  /** Name of the client. */
  readonly client: string;
  /** Positions of its examples in the data set, in ascending order; at least one. */
  readonly positions: Uint32Array;
  /**
   * Number of its examples of each class, `[classes]`; the number of all its examples if they have no
   * classes, `[1]`.
   */
  readonly labels: readonly number[];
  /** Shift by which its inputs differ from the inputs of others; missing if they do not. */
  readonly shift?: FeatureShift;
}

/**
 * Divides the examples of a data set over clients, each example to one client at most.
 *
 * @param data - data set with a class for each example, unless the scheme accepts any labels
 * @returns clients in the order of their names
 * @throws InputError if there are too few examples or classes, or labels do not belong to whole examples
 * @throws UsageError if a parameter is unknown or of another type
 * @throws OutOfRangeError if a number is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openDataSet } from "@isthmus/data";
 * import { PARTITIONS, partitionExamples } from "@isthmus/simulation";
 *
 * const data = await openDataSet("mnist:test@1000");
 * const scheme = PARTITIONS.get("dirichlet");
 * assert(scheme !== undefined);
 * const clients = partitionExamples(data, { scheme, parameters: { alpha: 0.1 }, clients: 4, seed: 0 });
 * assert.equal(clients.length, 4);
 * assert.equal(clients.reduce((sum, { positions }) => sum + positions.length, 0), 1000);
 * ```
 */
export function partitionExamples<P extends ParameterSpecs>(
  data: DataSet,
  { scheme, parameters = {}, clients, seed }: PartitionExamplesOptions<P>,
): readonly ClientExamples[] {
  const attempt = `divide "${data.name}" over clients`;
  assertWholeOptions(attempt, { clients, seed }, { clients: 1, seed: 0 });
  const values = resolveParameters(scheme.name, scheme.parameters, parameters, {
    tensor: data.name,
    networks: 0,
    attempt: `divide examples by ${scheme.name}`,
  });
  const isPlain = scheme.anyLabels === true && !haveClasses(data);
  const divided = {
    labels: isPlain ? new Int32Array(data.size) : readLabels(data),
    clients,
    classes: isPlain ? 1 : data.classes,
  };
  const parts = scheme.split(divided, values, createRandom(seed, `partition ${scheme.name}`));
  const names = listClients(clients);
  if (parts.length !== clients) {
    throw new UsageError(
      `Cannot ${attempt} as "${scheme.name}" must return a part for each of ${clients}: it returned ${parts.length}`,
    );
  }
  return parts.map((positions, client) => {
    const name = at(names, client, "name of a client");
    if (positions.length === 0) {
      throw new InputError(
        `Cannot ${attempt} by "${scheme.name}" as each must have an example: ${name} has none; choose fewer clients`,
        { input: data.name },
      );
    }
    const shift = scheme.shift?.(values, createRandom(seed, `shift of ${name}`));
    return {
      client: name,
      positions,
      labels: countLabels(divided.labels, positions, divided.classes),
      ...(shift === undefined ? {} : { shift }),
    };
  });
}

function countLabels(labels: Int32Array, positions: Uint32Array, classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const position of positions) {
    const label = at(labels, position, "example");
    counts[label] = at(counts, label, "class") + 1;
  }
  return counts;
}
