import { createHeap } from "./heap.ts";

/** What will happen, in the order of time; of what happens at once, what was planned first. */
export interface EventQueue {
  /** Time of what happened last, in seconds. */
  readonly now: number;
  /** Time of what happens next; infinite if nothing does. */
  readonly next: number;
  /** Plans something at a time, which may not lie in the past. */
  at(time: number, act: () => void): void;
  /** Moves on to what happens next, and lets it happen. */
  step(): void;
  /** Moves on to a time before which nothing is planned. */
  moveTo(time: number): void;
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly act: () => void;
}

/** Creates an empty queue of events at time 0. */
export function createEventQueue(): EventQueue {
  const events = createHeap<Event>((one, other) =>
    one.time === other.time ? one.order < other.order : one.time < other.time,
  );
  let now = 0;
  let order = 0;
  return {
    get now() {
      return now;
    },
    get next() {
      return events.peek()?.time ?? Number.POSITIVE_INFINITY;
    },
    at(time, act) {
      if (!(time >= now)) {
        throw new RangeError(`Cannot plan an event as it must not lie in the past: ${time} is before ${now}`);
      }
      events.push({ time, order: order++, act });
    },
    step() {
      const event = events.pop();
      if (event === undefined) throw new RangeError("Cannot go on as something must be planned: nothing is");
      now = event.time;
      event.act();
    },
    moveTo(time) {
      now = Math.max(now, time);
    },
  };
}
