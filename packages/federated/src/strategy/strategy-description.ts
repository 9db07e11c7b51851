import type { LayerPolicyName, StatisticsPolicy } from "../layers/treat-layers.ts";
import type { Treatment } from "../layers/treatments.ts";
import type { PrivacyDescription } from "../privacy/privacy-description.ts";
import type { AlignTargetSpelling } from "./align-target.ts";
import type { Named } from "./look-up.ts";

/** Which layers are shared, as plain data. */
export interface LayersDescription {
  /** A known way to keep some layers with the clients, see `treatLayers`. @defaultValue "all" */
  readonly policy?: LayerPolicyName;
  /** Pattern of the layers that are the head, for `fedper` and `lg`. */
  readonly head?: string;
  /** Treatment by pattern, `{ "fc*": "keep" }`; the first that fits counts. @defaultValue none */
  readonly layers?: Readonly<Record<string, Treatment>>;
  /** Running means and variances of batch norms. @defaultValue "average", but "keep" where a norm is kept */
  readonly statistics?: StatisticsPolicy;
}

/** What a server does with the updates of a round, as plain data. */
export interface StrategyDescription {
  /** Rule that makes one change of all updates. @defaultValue "fedavg" */
  readonly rule?: string | Named;
  /** Steps before the rule, in order. @defaultValue none */
  readonly before?: readonly (string | Named)[];
  /** Optimiser of the server. @defaultValue "average" */
  readonly server?: string | Named;
  /** Largest norm of an update, to which longer ones are shortened. @defaultValue no limit */
  readonly clip?: number;
  /**
   * Hides each client by clipping and noise: updates are averaged equally, and the rule must be left out.
   * @defaultValue no privacy
   */
  readonly privacy?: PrivacyDescription;
  /** Which layers are shared. @defaultValue all of them */
  readonly share?: LayersDescription;
  /**
   * What updates are aligned to before they are aggregated: the `global` network, or `each-other`, for
   * clients that began apart. @defaultValue they are not aligned
   */
  readonly align?: AlignTargetSpelling;
}

/** Defaults of {@link StrategyDescription}: what a strategy has if it says nothing of it. */
export const STRATEGY_DEFAULTS: Required<Pick<StrategyDescription, "rule" | "before" | "server">> = {
  rule: "fedavg",
  before: [],
  server: "average",
};
