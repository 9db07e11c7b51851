import { isDiskFull } from "@isthmus/core";
import { decide } from "@isthmus/federated";
import { isDamagedFolder } from "./known-files.ts";
import { type RoundStep, runRound } from "./run-round.ts";
import type { Federation, Log } from "./running-federation.ts";
import { spentReason } from "./spent-reason.ts";

/** Largest number of milliseconds of a timer of Node. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Milliseconds until work that failed is tried again, at first and at most. */
const RETRY_MS: { readonly first: number; readonly most: number } = { first: 1000, most: 60_000 };

/** Stepper of a federation, which carries out decisions one after another. */
export interface Stepper {
  /** Decides on the next step and begins it, unless a step is under way. */
  wake(): void;
  /** Waits for the step that is under way, which the federation's end stops. */
  close(): Promise<void>;
}

/** Log and error handler of a stepper. */
interface StepperPorts {
  readonly log: Log;
  /** Called if the folder is damaged, so that the federation must stop. */
  readonly onFatal: (error: unknown) => void;
}

/** Creates the stepper of a federation, which sleeps until it is woken, or until a deadline. */
export function createStepper(federation: Federation, { log, onFatal }: StepperPorts): Stepper {
  const { config, ended, now, waitsForRoom, changed } = federation;
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> | undefined;
  let pause = RETRY_MS.first;

  const sleep = (milliseconds: number): void => {
    timer = setTimeout(wake, Math.min(Math.max(1, milliseconds), LONGEST_TIMER));
  };
  const step = async (decision: RoundStep): Promise<void> => {
    try {
      await runRound(federation, decision, ended);
      waitsForRoom.delete("step");
      pause = RETRY_MS.first;
      work = undefined;
      wake();
    } catch (error) {
      work = undefined;
      if (ended.aborted) return;
      if (isDamagedFolder(error)) {
        onFatal(error);
        return;
      }
      log.error({ err: error, retryMs: pause }, `cannot ${decision.kind} a round; trying again`);
      if (isDiskFull(error)) waitsForRoom.add("step");
      else waitsForRoom.delete("step");
      changed.tell();
      sleep(pause);
      pause = Math.min(RETRY_MS.most, 2 * pause);
    }
  };
  function wake(): void {
    if (work !== undefined || ended.aborted) return;
    clearTimeout(timer);
    const decided = decide(config.plan, federation.state, now());
    // If the federation fails after failed rounds, this reason takes precedence over a spent budget.
    const decision = decided.kind === "fail" ? decided : (spentReason(federation) ?? decided);
    if (decision.kind === "finish") return;
    if (decision.kind !== "wait") work = step(decision);
    else if (decision.until !== null) sleep(decision.until - now());
  }
  return {
    wake,
    async close() {
      clearTimeout(timer);
      await work;
    },
  };
}
