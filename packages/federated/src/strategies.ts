import type { StrategyDescription } from "./strategy/strategy-description.ts";

/**
 * A strategy as users of other tools know it: a rule and an optimiser of the server, by their names here.
 * It is a description that `resolveStrategy` takes.
 */
export interface Strategy extends StrategyDescription {
  /** Name in configurations and on the command line. */
  readonly name: string;
  /** Description of the strategy in one sentence. */
  readonly description: string;
  /** Name of the aggregation rule. */
  readonly rule: string;
  /** Name of the server step. */
  readonly server: string;
  /** Work of clients beside plain training; missing if they only train. */
  readonly client?: string;
}

const plain = { server: "average" } as const;

const LIST: readonly Strategy[] = [
  { name: "fedavg", description: "The mean by examples.", rule: "fedavg", ...plain },
  {
    name: "fedavgm",
    description: "The mean by examples, with momentum of the server.",
    rule: "fedavg",
    server: "momentum",
  },
  {
    name: "fedadam",
    description: "The mean by examples, with Adam on the server.",
    rule: "fedavg",
    server: "adam",
  },
  {
    name: "fedyogi",
    description: "The mean by examples, with Yogi on the server.",
    rule: "fedavg",
    server: "yogi",
  },
  {
    name: "fedadagrad",
    description: "The mean by examples, with Adagrad on the server.",
    rule: "fedavg",
    server: "adagrad",
  },
  {
    name: "fedprox",
    description: "The mean by examples of clients that are held near the global network.",
    rule: "fedavg",
    ...plain,
    client: "adds the proximal term to the loss",
  },
  { name: "qfedavg", description: "More weight for clients of large losses.", rule: "qfedavg", ...plain },
  {
    name: "fedbuff",
    description: "The mean of a buffer of updates, late ones counting less.",
    rule: "fedbuff",
    ...plain,
  },
  { name: "fedmedian", description: "The median in each element.", rule: "coordinate-median", ...plain },
  {
    name: "fedtrimmedavg",
    description: "The mean in each element without the ends.",
    rule: "trimmed-mean",
    ...plain,
  },
  { name: "krum", description: "The update nearest to its neighbours.", rule: "krum", ...plain },
  {
    name: "multikrum",
    description: "The mean of the updates nearest to neighbours.",
    rule: "multi-krum",
    ...plain,
  },
  {
    name: "bulyan",
    description: "Krum again and again, then closest to the median.",
    rule: "bulyan",
    ...plain,
  },
  { name: "rfa", description: "The geometric median, by examples.", rule: "geometric-median", ...plain },
];

/** All strategies by name, each a rule and a server step with their defaults. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(
  LIST.map((strategy) => [strategy.name, strategy]),
);
