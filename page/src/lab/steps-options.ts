import type { Choices } from "./choices.ts";
import type { LabMachine } from "./lab-machine.ts";

/** Parts of the page that all steps share. */
export interface StepsOptions {
  readonly machine: LabMachine;
  readonly choices: Choices;
  /** Leads to the step that aligns networks. */
  readonly toAlign: () => void;
  /** Recipe that the address says. */
  readonly fromAddress: string | undefined;
}
