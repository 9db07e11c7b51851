import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Drops files on the page, and waits until each is in the list. */
export async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const before = await page.locator(".given li").count();
  await page.setInputFiles("#lab-files", [...paths]);
  await page.waitForSelector(`.given li:nth-child(${before + paths.length})`);
}

/** Presses the button of a step, and returns what it says at the end. */
export async function run(page: Page, id: string, end = "done"): Promise<string> {
  await page.click(`#${id} .go`);
  await page.waitForSelector(`#${id}:is([data-state=done], [data-state=failed])`, { timeout: 120_000 });
  const say = (await page.textContent(`#${id} > .say`)) ?? "";
  expect(await page.getAttribute(`#${id}`, "data-state"), say).toBe(end);
  return say;
}

/** Returns the command that a step shows beside its result. */
export async function command(page: Page, id: string): Promise<string | null> {
  return page.textContent(`#${id} .command code`);
}
