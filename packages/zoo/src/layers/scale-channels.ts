/** Multiplies a number of channels by a width factor; the result is rounded and at least 1. */
export function scaleChannels(channels: number, factor: number): number {
  return Math.max(1, Math.round(channels * factor));
}
