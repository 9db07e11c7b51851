import type { AttackNorm, ResolvedAttack } from "./attack-options.ts";
import type { SourceMode } from "./attack-source.ts";

/** What adversarial examples of one source do to one target. */
export interface AttackedTarget {
  /**
   * Share of the examples that the target classifies correctly whose changed ones it does not, in `[0, 1]`;
   * null if it classifies none correctly.
   */
  readonly success: number | null;
  /** Share of all changed examples that it classifies correctly, in `[0, 1]`. */
  readonly accuracy: number;
}

/** Adversarial examples made on one source. */
export interface AttackedSource {
  readonly name: string;
  readonly mode: SourceMode;
  readonly networks: readonly string[];
  /** Mean cross-entropy of the source's mean logits, in nats. */
  readonly loss: { readonly before: number; readonly after: number };
  /** In the order of the targets. */
  readonly targets: readonly AttackedTarget[];
}

/** How adversarial examples made on some networks transfer to others. */
export interface AttackResult extends ResolvedAttack {
  readonly kind: "attack";
  readonly norm: AttackNorm;
  /**
   * Whether sizes are of pixels from 0 to 1, which changed examples keep to; else of the examples' numbers.
   */
  readonly pixels: boolean;
  readonly sources: readonly AttackedSource[];
  /** Networks that are attacked, with the share of examples that they classify correctly. */
  readonly targets: readonly { readonly network: string; readonly accuracy: number }[];
  readonly data: string;
  readonly examples: number;
  readonly engine: string;
}
