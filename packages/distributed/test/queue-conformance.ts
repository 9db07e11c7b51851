import { afterEach, beforeEach, describe } from "vitest";
import { describeCancelling } from "./conformance/cancelling.ts";
import { describeDying } from "./conformance/dying.ts";
import { describeFailing } from "./conformance/failing.ts";
import { describeHandingOut } from "./conformance/handing-out.ts";
import { describeLooking } from "./conformance/looking.ts";
import { openBench, type QueueBench } from "./conformance/queue-bench.ts";
import type { QueuePlace } from "./conformance/queue-place.ts";

export type { QueuePlace } from "./conformance/queue-place.ts";

/**
 * Describes what any queue must do.
 *
 * @param prepare - returns an empty queue, for one test; undefined if there can be none here, which skips tests
 */
export function describeQueue(name: string, prepare: () => Promise<QueuePlace | undefined>): void {
  describe(name, () => {
    let bench: QueueBench | undefined;

    beforeEach(async (context) => {
      const place = await prepare();
      if (place === undefined) context.skip("there is no queue here");
      else bench = await openBench(place);
    });

    afterEach(async () => {
      await bench?.end();
      bench = undefined;
    });

    const current = (): QueueBench => {
      if (bench === undefined) throw new Error("no queue is open");
      return bench;
    };
    for (const group of GROUPS) group(current);
  });
}

const GROUPS = [describeHandingOut, describeFailing, describeDying, describeCancelling, describeLooking];
