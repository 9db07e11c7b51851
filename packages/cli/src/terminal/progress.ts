import type { Terminal } from "./terminal.ts";

/**
 * Reports the progress of a step: the `share` that is done, in `[0, 1]`, or undefined if it is unknown.
 * Text that changes all the time is returned by `detail`, which is called only when it is shown.
 */
export type Progress = (step: string, share?: number, detail?: () => string) => void;

/** Milliseconds between two redraws of the bar. */
const REDRAW_MS = 80;
/**
 * Bounds, in milliseconds, of the time between two lines without a screen, which is a tenth of the time so
 * far.
 */
const [FIRST_LINE_MS, LINE_MS] = [5_000, 60_000];
const BAR_CELLS = 24;

/**
 * Creates a progress reporter. On a screen it draws a bar again and again in the same line; elsewhere it
 * writes a plain line every few seconds, then every minute, so that a fast command writes none and the log of
 * a long one stays short.
 */
export function createProgress(terminal: Terminal, now: () => number = Date.now): Progress {
  const started = now();
  let last = terminal.interactive ? Number.NEGATIVE_INFINITY : started;
  let lastStep = "";
  return (step, share, detail) => {
    const time = now();
    const silence = Math.min(Math.max((time - started) / 10, FIRST_LINE_MS), LINE_MS);
    const due = time - last >= (terminal.interactive ? REDRAW_MS : silence);
    if (!due && !(terminal.interactive && step !== lastStep)) return;
    last = time;
    lastStep = step;
    const more = detail?.() ?? "";
    const text = more === "" ? step : `${step}, ${more}`;
    if (terminal.interactive) terminal.status(drawBar(text, share, terminal));
    else terminal.note(share === undefined ? `${text} ...` : `${text}: ${formatShare(share)}`);
  };
}

/** Progress whose last step can be shown again while nothing new is reported. */
export interface RepeatedProgress {
  /** Reports the step under way, and keeps it to be shown again. */
  readonly progress: Progress;
  /**
   * Shows the last step again whenever a line is due, until the returned function is called: so a log shows
   * that a command which waits for others still runs.
   */
  keepTelling(): () => void;
}

/** Milliseconds between two checks of whether a line is due. */
const TELL_MS = 1000;

/** Makes a {@link RepeatedProgress}. */
export function repeatProgress(progress: Progress): RepeatedProgress {
  let last: Parameters<Progress> | undefined;
  return {
    progress(...step) {
      last = step;
      progress(...step);
    },
    keepTelling() {
      const timer = setInterval(() => {
        if (last !== undefined) progress(...last);
      }, TELL_MS);
      return () => clearInterval(timer);
    },
  };
}

function drawBar(step: string, share: number | undefined, terminal: Terminal): string {
  const [full, empty] = terminal.unicode ? ["█", "░"] : ["#", "."];
  const cells = share === undefined ? 0 : Math.round(Math.min(Math.max(share, 0), 1) * BAR_CELLS);
  const bar =
    share === undefined
      ? ""
      : `${full.repeat(cells)}${empty.repeat(BAR_CELLS - cells)} ${formatShare(share)} `;
  return `${bar}${step}`.slice(0, terminal.columns - 1);
}

function formatShare(share: number): string {
  return `${String(Math.floor(100 * share)).padStart(3)} %`;
}
