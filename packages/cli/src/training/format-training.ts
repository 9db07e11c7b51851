import { at } from "@isthmus/core";
import { formatNumber, type TrainingPace } from "@isthmus/findings";
import type { TrainProgress, TrainResult } from "@isthmus/training";
import { formatTable } from "../format/format-table.ts";

/** Largest number of rows of the table of epochs; if there are more epochs, some in between are left out. */
const SHOWN_EPOCHS = 20;

/** Formats the loss and the accuracy of every epoch as a table. */
export function formatEpochs({ epochs, lossUnit = "nats" }: TrainResult): string {
  if (epochs.length === 0) return "The network is as it starts: no epoch was trained.";
  const every = Math.ceil(epochs.length / SHOWN_EPOCHS);
  const unit = lossUnit === "nats" ? "" : ` (${lossUnit})`;
  const loss = (value: number | undefined) => (value === undefined ? "" : formatNumber(value));
  const measured = epochs.map(({ evaluation, ...epoch }) => [
    ...[loss(epoch.loss), formatAccuracy(epoch.accuracy)],
    ...[loss(evaluation?.loss), formatAccuracy(evaluation?.accuracy)],
  ]);
  const titles = [`loss${unit}`, "accuracy", `eval loss${unit}`, "eval accuracy"];
  const shown = [...titles.keys()].filter((column) => measured.some((row) => row[column] !== ""));
  const columns = ["epoch", ...shown.map((column) => at(titles, column))];
  return formatTable(
    columns.map((title) => ({ title, align: "right" as const })),
    measured
      .map((row, i) => [String(i + 1), ...shown.map((column) => at(row, column))])
      .filter((_, i) => (epochs.length - 1 - i) % every === 0),
  );
}

/** Formats an accuracy in percent; empty if the loss has none. */
export function formatAccuracy(accuracy: number | undefined): string {
  return accuracy === undefined ? "" : `${(100 * accuracy).toFixed(2)} %`;
}

/** Formats the current phase of a training, for the progress bar. */
export function formatPhase({ phase, epoch, epochs }: TrainProgress): string {
  return `${phase === "training" ? "Epoch" : "Evaluating epoch"} ${epoch + 1} of ${epochs}`;
}

/** Formats the loss, the rate and the time left of a training, for the progress bar. */
export function formatPace({ secondsLeft, ...pace }: TrainProgress): string {
  const left = Number.isFinite(pace.examplesPerSecond) ? `${formatSeconds(secondsLeft)} left` : "";
  return formatSpeed(pace, left);
}

/**
 * Formats the loss and the rate of a training that is part of some work, for the progress bar.
 * @param left - the time left of the whole work in words, or an empty text
 */
export function formatSpeed(training: Partial<TrainingPace> | undefined, left: string): string {
  const { meanLoss = Number.NaN, examplesPerSecond = Number.NaN } = training ?? {};
  const parts = [
    Number.isFinite(meanLoss) ? `loss ${meanLoss.toPrecision(3)}` : "",
    Number.isFinite(examplesPerSecond) ? `${formatRate(examplesPerSecond)} examples/s` : "",
    left,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** Formats a rate with three digits: `58,300`, `12.4`. */
export function formatRate(rate: number): string {
  return rate < 100 ? rate.toPrecision(3) : Number(rate.toPrecision(3)).toLocaleString("en-US");
}

/** Formats a time in the unit that suits it: `3 s`, `2 min 05 s`, `1 h 20 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
