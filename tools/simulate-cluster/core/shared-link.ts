import { createHeap } from "./heap.ts";

/** How fast files move. */
export interface Bandwidths {
  /** Bytes a second of all transfers together. */
  readonly storage: number;
  /** Bytes a second of one worker, which has one transfer at a time. */
  readonly worker: number;
}

/** A transfer that is under way. */
export interface Transfer {
  /** Virtual time at which it ends: bytes that a transfer since the beginning would have had. */
  readonly end: number;
  readonly order: number;
  readonly done: () => void;
  cancelled: boolean;
}

/** A storage whose bandwidth is shared among all transfers. */
export interface SharedLink {
  /** Time at which the next transfer ends; infinite if there is none. */
  readonly next: number;
  /** Bytes that were moved, also by transfers that were cancelled. */
  readonly moved: number;
  /** Seconds in which the storage, and not the workers, held transfers back. */
  readonly saturated: number;
  /** Begins a transfer, or ends it at once if nothing holds it back; returns it if it can be cancelled. */
  start(now: number, bytes: number, done: () => void): Transfer | undefined;
  cancel(now: number, transfer: Transfer): void;
  /** Moves on to the end of the next transfer, and says so to who began it. */
  step(): void;
}

/**
 * Creates a link that gives every transfer its max-min fair share. As each worker has one transfer at a time
 * and all workers are alike, all shares are equal: the storage divided by their number, or what a worker can
 * take. So one virtual time, the bytes that each transfer has had, orders their ends, and an event costs the
 * logarithm of their number.
 */
export function createSharedLink({ storage, worker }: Bandwidths): SharedLink {
  const transfers = createHeap<Transfer>((one, other) =>
    one.end === other.end ? one.order < other.order : one.end < other.end,
  );
  const isInstant = storage === Number.POSITIVE_INFINITY && worker === Number.POSITIVE_INFINITY;
  let [last, virtual, active, order, moved, saturated] = [0, 0, 0, 0, 0, 0];
  const rate = (): number => Math.min(worker, storage / active);
  const advance = (now: number): void => {
    if (active > 0) {
      const bytes = rate() * (now - last);
      virtual += bytes;
      moved += bytes * active;
      if (storage / active <= worker) saturated += now - last;
    }
    last = now;
  };
  const dropCancelled = (): void => {
    while (transfers.peek()?.cancelled) transfers.pop();
  };
  return {
    get next() {
      dropCancelled();
      const first = transfers.peek();
      if (first === undefined) return Number.POSITIVE_INFINITY;
      return last + Math.max(0, first.end - virtual) / rate();
    },
    get moved() {
      return moved;
    },
    get saturated() {
      return saturated;
    },
    start(now, bytes, done) {
      if (bytes === 0 || isInstant) {
        moved += bytes;
        done();
        return undefined;
      }
      advance(now);
      active++;
      const transfer = { end: virtual + bytes, order: order++, done, cancelled: false };
      transfers.push(transfer);
      return transfer;
    },
    cancel(now, transfer) {
      advance(now);
      transfer.cancelled = true;
      active--;
    },
    step() {
      advance(this.next);
      const first = transfers.pop();
      if (first === undefined) throw new RangeError("Cannot go on as a transfer must be under way: none is");
      // Exactly, so that rounding does not leave a part of a byte.
      virtual = first.end;
      active--;
      first.done();
    },
  };
}
