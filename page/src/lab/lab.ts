import { assets } from "../assets.ts";
import { find, make } from "../shell/dom.ts";
import { readFromFragment } from "../shell/fragment.ts";
import type { GivenFile, KnownFiles, WrittenFile } from "../worker/lab/lab-requests.ts";
import { Choices } from "./choices.ts";
import { createDropArea } from "./drop-area.ts";
import { showFiles } from "./file-list.ts";
import { plural } from "./format.ts";
import { LabMachine } from "./lab-machine.ts";
import { pathsFor } from "./paths-for.ts";
import { showWritten } from "./save-file.ts";
import { messageOf } from "./step.ts";
import { createSteps } from "./steps.ts";

/** Starts the lab: the part of the page in which readers drop files of their own. */
export function startLab(): void {
  const place = find("lab-place", HTMLElement);
  const machine = new LabMachine();
  const say = make("p", { class: "say", role: "status", id: "lab-say" });
  const list = make("ul", { class: "given", "aria-label": "Files" });
  const written = make("ul", { class: "written", "aria-label": "Written files" });
  const choices = new Choices(() => steps.follow());
  const earlier = make("div", { hidden: "" }, make("h3", {}, "Written on an earlier visit"), written);
  const showEarlier = (files: readonly WrittenFile[]) => {
    earlier.hidden = files.length === 0;
    written.replaceChildren(...files.map((file) => showWritten(machine, file)));
  };
  const steps = createSteps({ machine, choices, fromAddress: readFromFragment("recipe") });
  const show = (known: KnownFiles) => {
    showFiles(list, known.files, {
      inspect: (path) => machine.ask("lab.inspect", { path }),
      remove: takeAway,
    });
    choices.offer(known);
    steps.follow();
    steps.element.hidden = known.files.length === 0;
    say.textContent = known.files.length === 0 ? "" : `${plural(known.files.length, "file")}.`;
  };
  const attempt = async (act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      say.textContent = messageOf(error);
    }
  };
  const takeAway = (path: string) => void attempt(async () => show(await machine.remove(path)));
  const give = (files: readonly GivenFile[]) =>
    attempt(async () => {
      if (files.length === 0) return;
      say.textContent = "Looking at the files …";
      const fresh = pathsFor(files, (path) => machine.given(path)?.content);
      const known = await machine.add(fresh);
      show(known);
      const recipe = fresh.find(({ path }) => /\.ya?ml$/i.test(path));
      if (recipe !== undefined) steps.write(await machine.ask("lab.text", { path: recipe.path }));
    });
  place.append(
    createDropArea({
      onFiles: (files) => void give(files),
      onExamples: () =>
        void attempt(async () => {
          say.textContent = "Loading two digit networks …";
          await give(await loadExamples());
        }),
    }),
    say,
    list,
    choices.element,
    steps.element,
    earlier,
  );
  choices.element.hidden = true;
  steps.element.hidden = readFromFragment("recipe") === undefined;
  void attempt(async () => {
    if (await hasWritten()) showEarlier(await machine.written());
  });
}

/** Checks whether the page's storage holds files of earlier visits. */
async function hasWritten(): Promise<boolean> {
  try {
    const folder = await navigator.storage.getDirectory();
    for await (const _ of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) return true;
    return false;
  } catch {
    return false; // Some browsers have no storage for private windows; merging says so then.
  }
}

async function loadExamples(): Promise<GivenFile[]> {
  return Promise.all(
    assets.examples.map(async ({ path }) => {
      const response = await fetch(new URL(path, document.baseURI));
      if (!response.ok) throw new Error(`Cannot load ${path}: the server answers ${response.status}`);
      return { path: path.split("/").at(-1) ?? path, content: await response.blob() };
    }),
  );
}
