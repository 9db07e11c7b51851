/** Commands of a guide that stand in one block. */
export interface GuideStep {
  readonly commands: readonly string[];
  /** What the guide says that they print; absent if it says nothing. */
  readonly printed?: string;
}

export function savedFiles(text: string): Map<string, string>;
export function guideSteps(text: string): GuideStep[];
