/** Channels times a width factor, rounded, at least 1. */
export function scaleChannels(channels: number, factor: number): number {
  return Math.max(1, Math.round(channels * factor));
}
