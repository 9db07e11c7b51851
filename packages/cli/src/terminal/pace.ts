import { formatSeconds } from "../training/format-training.ts";

/** Estimates the time left of work that reports the share that is done. */
export interface Pace {
  /**
   * Notes the share that is done.
   * @param stored - whether a journal had this part already, so that it took no time
   */
  note(done: number, stored?: boolean): void;
  /** Returns the time left in words, by the pace so far; empty as long as nothing is done. */
  left(): string;
}

/** Creates a pace that starts now. */
export function createPace(now: () => number = Date.now): Pace {
  const began = now();
  let [latest, made] = [0, 0];
  return {
    note(done, stored = false) {
      if (!stored) made += Math.max(0, done - latest);
      latest = Math.max(latest, done);
    },
    left() {
      if (made === 0) return "";
      return `${formatSeconds(((now() - began) / 1000) * ((1 - latest) / made))} left`;
    },
  };
}
