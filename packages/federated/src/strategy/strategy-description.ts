import type { AdapterScaling } from "../adapters/adapter-scaling.ts";
import type { LayerPolicyName, StatisticsPolicy } from "../layers/treat-layers.ts";
import type { Treatment } from "../layers/treatment.ts";
import type { PrivacyDescription } from "../privacy/privacy-description.ts";
import type { AlignTargetSpelling } from "./align-target.ts";
import type { Named } from "./look-up.ts";

/** Choice of the layers that are shared, as plain data. */
export interface LayersDescription {
  /** A known way to keep some layers with the clients, see `treatLayers`. @defaultValue "all" */
  readonly policy?: LayerPolicyName;
  /** Pattern of the layers that are the head, for `fedper` and `lg`. */
  readonly head?: string;
  /** Treatment by pattern, `{ "fc*": "keep" }`; the first that fits counts. @defaultValue none */
  readonly layers?: Readonly<Record<string, Treatment>>;
  /**
   * Treatment of running means and variances of batch norms. @defaultValue "average", but "keep" if the norm
   * is kept
   */
  readonly statistics?: StatisticsPolicy;
}

/** Strategy by which a server aggregates the updates of a round, as plain data. */
export interface StrategyDescription {
  /** Rule that combines the updates of all clients into one change of the network. @defaultValue "fedavg" */
  readonly rule?: string | Named;
  /** Steps before the rule, in order. @defaultValue none */
  readonly before?: readonly (string | Named)[];
  /** Optimiser of the server. @defaultValue "average" */
  readonly server?: string | Named;
  /** Largest norm of an update, to which longer updates are shortened. @defaultValue no limit */
  readonly clip?: number;
  /**
   * Differential privacy, which hides each client by clipping and noise: updates are averaged equally, and
   * the rule must be left out, unless clients add the noise.
   * @defaultValue no privacy
   */
  readonly privacy?: PrivacyDescription;
  /** Choice of the layers that are shared. @defaultValue all layers */
  readonly share?: LayersDescription;
  /**
   * Scale of the products of adapters, which must be known if clients have other ranks than the network.
   * @defaultValue tensors `alpha` of the network, else the same scale for all, which must have its rank
   */
  readonly adapters?: AdapterScaling;
  /**
   * Target to which updates are aligned before they are aggregated: the `global` network, or `each-other`,
   * for clients that began at different networks. @defaultValue no alignment
   */
  readonly align?: AlignTargetSpelling;
}

/** Defaults of {@link StrategyDescription}: values of the fields that a strategy leaves out. */
export const STRATEGY_DEFAULTS: Required<Pick<StrategyDescription, "rule" | "before" | "server">> = {
  rule: "fedavg",
  before: [],
  server: "average",
};
