import { InvariantError, UnsupportedError } from "@isthmus/core";
import { settleMixture } from "@isthmus/weight-matching";
import { act, type Element } from "./element.ts";
import type { Direction, OpenedObjective, Place } from "./objectives/objective.ts";
import type { Orbit } from "./orbit.ts";
import { pullBack } from "./pull-back.ts";
import { STARTS, type Start, startOf } from "./starts.ts";
import { beginWalk, takeStep } from "./step.ts";

/** Progress of a teleport. */
export interface TeleportProgress {
  /** Share of the steps that are done, in `[0, 1]`. */
  readonly done: number;
  /** Steps made. */
  readonly step: number;
  /** Steps that are made in all. */
  readonly steps: number;
  /** Value of the objective before the step. */
  readonly value: number;
}

/** Options of {@link search}. */
export interface SearchOptions {
  /** Whether the objective is lowered or raised. */
  readonly direction: Direction;
  /** Start of the steps; undefined for the best. */
  readonly start: Start | undefined;
  /** Number of steps. */
  readonly steps: number;
  /** Largest change of an element of a generator, or of the logarithm of a scale, by a step. */
  readonly learningRate: number;
  /** Largest number by which steps multiply or divide a unit in all. */
  readonly limit: number;
  /** Seed of random rotations. */
  readonly seed: number;
  /** Signal that stops the search between two steps. */
  readonly signal: AbortSignal | undefined;
  /** Called after each step; undefined if nothing is. */
  readonly onProgress: ((progress: TeleportProgress) => void) | undefined;
}

/** Element with the value of the objective where it leads, and the number of steps to it. */
export interface Candidate {
  /** Element of the group. */
  readonly element: Element;
  /** Value of the objective. */
  readonly value: number;
  /** Number of steps. */
  readonly step: number;
}

/** Result of {@link search}. */
export interface Found extends Candidate {
  /** Value of the objective of the network as it was given. */
  readonly before: number;
  /** Value of the objective at each start that was tried; null if the orbit lacks the symmetry for it. */
  readonly starts: Readonly<Partial<Record<Start, number | null>>>;
  /** Start of the steps. */
  readonly start: Start;
  /** Value of the objective before each step. */
  readonly values: readonly number[];
}

/**
 * Searches an orbit: measures starts in closed form, and steps on from the best of them, or from the one that
 * options name. The best place met is returned, which is never worse than the network as it was given.
 *
 * @throws UnsupportedError if the orbit lacks the symmetry for the start that options name
 */
export async function search(
  orbit: Orbit,
  objective: OpenedObjective,
  options: SearchOptions,
): Promise<Found> {
  const { direction, start } = options;
  const isBetter = (one: number, other: number) => (direction === "raise" ? one > other : one < other);
  const starts = await measureStarts(orbit, objective, options);
  const asGiven = starts.get("given");
  if (asGiven === undefined) throw new InvariantError("a network as it was given is always a start");
  let chosen: Start = "given";
  let best: Candidate = asGiven;
  for (const [name, candidate] of starts) {
    if (candidate === undefined || !isBetter(candidate.value, best.value)) continue;
    [chosen, best] = [name, candidate];
  }
  const asked = start === undefined ? undefined : starts.get(start);
  if (start !== undefined && asked === undefined) {
    throw new UnsupportedError(
      `Cannot teleport from the start "${start}" as the network lacks the symmetry for it: leave out the start, or name another one`,
      { feature: "start" },
    );
  }
  chosen = start ?? chosen;
  const { values, met } = await walk(orbit, objective, {
    ...options,
    isBetter,
    from: (asked ?? best).element,
  });
  if (met.step > 0) {
    // Steps measure some objectives about only, so that what they found is measured again.
    const element = { ...met.element, mixture: settleMixture(orbit.spaces, met.element.mixture) };
    const value = await objective.measure(placeOf(orbit, element));
    if (isBetter(value, best.value)) best = { element, value, step: met.step };
  }
  const measured = [...starts].map(([name, candidate]) => [name, candidate?.value ?? null] as const);
  return { ...best, before: asGiven.value, starts: Object.fromEntries(measured), start: chosen, values };
}

const placeOf = (orbit: Orbit, element: Element): Place => ({
  element,
  weights: act(orbit, element, orbit.base),
});

/** Measures the starts that options ask for; undefined for a start that the orbit lacks the symmetry for. */
async function measureStarts(
  orbit: Orbit,
  objective: OpenedObjective,
  { start, seed, signal }: SearchOptions,
): Promise<Map<Start, Candidate | undefined>> {
  const measured = new Map<Start, Candidate | undefined>();
  for (const name of STARTS) {
    if (start !== undefined && name !== start && name !== "given") continue;
    signal?.throwIfAborted();
    const element = await startOf(name, orbit, seed);
    const value = element && (await objective.measure(placeOf(orbit, element)));
    measured.set(
      name,
      element === undefined || value === undefined ? undefined : { element, value, step: 0 },
    );
  }
  return measured;
}

/** Options of {@link walk}. */
export interface WalkOptions extends Omit<SearchOptions, "start" | "seed"> {
  /** Compares two values of the objective. */
  readonly isBetter: (one: number, other: number) => boolean;
  /** Element to start at. */
  readonly from: Element;
}

/** Makes steps; returns the values before each, and the best place met. Values that are not finite end it. */
export async function walk(
  orbit: Orbit,
  objective: OpenedObjective,
  { isBetter, from, steps, direction, learningRate, limit, signal, onProgress }: WalkOptions,
): Promise<{ readonly values: readonly number[]; readonly met: Candidate }> {
  const values: number[] = [];
  let met: Candidate | undefined;
  let state = beginWalk(orbit, from);
  for (let step = 0; step <= steps && steps > 0; step++) {
    signal?.throwIfAborted();
    const { element } = state;
    const { value, pairings } = await objective.slope(placeOf(orbit, element));
    if (!Number.isFinite(value)) break;
    if (met === undefined || objective.isSampled || isBetter(value, met.value))
      met = { element, value, step };
    if (step === steps) break;
    values.push(value);
    const rate = learningRate * (0.5 + 0.5 * Math.cos((Math.PI * step) / steps));
    const signed = direction === "raise" ? rate : -rate;
    state = takeStep(orbit, state, pullBack(orbit, element, pairings), { rate: signed, limit });
    onProgress?.({ done: (step + 1) / steps, step: step + 1, steps, value });
  }
  return { values, met: met ?? { element: from, value: Number.NaN, step: 0 } };
}
