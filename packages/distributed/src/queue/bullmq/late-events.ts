import type { IQueueBackend } from "bullmq";
import type { Pool } from "pg";

/**
 * Milliseconds in which an event may turn up after later ones. PostgreSQL numbers events when they happen,
 * and shows them when their transaction ends: of two that happen at once the later one may be there first,
 * and BullMQ, which reads on from the last number, would never see the other.
 */
const LATENESS = 10_000;
/**
 * Maximum number of missing event numbers that are looked for at once; some were used by other queues and
 * never turn up here.
 */
const MOST_GAPS = 2000;

type Events = NonNullable<Awaited<ReturnType<IQueueBackend["readEvents"]>>>[number][1];

/** Extends a backend of PostgreSQL so that it also reads events that turn up late. */
export function readLateEvents(backend: IQueueBackend, queue: string, pool: Pool): void {
  const read = backend.readEvents.bind(backend);
  const gaps = createGaps();
  let last: string | undefined;
  backend.readEvents = async (id, timeout) => {
    last ??= id;
    const result = await read(last, timeout);
    const late = await readEvents(pool, queue, gaps.list());
    gaps.close(late.map(([number]) => Number(number)));
    const events = (result ?? []).flatMap(([, some]) => some);
    for (const [number] of events) {
      gaps.open(Number(last), Number(number));
      last = number;
    }
    if (late.length + events.length === 0) return null;
    return [["events", [...late, ...events]]];
  };
}

interface Gaps {
  /** Notes the numbers between two as missing. */
  open(after: number, before: number): void;
  close(numbers: readonly number[]): void;
  /** Lists the numbers that may still turn up. */
  list(): readonly number[];
}

function createGaps(): Gaps {
  const since = new Map<number, number>();
  return {
    open(after, before) {
      const now = performance.now();
      for (let number = Math.max(after + 1, before - MOST_GAPS); number < before; number++) {
        since.set(number, now);
      }
    },
    close(numbers) {
      for (const number of numbers) since.delete(number);
    },
    list() {
      const oldest = performance.now() - LATENESS;
      let spare = since.size - MOST_GAPS;
      // The numbers stand in the order in which they were noted.
      for (const [number, noted] of since) {
        if (noted >= oldest && spare-- <= 0) break;
        since.delete(number);
      }
      return [...since.keys()];
    },
  };
}

/** Reads events by their numbers, in the form in which BullMQ reads them. */
async function readEvents(pool: Pool, queue: string, numbers: readonly number[]): Promise<Events> {
  if (numbers.length === 0) return [];
  const { rows } = await pool.query<{
    id: string;
    event: string;
    data: Readonly<Record<string, unknown>> | null;
  }>("SELECT id, event, data FROM event WHERE queue = $1 AND id = ANY($2::bigint[]) ORDER BY id", [
    queue,
    numbers,
  ]);
  return rows.map(({ id, event, data }) => [
    String(id),
    ["event", event, ...Object.entries(data ?? {}).flatMap(([name, value]) => [name, String(value)])],
  ]);
}
