import type { AdviceSigns } from "./advice-signs.ts";

/** A command that tells more than weights alone. */
export interface NextMeasurement {
  /** Question that the command answers. */
  readonly purpose: string;
  /** The command, ready for a shell; words in capitals are for the reader to fill in. */
  readonly command: string;
}

/** Advice on how to merge networks, as plain data. */
export interface MergeAdvice {
  /** Name of the rule that decided, of the table in docs/verdicts.md. */
  readonly rule: string;
  /** Name of the method; null if the networks should not be merged tensor by tensor. */
  readonly method: string | null;
  /** Settings of the method for the whole merge. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Whether units are put in one order first. */
  readonly align: boolean;
  /** Position of the base that the method uses; null if it uses none. */
  readonly base: number | null;
  /** Positions of the networks that are merged. */
  readonly networks: readonly number[];
  /** Why, in one sentence with the numbers that decided. */
  readonly reason: string;
  /** All numbers that rules look at. */
  readonly signs: AdviceSigns;
  /** Measurements that tell more, with their commands. */
  readonly next: readonly NextMeasurement[];
}
