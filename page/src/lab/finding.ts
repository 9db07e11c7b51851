import { make } from "../shell/dom.ts";
import type { Finding } from "../worker/lab/lab-requests.ts";

/** Kinds of findings that an alignment mends. */
const MENDED_BY_ALIGNING: readonly Finding["kind"][] = ["different-seed", "permuted-copy"];

/**
 * Shows a finding, with a button that leads to the step that aligns networks if that mends it.
 * @param toAlign - leads to that step
 */
export function showFinding({ kind, severity, message, advice }: Finding, toAlign: () => void): HTMLElement {
  const shown = make(
    "p",
    { class: `finding ${severity}` },
    make("b", {}, severity),
    ` ${message}: ${advice}.`,
  );
  if (severity === "note" || !MENDED_BY_ALIGNING.includes(kind)) return shown;
  const go = make("button", { type: "button", class: "quiet" }, "Go to Align");
  go.addEventListener("click", toAlign);
  shown.append(" ", go);
  return shown;
}
