import type { WantedValues } from "./wanted-values.ts";

/** What is measured on every network of a group, each by itself. */
export interface NetworkMeasurement {
  /** Name of the group of networks. */
  readonly of: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Name of the examples to measure on. */
  readonly data: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}
