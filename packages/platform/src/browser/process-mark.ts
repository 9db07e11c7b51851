import { process } from "./machine.ts";
import { webNavigator } from "./web.ts";

const lockOf = (mark: string): string => `isthmus-process-${mark}`;

/** Returns the mark of this page or worker, for files that others may find after it was closed. */
export function processMark(): string {
  return `${process.pid}-0`;
}

/** Holds a lock as long as this page or worker lives, by which others see that it does. */
export function showLife(): Promise<void> {
  return new Promise((resume, reject) => {
    const untilEnd = () => new Promise<never>(() => resume());
    webNavigator().locks.request(lockOf(processMark()), untilEnd).catch(reject);
  });
}

/** Checks whether the page or worker that left a mark is still open. */
export async function isMarkAlive(mark: string): Promise<boolean> {
  return mark === processMark() || (await listOthers()).includes(mark);
}

/** Lists the marks of the other pages and workers of this origin that use its storage. */
export async function listOthers(): Promise<readonly string[]> {
  const { held = [] } = await webNavigator().locks.query();
  return held
    .filter(({ name }) => name.startsWith(lockOf("")) && name !== lockOf(processMark()))
    .map(({ name }) => name.slice(lockOf("").length));
}
