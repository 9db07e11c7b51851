import type { Computer } from "../shell/computer.ts";
import { find, make } from "../shell/dom.ts";
import { download } from "../shell/download.ts";
import type { StoryFile } from "../worker/story/story-requests.ts";
import { listNumbers } from "./words.ts";

/** Shows the numbers of the story, before and after. */
export function showNumbers(measured: Parameters<typeof listNumbers>[0]): void {
  const list = find("numbers", HTMLElement);
  list.replaceChildren(
    ...listNumbers(measured).map(([name, was, is, unit]) =>
      make(
        "div",
        {},
        make("dt", {}, name),
        make("dd", {}, ...(was === "" ? [] : [make("s", {}, was), " "]), is, " ", make("small", {}, unit)),
      ),
    ),
  );
  list.hidden = false;
}

/** Lets each button with `data-file` save that file. */
export function startFiles(computer: Computer): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-file]")) {
    const file = button.dataset["file"] as StoryFile;
    button.addEventListener("click", async () => {
      try {
        download(await computer.ask("story.file", { file }), file);
      } catch (error) {
        find("narration", HTMLElement).textContent = error instanceof Error ? error.message : String(error);
      }
    });
  }
}
