import { LOSSES, type LossFields } from "@isthmus/graph";
import { formatNumber } from "./format-value.ts";

/** Words for the losses of a result, in the unit of the loss that it was measured by. */
export interface LossWords {
  /** Name of the mean over examples in titles: `Mean loss`, or the name of a loss that is a mean itself. */
  readonly mean: string;
  /** Unit of the losses, such as `nats`; empty if they have none. */
  readonly unit: string;
  /** Whether predictions can be wrong; if not, no errors were measured. */
  readonly hasErrors: boolean;
  /** Unit of losses in words, to stand in a sentence: `in nats`, or `without a unit`. */
  readonly inUnit: string;
  /** Names the units of losses, and of errors if there are any: `in nats, error in percent`. */
  inUnits(errors: "percent" | "percentage points"): string;
  /** Writes a loss with its unit: `0.5000 nats`. */
  amount(loss: number): string;
  /** Writes the name of losses with their unit in brackets, as axes have it: `Mean loss (nats)`. */
  axis(name: string): string;
}

/**
 * Returns the words that a description needs for the losses of a result.
 * @param result - its `lossKind` names the loss; without one, losses are of classes, in nats
 */
export function lossWords({ lossKind, lossUnit = "" }: LossFields): LossWords {
  const isUsual = lossKind === undefined;
  const unit = isUsual ? "nats" : lossUnit;
  const hasErrors = isUsual || LOSSES.some(({ name, hasError }) => name === lossKind && hasError);
  const inUnit = unit === "" ? "without a unit" : `in ${unit}`;
  return {
    mean: lossKind?.startsWith("mean-") ? `M${lossKind.slice(1).replaceAll("-", " ")}` : "Mean loss",
    unit,
    hasErrors,
    inUnit,
    inUnits: (errors) => (hasErrors ? `${inUnit}, error in ${errors}` : inUnit),
    amount: (loss) => (unit === "" ? formatNumber(loss) : `${formatNumber(loss)} ${unit}`),
    axis: (name) => (unit === "" ? name : `${name} (${unit})`),
  };
}
