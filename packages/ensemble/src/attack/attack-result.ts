import type { AttackNorm, ResolvedAttack } from "./attack-options.ts";
import type { SourceMode } from "./attack-source.ts";

/** Effect of the adversarial examples of one source on one target. */
export interface AttackedTarget {
  /**
   * Share, among the examples that the target classifies correctly, of those whose changed version it
   * classifies wrongly, in `[0, 1]`; null if it classifies none correctly.
   */
  readonly success: number | null;
  /** Share of all changed examples that the target classifies correctly, in `[0, 1]`. */
  readonly accuracy: number;
}

/** Results of the adversarial examples made on one source. */
export interface AttackedSource {
  /** Name of the source in figures and tables. */
  readonly name: string;
  /** Mode in which several networks make one attack. */
  readonly mode: SourceMode;
  /** Sources of the networks, such as their files. */
  readonly networks: readonly string[];
  /** Mean cross-entropy of the source's mean logits, in nats. */
  readonly loss: { readonly before: number; readonly after: number };
  /** Effects on the targets, in the order of the targets. */
  readonly targets: readonly AttackedTarget[];
}

/** Transfer of adversarial examples, made on some networks, to others. */
export interface AttackResult extends ResolvedAttack {
  /** Kind of the result. */
  readonly kind: "attack";
  /** Distance by which changes are limited. */
  readonly norm: AttackNorm;
  /**
   * Whether sizes are in units of pixels from 0 to 1, and changed pixels stay in that range; if not, sizes
   * are in units of the examples' numbers.
   */
  readonly pixels: boolean;
  /** Results of each source, in the order in which the sources were passed. */
  readonly sources: readonly AttackedSource[];
  /** Networks that are attacked, with the share of examples that they classify correctly. */
  readonly targets: readonly { readonly network: string; readonly accuracy: number }[];
  /** Name of the examples that were changed. */
  readonly data: string;
  /** Number of these examples. */
  readonly examples: number;
  /** Name of the engine on which the networks ran. */
  readonly engine: string;
}
